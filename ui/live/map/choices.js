// What the address holds of the map.

/**
 * plane: "principal", or two dimensions as "3,7"; scale: quantiles or square; zoom: from and to across, from and to
 * upwards, as they are drawn; null for all of it.
 *
 * @type {{ plane: string, scale: string, zoom: number[] | null }}
 */
export const choices = { plane: "", scale: "square", zoom: null };
