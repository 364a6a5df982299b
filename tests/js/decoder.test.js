// The decoder against sums that are written out as the definitions have them. Weights are small multiples of 1/8, which
// float16 holds exactly.

import assert from "node:assert/strict";
import test from "node:test";
import { readDecoder } from "../../ui/live/shared/decoder.js";
import { fromHalves } from "../../ui/live/shared/wire.js";

/** @typedef {{ in: number, out: number, kernel: number, stride: number, padding: number }} Kernel */

/** @type {(value: number) => number} the float16 pattern of a number that it can hold */
function half(value) {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = (Math.abs(value) / 2 ** exponent - 1) * 1024;
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}

/** @type {(about: object, weights: number[]) => ArrayBuffer} a file as vae_core/storage/portable.py writes it */
function file(about, weights) {
  let text = JSON.stringify({ ...about, numbers: weights.length });
  if (text.length % 2) text += " ";
  const buffer = new ArrayBuffer(4 + text.length + 2 * weights.length);
  new DataView(buffer).setUint32(0, text.length, true);
  new Uint8Array(buffer, 4, text.length).set(new TextEncoder().encode(text));
  new Uint16Array(buffer, 4 + text.length).set(weights.map(half));
  return buffer;
}

/** @type {(count: number, seed: number) => number[]} */
const eighths = (count, seed) =>
  Array.from({ length: count }, (_, i) => Math.round(8 * Math.sin(seed + 1.7 * i + (i % 7))) / 8);

/** @type {(actual: ArrayLike<number>, expected: ArrayLike<number>, within?: number) => void} */
function near(actual, expected, within = 1e-5) {
  assert.equal(actual.length, expected.length);
  const off = Math.max(...Array.from(actual, (value, i) => Math.abs(value - expected[i])));
  assert.ok(off <= within, `off by ${off}`);
}

/** @type {(shape: number[], layers: object[], weights: number[], z: number[]) => Float32Array} */
const run = (shape, layers, weights, z) =>
  readDecoder(
    file({ layers: [{ kind: "shape", shape }, ...layers], latent_dim: z.length, likelihood: "gaussian" }, weights),
  ).params(Float32Array.from(z));

/** @type {(x: number[], side: number, weights: number[], k: Kernel) => number[]} */
function convolved(x, side, weights, { in: ins, out: outs, kernel, stride, padding }) {
  const size = Math.floor((side + 2 * padding - kernel) / stride) + 1;
  const bias = weights.slice(outs * ins * kernel * kernel);
  const inside = (/** @type {number} */ r) => r >= 0 && r < side;
  return Array.from({ length: outs * size * size }, (_, n) => {
    const [o, row, column] = [Math.floor(n / size / size), Math.floor(n / size) % size, n % size];
    let sum = bias[o];
    for (let i = 0; i < ins; i += 1)
      for (let k = 0; k < kernel * kernel; k += 1) {
        const [r, c] = [row * stride - padding + Math.floor(k / kernel), column * stride - padding + (k % kernel)];
        if (inside(r) && inside(c)) sum += weights[(o * ins + i) * kernel * kernel + k] * x[(i * side + r) * side + c];
      }
    return sum;
  });
}

/** @type {(x: number[], side: number, weights: number[], k: Kernel) => number[]} */
function spread(x, side, weights, { in: ins, out: outs, kernel, stride, padding }) {
  const size = side * stride;
  const bias = weights.slice(outs * ins * kernel * kernel);
  const y = Array.from({ length: outs * size * size }, (_, n) => bias[Math.floor(n / size / size)]);
  x.forEach((value, n) => {
    const [i, row, column] = [Math.floor(n / side / side), Math.floor(n / side) % side, n % side];
    for (let o = 0; o < outs; o += 1)
      for (let k = 0; k < kernel * kernel; k += 1) {
        const [r, c] = [row * stride - padding + Math.floor(k / kernel), column * stride - padding + (k % kernel)];
        if (r >= 0 && r < size && c >= 0 && c < size)
          y[(o * size + r) * size + c] += value * weights[(i * outs + o) * kernel * kernel + k];
      }
  });
  return y;
}

test("float16 patterns are read as their values", () => {
  const halves = Uint16Array.from([0x3c00, 0xc000, 0x3555, 0x0001, 0x8000, 0x7bff, 0x7c00, 0xfc00, 0x7e00]);
  const expected = [1, -2, 0.333251953125, 2 ** -24, -0, 65504, Infinity, -Infinity, NaN];
  assert.deepEqual([...fromHalves(halves)], expected);
});

test("a linear layer is W z + b, also where it has not a multiple of four inputs", () => {
  const [weights, z] = [eighths(3 * 7 + 3, 1), eighths(7, 2)];
  const expected = [0, 1, 2].map((o) => weights[21 + o] + z.reduce((sum, x, i) => sum + x * weights[7 * o + i], 0));
  near(run([7], [{ kind: "linear", in: 7, out: 3 }], weights, z), expected);
});

for (const [kernel, stride, padding] of [
  [3, 1, 1],
  [2, 1, 0],
  [1, 1, 0],
  [3, 2, 1],
  [5, 1, 2],
]) {
  test(`a convolution with kernel ${kernel}, stride ${stride} and padding ${padding} is its sum`, () => {
    const layer = { kind: "conv", in: 2, out: 3, kernel, stride, padding };
    const [weights, x] = [eighths(6 * kernel * kernel + 3, 3), eighths(2 * 36, 4)];
    near(run([2, 6, 6], [layer], weights, x), convolved(x, 6, weights, layer));
  });
}

for (const [kernel, stride, padding] of [
  [4, 2, 1],
  [3, 1, 1],
  [2, 2, 0],
]) {
  test(`a transposed convolution with kernel ${kernel}, stride ${stride} and padding ${padding} is its sum`, () => {
    const layer = { kind: "transposed", in: 2, out: 3, kernel, stride, padding };
    const [weights, x] = [eighths(6 * kernel * kernel + 3, 5), eighths(2 * 25, 6)];
    near(run([2, 5, 5], [layer], weights, x), spread(x, 5, weights, layer));
  });
}

test("a residual block adds its input, and activations leave theirs as it was", () => {
  const z = [-2, -0.5, 0, 3];
  const silu = (/** @type {number} */ x) => x / (1 + Math.exp(-x));
  const layers = [{ kind: "residual", layers: [{ kind: "relu" }, { kind: "silu" }] }];
  near(
    run([4], layers, [], z),
    z.map((x) => x + silu(Math.max(0, x))),
  );
});

test("decoding gives the mean of each likelihood", () => {
  const layers = [{ kind: "linear", in: 1, out: 784 }];
  const logits = Array.from({ length: 784 }, (_, i) => (i % 33) / 4 - 4);
  /** @type {(likelihood: string) => number[]} */
  const decoded = (likelihood) => [
    ...readDecoder(file({ layers, latent_dim: 1, likelihood }, [...logits, ...logits.map(() => 0)])).decode(
      Float32Array.of(1),
    ),
  ];
  near(decoded("gaussian"), logits);
  near(
    decoded("bernoulli"),
    logits.map((l) => 1 / (1 + Math.exp(-l))),
  );
  const mean = (/** @type {number} */ l) => (l === 0 ? 0.5 : 1 / (1 - Math.exp(-l)) - 1 / l);
  near(decoded("continuous_bernoulli"), logits.map(mean), 1e-6);
});
