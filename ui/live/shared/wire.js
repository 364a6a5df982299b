// Files of `packed` of vae_core/storage/portable.py: a description, many numbers as float16, and bytes.

/** The float32 value of every float16 pattern. */
const HALVES = Float32Array.from({ length: 65536 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
});

/**
 * The float32 values of float16 patterns.
 *
 * @param {Uint16Array} halves
 */
export function fromHalves(halves) {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < values.length; i += 1) values[i] = HALVES[halves[i]];
  return values;
}

/**
 * The parts of a file: its description, the numbers as float16 patterns, and the bytes after them.
 *
 * @param {ArrayBuffer} buffer
 * @returns {{ about: any, halves: Uint16Array, rest: Uint8Array }}
 */
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const about = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const start = 4 + length;
  return {
    about,
    halves: new Uint16Array(buffer, start, about.numbers),
    rest: new Uint8Array(buffer, start + 2 * about.numbers),
  };
}
