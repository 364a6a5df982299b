import assert from "node:assert/strict";
import test from "node:test";
import "./served/register.js";

const { covariance, fullKl, ownKl, turned } = await import("../../ui/live/theory/promises/turn.js");

const MU = [1.3, -0.4];
const STD = [0.2, 0.7];
const ANGLES = [-3, -1.1, 0, 0.4, Math.PI / 2, 2.2];
/** @param {number} a @param {number} b */
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

test("a rotation leaves the KL as it is, and its determinant and trace", () => {
  for (const angle of ANGLES) {
    const full = covariance(STD, angle);
    near(fullKl(turned(MU, angle), full), ownKl(MU[0], STD[0] ** 2) + ownKl(MU[1], STD[1] ** 2));
    near(full.xx + full.yy, STD[0] ** 2 + STD[1] ** 2);
    near(full.xx * full.yy - full.xy ** 2, (STD[0] * STD[1]) ** 2);
  }
});

test("a quarter turn swaps the dimensions, and the KL of each by itself does not add up in between", () => {
  const quarter = Math.PI / 2;
  const { xx, yy } = covariance(STD, quarter);
  const [x, y] = turned(MU, quarter);
  near(ownKl(x, xx), ownKl(MU[1], STD[1] ** 2));
  near(ownKl(y, yy), ownKl(MU[0], STD[0] ** 2));
  const half = covariance(STD, Math.PI / 4);
  const [u, v] = turned(MU, Math.PI / 4);
  assert.ok(ownKl(u, half.xx) + ownKl(v, half.yy) < fullKl([u, v], half) - 0.1); // the rest is their dependence
});
