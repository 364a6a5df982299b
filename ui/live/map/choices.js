// What the address holds of Latents, beside the point.

/** plane: "principal", or two dimensions as "3,7"; scale: quantiles or square; way: which way to move, or the first. */
export const choices = { plane: "", scale: "square", way: "" };
