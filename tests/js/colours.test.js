import assert from "node:assert/strict";
import test from "node:test";
import { colourOf } from "../../ui/live/map/colours.js";

test("as many labels as EMNIST has are of different colours", () => {
  const colours = Array.from({ length: 62 }, (_, label) => colourOf(label));
  assert.equal(new Set(colours).size, 62);
  for (const colour of colours) assert.match(colour, /^(#[0-9a-f]{6}|hsl\(\d{1,3}, 65%, \d\d%\))$/);
});
