import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as after } from "node:timers/promises";
import "./served/register.js";

const { answerOf, answerTo, debounced, failed, fileOf, newest, oneAtATime, throttled } = await import(
  "../../ui/live/shared/ask.js"
);

test("only the newest question is the newest", () => {
  const turn = newest();
  const first = turn();
  assert.ok(first());
  const second = turn();
  assert.deepEqual([first(), second()], [false, true]);
  turn();
  assert.deepEqual([first(), second()], [false, false]);
});

test("two kinds of questions do not disturb each other", () => {
  const [one, other] = [newest(), newest()];
  const isNewest = one();
  other();
  assert.ok(isNewest());
});

/** @param {import("node:test").TestContext} t whose time moves only by the function that this gives */
function clock(t) {
  let now = 1000;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(performance, "now", () => now);
  return (ms) => {
    now += ms;
    t.mock.timers.tick(ms);
  };
}

test("many calls are one, after the last of them", (t) => {
  const pass = clock(t);
  const act = t.mock.fn();
  const soon = debounced(act, 20);
  for (let n = 0; n < 5; n += 1) {
    soon();
    pass(19);
  }
  assert.equal(act.mock.callCount(), 0);
  pass(1);
  assert.equal(act.mock.callCount(), 1);
  pass(100);
  assert.equal(act.mock.callCount(), 1);
});

test("a call that waits can be cancelled, or be made sooner", (t) => {
  const pass = clock(t);
  const act = t.mock.fn();
  const soon = debounced(act, 1000);
  soon();
  soon.cancel();
  pass(2000);
  assert.equal(act.mock.callCount(), 0);
  soon();
  soon(5);
  pass(5);
  assert.equal(act.mock.callCount(), 1);
  pass(2000);
  assert.equal(act.mock.callCount(), 1);
});

test("throttled calls come at once, then at their pace, and the last one is made", (t) => {
  const pass = clock(t);
  const act = t.mock.fn();
  const soon = throttled(act, 80);
  soon();
  pass(0);
  assert.equal(act.mock.callCount(), 1);
  pass(30);
  soon();
  soon();
  pass(49);
  assert.equal(act.mock.callCount(), 1);
  pass(1);
  assert.equal(act.mock.callCount(), 2);
  soon();
  soon.cancel();
  pass(200);
  assert.equal(act.mock.callCount(), 2);
});

test("one question is asked at a time, and the last one always", async () => {
  /** @type {((answer: number) => void)[]} */
  const answering = [];
  /** @type {number[]} */
  const asked = [];
  /** @type {number[]} */
  const heard = [];
  const ask = oneAtATime(
    (/** @type {number} */ n) => {
      asked.push(n);
      return new Promise((/** @type {(answer: { twice: number }) => void} */ resolve) => {
        answering.push((twice) => resolve({ twice }));
      });
    },
    (answer, n) => {
      if (!failed(answer)) heard.push(n, answer.twice);
    },
  );
  const done = [1, 2, 3].map(ask);
  assert.deepEqual(asked, [1]);
  answering[0](2);
  await after(1);
  assert.deepEqual(asked, [1, 3]);
  answering[1](6);
  await Promise.all(done);
  assert.deepEqual(heard, [1, 2, 3, 6]);
});

test("an answer comes as it is", async () => {
  assert.deepEqual(await answerOf(Promise.resolve({ x: 1 })), { x: 1 });
  assert.ok(failed(await answerOf(Promise.resolve({ error: "No." }))));
});

/**
 * Answers every fetch by the function until the test ends.
 *
 * @param {import("node:test").TestContext} t
 * @param {(address: string, init?: RequestInit) => Promise<Response>} answer
 */
function answering(t, answer) {
  globalThis.location = /** @type {Location} */ ({ origin: "http://here", pathname: "/vae" });
  t.mock.method(globalThis, "fetch", (/** @type {URL} */ address, /** @type {RequestInit} */ init) =>
    answer(String(address), init),
  );
}
const away = () => Promise.reject(new TypeError("Failed to fetch"));

test("where no answer comes, it is said why", async (t) => {
  /** @type {unknown[]} */
  const asked = [];
  answering(t, async (address, init) => {
    asked.push(address, init?.redirect);
    return Response.json({ error: "Elsewhere." }, { status: 502 });
  });
  assert.deepEqual(await answerOf(Promise.resolve(undefined)), { error: "Elsewhere.", silent: true });
  assert.deepEqual(asked, ["http://here/vae/gradio_api/login_check", "manual"]);
  answering(t, away);
  assert.deepEqual(await answerOf(away()), { error: "The server does not answer.", silent: true });
});

test("a file comes with its headers, or there is a sentence", async (t) => {
  answering(t, async () => new Response("bytes", { headers: { "Map-Dimensions": "1 2" } }));
  const found = await fileOf(new URL("http://here/file"));
  assert.ok(!failed(found));
  assert.deepEqual([await found.file.text(), found.headers.get("Map-Dimensions")], ["bytes", "1 2"]);
  answering(t, async () => Response.json({ error: "There is no such picture." }, { status: 404 }));
  assert.deepEqual(await fileOf(new URL("http://here/file")), { error: "There is no such picture." });
  answering(t, away);
  assert.deepEqual(await fileOf(new URL("http://here/file")), { error: "The server does not answer.", silent: true });
});

test("a file that breaks off in the middle is said to", async (t) => {
  const pull = (/** @type {ReadableStreamDefaultController} */ controller) => controller.error(new TypeError("cut"));
  answering(t, async () => new Response(new ReadableStream({ pull })));
  const sentence = "The server broke off in the middle of the file.";
  assert.deepEqual(await fileOf(new URL("http://here/file")), { error: sentence, silent: true });
});

test("a file is posted, and its answer comes", async (t) => {
  /** @type {unknown[]} */
  const posted = [];
  answering(t, async (address, init) => {
    posted.push(address, init?.method, await new Response(init?.body).text());
    return Response.json({ run: "one" });
  });
  assert.deepEqual(await answerTo(new URL("http://here/upload"), new Blob(["weights"])), { run: "one" });
  assert.deepEqual(posted, ["http://here/upload", "POST", "weights"]);
});
