// A decoder that runs in the browser: reads the file of vae_core/storage/portable.py, and turns z into pixels.

import { fromHalves, unpack } from "./wire.js";

/**
 * A layer as the file describes it; which fields it has depends on its kind, as vae_core/storage/portable.py says.
 *
 * @typedef {{
 *   kind: "linear" | "conv" | "transposed" | "residual" | "shape" | "relu" | "silu",
 *   in: number, out: number, kernel: number, stride: number, padding: number, shape: number[], layers: Layer[],
 * }} Layer
 * @typedef {{
 *   layers: Layer[], likelihood: keyof typeof PIXELS, latent_dim: number, prior_mean: number, prior_std: number,
 *   sigma: number | null, remainders: boolean,
 * }} About
 * @typedef {{ about: About, params: Step, decode: Step }} Decoder
 * @typedef {(x: Float32Array) => Float32Array} Step
 * @typedef {(count: number) => Float32Array} Take gives the next weights of the file
 * @typedef {{ shape: number[], count: number }} At count: how many points are decoded at once
 * @typedef {{ rows: number, columns: number, stride: number, width: number, size: number }} Places
 */

/**
 * A decoder of the file's bytes. params(z) gives the 784 parameters of p(x|z), decode(z) E[x|z], as model.x_hat does;
 * each gives the same Float32Array at every call, to be read before the next one.
 *
 * @param {ArrayBuffer} buffer
 * @param {number} [count] how many points z holds, one after the other: four at once take an mlp half the time
 * @returns {Decoder}
 */
export function readDecoder(buffer, count = 1) {
  const { about, halves } = /** @type {{ about: About, halves: Uint16Array }} */ (unpack(buffer));
  let used = 0;
  /** @type {Take} */
  const take = (count) => {
    const values = fromHalves(halves.subarray(used, used + count));
    if (about.remainders) {
      const start = halves.length / 2 + used;
      const rest = fromHalves(halves.subarray(start, start + count));
      for (let i = 0; i < count; i += 1) values[i] += rest[i];
    }
    used += count;
    return values;
  };
  const run = sequence(about.layers, { shape: [about.latent_dim], count }, take);
  const pixel = PIXELS[about.likelihood];
  const pixels = new Float32Array(784 * count);
  /** @type {Step} */
  const decode = (z) => {
    const params = run(z);
    for (let i = 0; i < pixels.length; i += 1) pixels[i] = pixel(params[i]);
    return pixels;
  };
  return { about, params: run, decode };
}

/** E[x|z] of a pixel from its parameter: a logit, or the mean itself. */
const PIXELS = {
  bernoulli: (/** @type {number} */ l) => 1 / (1 + Math.exp(-l)),
  continuous_bernoulli: (/** @type {number} */ l) =>
    Math.abs(l) < 0.1 ? 0.5 + l / 12 - l ** 3 / 720 : 1 / -Math.expm1(-l) - 1 / l,
  gaussian: (/** @type {number} */ mean) => mean,
};

/**
 * Layers one after the other as one function; `at.shape` is what goes in, and after that what comes out.
 *
 * @param {Layer[]} layers
 * @param {At} at
 * @param {Take} take
 * @returns {Step}
 */
function sequence(layers, at, take) {
  const steps = layers.map((layer) => LAYERS[layer.kind](layer, at, take));
  return (x) => steps.reduce((value, step) => step(value), x);
}

