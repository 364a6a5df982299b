import assert from "node:assert/strict";
import test from "node:test";
import { read, stepped } from "../../ui/live/shared/number.js";

test("a number is read with a point or a comma", () => {
  const pairs = { 0.5: 0.5, "0,5": 0.5, " ,5": 0.5, "−2,5": -2.5, "1e-3": 0.001, 12: 12 };
  for (const [text, value] of Object.entries(pairs)) assert.equal(read(text), value);
  for (const text of ["", "  ", "x", "1,2,3", "1.2.3"]) assert.ok(Number.isNaN(read(text)), text);
});

test("a step goes to the next multiple, and not beyond a bound", () => {
  const limits = { low: 0, high: 1000, step: 0.1 };
  assert.equal(stepped(1, 1, limits), 1.1);
  assert.equal(stepped(1.1, 1, limits), 1.2);
  assert.equal(stepped(0.3, -1, limits), 0.2); // 0.3 / 0.1 is a little less than 3
  assert.equal(stepped(0.55, 1, limits), 0.6);
  assert.equal(stepped(0.1, -1, limits), 0);
  assert.equal(stepped(0, -1, limits), 0);
  assert.equal(stepped(1000, 1, limits), 1000);
  assert.equal(stepped(5000, -1, limits), 1000);
  assert.equal(stepped(-0.1, -1, { step: 0.1 }), -0.2); // without bounds
});

test("without a step of its own a number moves by a tenth of its leading digit's unit", () => {
  const limits = { low: 0, high: 1, step: null };
  assert.equal(stepped(0.01, 1, limits), 0.011);
  assert.equal(stepped(0.01, -1, limits), 0.0099);
  assert.equal(stepped(0.0099, 1, limits), 0.01);
  assert.equal(stepped(0.0025, -1, limits), 0.0024);
  assert.equal(stepped(0.95, 1, limits), 0.96);
  assert.equal(stepped(1, 1, limits), 1);
  let value = 1e-4; // it goes up and down by the same places, and never to 0
  for (let n = 0; n < 200; n += 1) value = stepped(value, -1, limits);
  assert.ok(value > 0 && value < 1e-5);
  for (let n = 0; n < 200; n += 1) value = stepped(value, 1, limits);
  assert.equal(value, 1e-4);
});
