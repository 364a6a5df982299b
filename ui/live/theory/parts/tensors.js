// A file of named tensors (safetensors), as vae_core/storage/tensors.py describes it.

import { fromHalves } from "../../shared/wire.js";

/**
 * shape: outermost dimension first; data: all values, in that order.
 *
 * @typedef {{ shape: number[], data: Float32Array | Uint8Array }} Tensor
 */

/** @type {Record<string, (bytes: ArrayBuffer) => Float32Array | Uint8Array>} */
const KINDS = {
  F32: (bytes) => new Float32Array(bytes),
  F16: (bytes) => fromHalves(new Uint16Array(bytes)),
  U8: (bytes) => new Uint8Array(bytes),
};

/**
 * The metadata of a file and its tensors by name.
 *
 * @param {ArrayBuffer} buffer
 * @returns {{ metadata: Record<string, string>, tensors: Record<string, Tensor> }}
 */
export function readTensors(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const { __metadata__: metadata = {}, ...described } = JSON.parse(
    new TextDecoder().decode(new Uint8Array(buffer, 8, length)),
  );
  /** @type {Record<string, Tensor>} */
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: ends }] of Object.entries(described)) {
    const [from, to] = ends.map((/** @type {number} */ at) => 8 + length + at);
    tensors[name] = { shape, data: KINDS[dtype](buffer.slice(from, to)) };
  }
  return { metadata, tensors };
}

/**
 * The values of one entry of a tensor's first dimension.
 *
 * @param {Tensor} tensor
 * @param {number} n
 */
export function row({ shape, data }, n) {
  const size = data.length / shape[0];
  return data.subarray(n * size, (n + 1) * size);
}
