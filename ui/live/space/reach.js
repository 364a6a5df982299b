// How far the page's ranges go to either side of the prior's mean.

/**
 * How far a range goes: as far as the model's, which the server says, or doubled until it holds a value that lies
 * further out, as that of a drawing may.
 *
 * @param {number} ofModel
 * @param {number} off of the value from the prior's mean
 */
export const reachOf = (ofModel, off) => ofModel * 2 ** Math.max(0, Math.ceil(Math.log2(Math.abs(off) / ofModel)));
