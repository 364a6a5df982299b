import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import "./served/register.js";

const { costs, gradient, probabilities, readRecording } = await import("../../ui/live/theory/motion/recording.js");
const { LAST, Player, STAGES } = await import("../../ui/live/theory/motion/player.js");
const { STAGES: SAID } = await import("../../ui/live/theory/motion/stages.js");

const file = readFileSync(new URL("../../checkpoints/lessons/motion.safetensors", import.meta.url));
const recording = readRecording(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));

/** @param {number[]} values */
const sum = (values) => values.reduce((a, b) => a + b, 0);

test("what is read of the file adds up at every step", () => {
  assert.ok(recording.shots.length > 30);
  for (const shot of recording.shots) {
    const of = `step ${shot.step}`;
    assert.ok(Math.abs(sum([...costs(shot)]) - shot.error) < 0.05, of); // logits are float16
    const kl = sum(shot.q.mu.map((mu, j) => (shot.q.sigma[j] ** 2 + mu ** 2 - 1) / 2 - Math.log(shot.q.sigma[j])));
    assert.ok(Math.abs(kl - shot.kl) < 1e-4, of);
    for (const [j, z] of shot.z.entries())
      assert.ok(Math.abs(shot.q.mu[j] + shot.q.sigma[j] * shot.eps[j] - z) < 1e-5, of);
    for (const [j, mu] of shot.q.mu.entries())
      assert.ok(Math.abs(gradient(shot).mu[j] - shot.gradients.reconstruction.mu[j] - mu) < 1e-4, of);
    const made = probabilities(shot);
    assert.ok(Math.min(...made) >= 0 && Math.max(...made) <= 1, of);
    assert.equal(shot.x.length, 16);
    assert.equal(shot.made.length, recording.test.length);
  }
});

test("the loss of a batch is what its pixels and its KL cost", () => {
  const { loss, error, kl } = recording.curves;
  for (const [n, value] of loss.entries()) assert.ok(Math.abs(error[n] + kl[n] - value) < 1e-3);
});

test("the gradients that are read out add up as they are written", () => {
  for (const shot of recording.shots)
    for (const { parts } of SAID[5].cells(shot, recording)) {
      const [a, , b, , c] = (parts ?? []).map(({ text }) =>
        text.replaceAll("−", "-").slice(1, -1).split(", ").map(Number),
      );
      for (const [j, whole] of c.entries()) assert.ok(Math.abs(a[j] + b[j] - whole) < 1e-9);
    }
});

/**
 * A player that was played to its end, by a clock of its own, and the places that it has shown.
 *
 * @param {number[]} steps
 * @param {number} [speed]
 */
function played(steps, speed = 1) {
  /** @type {((time: number) => void)[]} */
  const waiting = [];
  globalThis.requestAnimationFrame = (then) => waiting.push(then);
  /** @type {(import("../../ui/live/theory/motion/player.js").Place & { rate: number, time: number })[]} */
  const places = [];
  let [time, ends] = [0, 0];
  const onMove = (/** @type {any} */ place) => places.push({ ...place, rate: player.rate, time });
  const player = new Player(steps, { onMove, onEnd: () => (ends += 1) });
  player.speed = speed;
  player.play(true);
  for (let next = waiting.shift(); next && time < 1e6; next = waiting.shift()) {
    next(time);
    time += 16;
  }
  return { player, places, ends, time };
}

const STEPS = recording.shots.map(({ step }) => step);

test("the first step shows its seven stages, and then it goes faster and faster to the last step", () => {
  const { player, places, ends } = played(STEPS);
  const first = places.filter(({ shot }) => shot === 0).map(({ stage }) => stage);
  assert.deepEqual([...new Set(first)], [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...new Set(places.map(({ shot }) => shot))], [...STEPS.keys()]);
  for (const [n, { rate }] of places.slice(1).entries()) assert.ok(rate >= places[n].rate - 1e-9);
  assert.ok(places[0].rate < 0.1 && Math.abs((places.at(-2)?.rate ?? 0) - 80) < 1e-6);
  assert.ok(places.every(({ way, stage }) => way >= 0 && way <= 1 && (way === 0 || stage === LAST)));
  assert.equal(ends, 1);
  assert.ok(player.isAtEnd && !player.isPlaying);
});

test("twice the speed takes half the time", () => {
  const [one, two] = [played(STEPS).time, played(STEPS, 2).time];
  assert.ok(Math.abs(one / two - 2) < 0.05);
});

test("a stage at a time goes both ways, over steps, and no further than the ends", () => {
  const player = new Player(STEPS, { onMove: () => {}, onEnd: () => assert.fail("it was not played") });
  player.step(-1);
  assert.deepEqual(player.place, { shot: 0, stage: 0, way: 0 });
  for (let n = 0; n < STAGES; n += 1) player.step(1);
  assert.deepEqual(player.place, { shot: 1, stage: 0, way: 0 });
  player.step(-1);
  assert.deepEqual(player.place, { shot: 0, stage: LAST, way: 0 });
  player.go({ shot: 1000, stage: 1000 });
  assert.ok(player.isAtEnd);
  player.step(1);
  assert.ok(player.isAtEnd);
});
