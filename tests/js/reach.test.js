import assert from "node:assert/strict";
import test from "node:test";
import { reachOf } from "../../ui/live/space/reach.js";

test("a range goes as far as the model's, or is doubled until it holds a value", () => {
  for (const off of [0, 3, -4]) assert.equal(reachOf(4, off), 4);
  assert.equal(reachOf(4, 4.1), 8);
  assert.equal(reachOf(4, -15), 16);
  assert.equal(reachOf(15.75, 100), 126);
});