/** @type {Record<Layer["kind"], (layer: Layer, at: At, take: Take) => Step>} */
const LAYERS = {
  linear(layer, at, take) {
    const [weight, bias] = [take(layer.in * layer.out), take(layer.out)];
    const y = new Float32Array(layer.out * at.count);
    at.shape = [layer.out];
    const fours = layer.out > 1 ? at.count - (at.count % 4) : 0;
    return (x) => {
      for (let n = 0; n < fours; n += 4)
        product4(weight, x.subarray(n * layer.in), bias, y.subarray(n * layer.out), layer);
      for (let n = fours; n < at.count; n += 1)
        product(weight, x.subarray(n * layer.in), bias, y.subarray(n * layer.out, (n + 1) * layer.out), layer.in);
      return y;
    };
  },

  conv(layer, at, take) {
    const { in: ins, out: outs, kernel, stride, padding } = layer;
    const [weight, bias] = [take(ins * outs * kernel * kernel), take(outs)];
    const [, height, width] = at.shape;
    const padded = margin(ins, height, width, padding);
    const [rows, columns] = [height, width].map((size) => Math.floor((size + 2 * padding - kernel) / stride) + 1);
    at.shape = [outs, rows, columns];
    const y = new Float32Array(outs * rows * columns);
    const places = {
      rows,
      columns,
      stride,
      width: width + 2 * padding,
      size: (height + 2 * padding) * (width + 2 * padding),
    };
    return byPoint(at.count, (x) => {
      const wide = padded(x);
      for (let o = 0; o < outs; o += 1) {
        const plane = y.subarray(o * rows * columns, (o + 1) * rows * columns).fill(bias[o]);
        for (let i = 0; i < ins; i += 1)
          gather(plane, wide, i, weight, (o * ins + i) * kernel * kernel, kernel, places);
      }
      return y;
    });
  },

  /** Pixels of one phase (row and column modulo the stride) see the same part of the kernel: a convolution each. */
  transposed(layer, at, take) {
    const { in: ins, out: outs, kernel, stride } = layer;
    const [weight, bias] = [take(ins * outs * kernel * kernel), take(outs)];
    const [, height, width] = at.shape;
    at.shape = [outs, height * stride, width * stride];
    const taps = kernel / stride;
    const phases = Array.from({ length: stride * stride }, (_, n) =>
      phase(weight, layer, Math.floor(n / stride), n % stride),
    );
    const padded = margin(ins, height, width, taps - 1);
    const [wideHeight, wideWidth] = [height + 2 * (taps - 1), width + 2 * (taps - 1)];
    const places = { rows: height, columns: width, stride: 1, width: wideWidth, size: wideHeight * wideWidth };
    const [plane, y] = [new Float32Array(height * width), new Float32Array(outs * height * width * stride * stride)];
    return byPoint(at.count, (x) => {
      const wide = padded(x);
      for (let o = 0; o < outs; o += 1) {
        for (const { row, column, down, right, part } of phases) {
          plane.fill(bias[o]);
          const seen = wide.subarray(down * wideWidth + right);
          for (let i = 0; i < ins; i += 1) gather(plane, seen, i, part, (o * ins + i) * taps * taps, taps, places);
          for (let r = 0, from = 0; r < height; r += 1) {
            let to = ((o * height + r) * stride + row) * width * stride + column;
            for (let c = 0; c < width; c += 1, from += 1, to += stride) y[to] = plane[from];
          }
        }
      }
      return y;
    });
  },

  residual(layer, at, take) {
    const inner = sequence(layer.layers, at, take);
    /** @type {Float32Array | null} */
    let kept = null;
    return (x) => {
      kept ??= new Float32Array(x.length);
      kept.set(x);
      const y = inner(x);
      for (let i = 0; i < y.length; i += 1) y[i] += kept[i];
      return y;
    };
  },

  shape(layer, at) {
    at.shape = layer.shape;
    return (x) => x;
  },

  relu: () => each((value) => Math.max(0, value)),
  silu: () => each((value) => value / (1 + Math.exp(-value))),
};

/**
 * A layer that knows one point, applied to each of several.
 *
 * @param {number} count
 * @param {Step} step
 * @returns {Step}
 */
function byPoint(count, step) {
  if (count === 1) return step;
  /** @type {Float32Array | null} */
  let all = null;
  return (x) => {
    const size = x.length / count;
    for (let n = 0; n < count; n += 1) {
      const y = step(x.subarray(n * size, (n + 1) * size));
      all ??= new Float32Array(count * y.length);
      all.set(y, n * y.length);
    }
    return all ?? x;
  };
}

/**
 * A function of each number, into an array of its own: what goes in may still be needed.
 *
 * @param {(value: number) => number} f
 * @returns {Step}
 */
function each(f) {
  /** @type {Float32Array | null} */
  let y = null;
  return (x) => {
    y ??= new Float32Array(x.length);
    for (let i = 0; i < x.length; i += 1) y[i] = f(x[i]);
    return y;
  };
}

