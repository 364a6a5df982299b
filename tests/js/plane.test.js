import assert from "node:assert/strict";
import test from "node:test";
import { plane, unit, zoomed } from "../../ui/live/space/plane.js";

const [c, s] = [Math.cos(0.6), Math.sin(0.6)];
const AXES = [
  [c, s, 0],
  [-s, c, 0],
];

/** @type {(actual: Iterable<number>, expected: number[]) => void} */
const near = (actual, expected) => {
  const values = [...actual];
  assert.equal(values.length, expected.length);
  values.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]) < 1e-6, `${values} is not ${expected}`);
  });
};

for (const quantiles of [true, false]) {
  const it = plane(AXES, 0.5, 2, quantiles, 15);

  test(`a point through another keeps what is off the plane, with quantiles ${quantiles}`, () => {
    const moved = it.through([1, -2, 3], [0.3, -0.7]);
    near(it.coordinates(moved), [0.3, -0.7]);
    near([moved[2]], [3]);
  });

  test(`a place is where its coordinate is drawn, with quantiles ${quantiles}`, () => {
    near(
      [0.3, -0.7].map((value, k) => it.at(it.drawn(value, k), k)),
      [0.3, -0.7],
    );
  });
}

test("all of it is drawn as far as it reaches", () => {
  assert.deepEqual(plane(AXES, 0.5, 2, true, 15).whole(1), [0, 1]);
  const centre = 0.5 * (c + s);
  near(plane(AXES, 0.5, 2, false, 15).whole(0), [centre - 15, centre + 15]);
});

test("the prior's mean is drawn in the middle of its quantiles", () => {
  const it = plane(AXES, 0.5, 2, true, 15);
  near(it.coordinates([0.5, 0.5, 0.5]).map(it.drawn), [0.5, 0.5]);
});

test("a unit vector has one 1", () => assert.deepEqual(unit(1, 3), [0, 1, 0]));

test("a window is zoomed about a place in it, else about its own middle", () => {
  const ranges = [
    [-1, 3],
    [0, 2],
  ];
  near(zoomed(ranges, [0, 0.5], 0.5).flat(), [-0.5, 1.5, 0.25, 1.25]);
  near(zoomed(ranges, [0, 5], 0.5).flat(), [0, 2, 0.5, 1.5]);
  near(zoomed(ranges, [-4, 1], 2).flat(), [-3, 5, -1, 3]);
});
