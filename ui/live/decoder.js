// A decoder that runs in the browser: reads the file of vae_core/portable.py, and turns z into pixels.

/** The float32 value of every float16 pattern. */
const HALVES = Float32Array.from({ length: 65536 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
});

/** The float32 values of float16 patterns. */
export function fromHalves(halves) {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < values.length; i += 1) values[i] = HALVES[halves[i]];
  return values;
}

/**
 * A decoder of the file's bytes (an ArrayBuffer): {about, params, decode}. params(z) gives the 784 parameters of p(x|z),
 * decode(z) E[x|z], as model.x_hat does; both the same Float32Array at every call, to be read before the next one.
 */
export function readDecoder(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const about = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const halves = new Uint16Array(buffer, 4 + length);
  let used = 0;
  const take = (count) => fromHalves(halves.subarray(used, (used += count)));
  const run = sequence(about.layers, { shape: [about.latent_dim] }, take);
  const pixel = PIXELS[about.likelihood];
  const pixels = new Float32Array(784);
  const decode = (z) => {
    const params = run(z);
    for (let i = 0; i < 784; i += 1) pixels[i] = pixel(params[i]);
    return pixels;
  };
  return { about, params: run, decode };
}

/** E[x|z] of a pixel from its parameter. */
const PIXELS = {
  bernoulli: (logit) => 1 / (1 + Math.exp(-logit)),
  continuous_bernoulli: (l) => (Math.abs(l) < 0.1 ? 0.5 + l / 12 - l ** 3 / 720 : 1 / -Math.expm1(-l) - 1 / l),
  gaussian: (mean) => mean,
};

/** Layers one after the other as one function; `at.shape` is what goes in, and after that what comes out. */
function sequence(layers, at, take) {
  const steps = layers.map((layer) => LAYERS[layer.kind](layer, at, take));
  return (x) => steps.reduce((value, step) => step(value), x);
}

const LAYERS = {
  linear(layer, at, take) {
    const [weight, bias] = [take(layer.in * layer.out), take(layer.out)];
    const y = new Float32Array(layer.out);
    at.shape = [layer.out];
    return (x) => {
      product(weight, x, bias, y, layer.in);
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
    const places = { rows, columns, stride, width: width + 2 * padding, size: (height + 2 * padding) * (width + 2 * padding) };
    return (x) => {
      const wide = padded(x);
      for (let o = 0; o < outs; o += 1) {
        const plane = y.subarray(o * rows * columns, (o + 1) * rows * columns).fill(bias[o]);
        for (let i = 0; i < ins; i += 1) gather(plane, wide, i, weight, (o * ins + i) * kernel * kernel, kernel, places);
      }
      return y;
    };
  },

  transposed(layer, at, take) {
    const { in: ins, out: outs, kernel, stride, padding } = layer;
    const [weight, bias] = [take(ins * outs * kernel * kernel), take(outs)];
    const [, height, width] = at.shape;
    const [rows, columns] = [height, width].map((size) => (size - 1) * stride - 2 * padding + kernel);
    at.shape = [outs, rows, columns];
    const y = new Float32Array(outs * rows * columns);
    return (x) => {
      for (let o = 0; o < outs; o += 1) {
        const plane = y.subarray(o * rows * columns, (o + 1) * rows * columns).fill(bias[o]);
        for (let i = 0; i < ins; i += 1) {
          const image = x.subarray(i * height * width, (i + 1) * height * width);
          scatter(plane, image, weight, (i * outs + o) * kernel * kernel, { kernel, stride, padding, rows, columns, height, width });
        }
      }
      return y;
    };
  },

  residual(layer, at, take) {
    const inner = sequence(layer.layers, at, take);
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

  relu: () => each((value) => (value > 0 ? value : 0)),
  silu: () => each((value) => value / (1 + Math.exp(-value))),
};

/** A function of each number, into an array of its own: what goes in may still be needed. */
function each(f) {
  let y = null;
  return (x) => {
    y ??= new Float32Array(x.length);
    for (let i = 0; i < x.length; i += 1) y[i] = f(x[i]);
    return y;
  };
}

/** y = weight · x + bias, four sums at a time. */
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

/** Puts images of channels × height × width into ones with a margin of zeros. */
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

/** Adds to a plane what one channel gives it: a cross-correlation with one kernel. */
function gather(plane, wide, channel, weight, first, kernel, { rows, columns, stride, width, size }) {
  if (kernel === 3 && stride === 1) return void gather3(plane, wide, channel * size, weight, first, rows, columns, width);
  for (let k = 0; k < kernel * kernel; k += 1) {
    const w = weight[first + k];
    const start = channel * size + Math.floor(k / kernel) * width + (k % kernel);
    for (let r = 0; r < rows; r += 1) {
      for (let c = 0, to = r * columns, from = start + r * stride * width; c < columns; c += 1, from += stride) plane[to + c] += w * wide[from];
    }
  }
}

/** The same for the 3×3 kernel, all nine at once: it is what residual blocks spend their time on. */
function gather3(plane, wide, start, weight, first, rows, columns, width) {
  const [a, b, c, d, e, f, g, h, i] = weight.subarray(first, first + 9);
  for (let r = 0, to = 0; r < rows; r += 1) {
    let x = start + r * width;
    for (const end = to + columns; to < end; to += 1, x += 1) {
      const [y, z] = [x + width, x + 2 * width];
      plane[to] += a * wide[x] + b * wide[x + 1] + c * wide[x + 2] + d * wide[y] + e * wide[y + 1] + f * wide[y + 2]
        + g * wide[z] + h * wide[z + 1] + i * wide[z + 2];
    }
  }
}

/** Adds to a plane what one channel gives it: the transpose of a strided cross-correlation. */
function scatter(plane, image, weight, first, { kernel, stride, padding, rows, columns, height, width }) {
  for (let k = 0; k < kernel * kernel; k += 1) {
    const w = weight[first + k];
    const [down, right] = [Math.floor(k / kernel) - padding, (k % kernel) - padding];
    for (let r = 0; r < height; r += 1) {
      const row = r * stride + down;
      if (row < 0 || row >= rows) continue;
      const [low, high] = [Math.max(0, Math.ceil(-right / stride)), Math.min(width, Math.ceil((columns - right) / stride))];
      for (let c = low, to = row * columns + low * stride + right; c < high; c += 1, to += stride) plane[to] += w * image[r * width + c];
    }
  }
}
