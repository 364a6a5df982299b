// What the address holds of the map.

/** plane: "principal", or two dimensions as "3,7"; scale: quantiles or square. */
export const choices = { plane: "", scale: "square" };