/**
 * y = weight · x + bias, four sums at a time.
 *
 * @param {Float32Array} weight
 * @param {Float32Array} x
 * @param {Float32Array} bias
 * @param {Float32Array} y
 * @param {number} ins
 */
function product(weight, x, bias, y, ins) {
  const end = ins - (ins % 4);
  for (let o = 0, w = 0; o < y.length; o += 1) {
    let [a, b, c, d] = [bias[o], 0, 0, 0];
    for (let i = 0; i < end; i += 4, w += 4) {
      a += weight[w] * x[i];
      b += weight[w + 1] * x[i + 1];
      c += weight[w + 2] * x[i + 2];
      d += weight[w + 3] * x[i + 3];
    }
    for (let i = end; i < ins; i += 1, w += 1) a += weight[w] * x[i];
    y[o] = a + b + c + d;
  }
}

/**
 * The same for four points at once, two numbers of each: every weight is read once for all of them.
 *
 * @param {Float32Array} weight
 * @param {Float32Array} x
 * @param {Float32Array} bias
 * @param {Float32Array} y
 * @param {{ in: number, out: number }} layer
 */
function product4(weight, x, bias, y, { in: ins, out: outs }) {
  for (let next = 0; next < outs; next += 2) {
    const o = Math.min(next, outs - 2); // of an odd number of outputs, one is computed twice
    let a0 = bias[o];
    let [b0, c0, d0] = [a0, a0, a0];
    let a1 = bias[o + 1];
    let [b1, c1, d1] = [a1, a1, a1];
    for (let i = 0, w = o * ins, v = w + ins; i < ins; i += 1, w += 1, v += 1) {
      const first = weight[w];
      const second = weight[v];
      const a = x[i];
      const b = x[i + ins];
      const c = x[i + 2 * ins];
      const d = x[i + 3 * ins];
      a0 += first * a;
      b0 += first * b;
      c0 += first * c;
      d0 += first * d;
      a1 += second * a;
      b1 += second * b;
      c1 += second * c;
      d1 += second * d;
    }
    y[o] = a0;
    y[o + outs] = b0;
    y[o + 2 * outs] = c0;
    y[o + 3 * outs] = d0;
    y[o + 1] = a1;
    y[o + 1 + outs] = b1;
    y[o + 1 + 2 * outs] = c1;
    y[o + 1 + 3 * outs] = d1;
  }
}

/**
 * Puts images of channels × height × width into ones with a margin of zeros.
 *
 * @param {number} channels
 * @param {number} height
 * @param {number} width
 * @param {number} padding
 * @returns {Step}
 */
function margin(channels, height, width, padding) {
  if (padding === 0) return (x) => x;
  const [rows, columns] = [height + 2 * padding, width + 2 * padding];
  const wide = new Float32Array(channels * rows * columns);
  return (x) => {
    for (let c = 0; c < channels; c += 1) {
      for (let r = 0; r < height; r += 1) {
        const from = (c * height + r) * width;
        wide.set(x.subarray(from, from + width), (c * rows + r + padding) * columns + padding);
      }
    }
    return wide;
  };
}

/**
 * Adds to a plane what one channel gives it: a cross-correlation with one kernel.
 *
 * @param {Float32Array} plane
 * @param {Float32Array} wide the channels with their margin
 * @param {number} channel
 * @param {Float32Array} weight
 * @param {number} first where the kernel begins in it
 * @param {number} kernel its side
 * @param {Places} places
 */
function gather(plane, wide, channel, weight, first, kernel, places) {
  const start = channel * places.size;
  if (kernel === 3 && places.stride === 1) gather3(plane, wide, start, weight, first, places);
  else if (kernel === 2 && places.stride === 1) gather2(plane, wide, start, weight, first, places);
  else gatherAny(plane, wide, start, weight, first, kernel, places);
}

/**
 * @param {Float32Array} plane
 * @param {Float32Array} wide
 * @param {number} begin
 * @param {Float32Array} weight
 * @param {number} first
 * @param {number} kernel
 * @param {Places} places
 */
