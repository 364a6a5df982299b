// What the address holds of Latents beside the point, and of the cards.

/**
 * plane: "principal", or two dimensions as "3,7"; scale: quantiles or square; zoom: from and to across, from and to
 * upwards, as they are drawn, null for all of it; way: which way to move, or the first; card: the one of Theory, or the
 * first; short: whether its short way is gone.
 *
 * @type {{ plane: string, scale: string, zoom: number[] | null, way: string, card: string, short: string }}
 */
export const choices = { plane: "", scale: "square", zoom: null, way: "", card: "", short: "" };
