import assert from "node:assert/strict";
import test from "node:test";
import "./served/register.js";

const { imagesOf } = await import("../../ui/live/step/images.js");

const PIXELS = 784;
const base64 = (/** @type {number[]} */ greys) =>
  Buffer.from(greys.flatMap((grey) => new Array(PIXELS).fill(grey))).toString("base64");

/** Two images, three draws of each, two dimensions: what is of image n and draw l has n and l in its number. */
const BATCH = /** @type {import("../../ui/live/shared/types.js").Batch} */ (
  /** @type {unknown} */ ({
    x: base64([1, 2]),
    x_hat: base64([10, 20, 11, 21, 12, 22]),
    mu: [
      [0.1, 0],
      [0.2, 0],
    ],
    std: [
      [0.5, 1],
      [0.5, 1],
    ],
    samples: 3,
    draws: [10, 11, 12].map((l) => [
      [l, 0],
      [l + 10, 0],
    ]),
    eps: [10, 11, 12].map((l) => [
      [-l, 0],
      [-l - 10, 0],
    ]),
    terms: [10, 11, 12].map((l) => [l, l + 10]),
    reconstructions: [11, 21],
    kls: [5, 6],
  })
);

test("each image has its own draws, terms and pictures", () => {
  imagesOf(BATCH).forEach((image, n) => {
    const own = [10, 11, 12].map((l) => l + 10 * n);
    assert.deepEqual(image.terms, own);
    assert.deepEqual(
      image.draws.map(([z]) => z),
      own,
    );
    assert.deepEqual(
      image.eps.map(([eps]) => -eps),
      own,
    );
    assert.deepEqual(
      image.made.map((grey) => [grey.length, grey[0], grey[PIXELS - 1]]),
      own.map((grey) => [PIXELS, grey, grey]),
    );
    assert.deepEqual([image.x[0], image.reconstruction, image.kl], [n + 1, 11 + 10 * n, 5 + n]);
  });
});

test("pictures of q go as far as any of the draws, and at least to 3", () => {
  assert.deepEqual(
    imagesOf(BATCH).map(({ reach }) => reach),
    [22, 22],
  );
  const near = { ...BATCH, draws: BATCH.draws.map((draw) => draw.map(() => [0, 0])) };
  assert.deepEqual(
    imagesOf(near).map(({ reach }) => reach),
    [3, 3],
  );
});