function gatherAny(plane, wide, begin, weight, first, kernel, { rows, columns, stride, width }) {
  for (let k = 0; k < kernel * kernel; k += 1) {
    const w = weight[first + k];
    const start = begin + Math.floor(k / kernel) * width + (k % kernel);
    for (let r = 0; r < rows; r += 1) {
      for (let c = 0, to = r * columns, from = start + r * stride * width; c < columns; c += 1, from += stride)
        plane[to + c] += w * wide[from];
    }
  }
}

/**
 * The same for the 3×3 kernel, on which residual blocks spend their time: all nine at once, and each number that the
 * window moves over is read once.
 *
 * @param {Float32Array} plane
 * @param {Float32Array} wide
 * @param {number} start
 * @param {Float32Array} weight
 * @param {number} first
 * @param {Places} places
 */
function gather3(plane, wide, start, weight, first, { rows, columns, width }) {
  // Numbers one by one, and no [a, b] = …, which takes twice as long.
  const a = weight[first];
  const b = weight[first + 1];
  const c = weight[first + 2];
  const d = weight[first + 3];
  const e = weight[first + 4];
  const f = weight[first + 5];
  const g = weight[first + 6];
  const h = weight[first + 7];
  const i = weight[first + 8];
  for (let r = 0, to = 0; r < rows; r += 1) {
    let x = start + r * width;
    let y = x + width;
    let z = y + width;
    let x0 = wide[x];
    let x1 = wide[x + 1];
    let y0 = wide[y];
    let y1 = wide[y + 1];
    let z0 = wide[z];
    let z1 = wide[z + 1];
    for (const end = to + columns; to < end; to += 1, x += 1, y += 1, z += 1) {
      const x2 = wide[x + 2];
      const y2 = wide[y + 2];
      const z2 = wide[z + 2];
      plane[to] += a * x0 + b * x1 + c * x2 + (d * y0 + e * y1 + f * y2) + (g * z0 + h * z1 + i * z2);
      x0 = x1;
      x1 = x2;
      y0 = y1;
      y1 = y2;
      z0 = z1;
      z1 = z2;
    }
  }
}

/**
 * And for 2×2, on which transposed convolutions to twice the size spend theirs.
 *
 * @param {Float32Array} plane
 * @param {Float32Array} wide
 * @param {number} start
 * @param {Float32Array} weight
 * @param {number} first
 * @param {Places} places
 */
function gather2(plane, wide, start, weight, first, { rows, columns, width }) {
  const a = weight[first];
  const b = weight[first + 1];
  const c = weight[first + 2];
  const d = weight[first + 3];
  for (let r = 0, to = 0; r < rows; r += 1) {
    let x = start + r * width;
    let y = x + width;
    let x0 = wide[x];
    let y0 = wide[y];
    for (const end = to + columns; to < end; to += 1, x += 1, y += 1) {
      const x1 = wide[x + 1];
      const y1 = wide[y + 1];
      plane[to] += a * x0 + b * x1 + (c * y0 + d * y1);
      x0 = x1;
      y0 = y1;
    }
  }
}

/**
 * What the pixels of one phase of a transposed convolution see: part, the kernels of out × in × taps × taps, to be
 * correlated with the input in its margin, from (down, right) on.
 *
 * @param {Float32Array} weight
 * @param {Layer} layer
 * @param {number} row
 * @param {number} column
 */
function phase(weight, { in: ins, out: outs, kernel, stride, padding }, row, column) {
  const taps = kernel / stride;
  const [firstRow, firstColumn] = [(row + padding) % stride, (column + padding) % stride];
  const part = new Float32Array(outs * ins * taps * taps);
  for (let o = 0, to = 0; o < outs; o += 1) {
    for (let i = 0; i < ins; i += 1) {
      for (let r = taps - 1; r >= 0; r -= 1) {
        const from = ((i * outs + o) * kernel + firstRow + stride * r) * kernel + firstColumn;
        for (let c = taps - 1; c >= 0; c -= 1, to += 1) part[to] = weight[from + stride * c];
      }
    }
  }
  return {
    row,
    column,
    down: (row + padding - firstRow) / stride,
    right: (column + padding - firstColumn) / stride,
    part,
  };
}
