import assert from "node:assert/strict";
import test from "node:test";
import "./served/register.js";

const FUNCTION = "http://here/vae/gradio_api/component_server/";
const FILE = "http://here/vae/live/photo";

/** @type {Response | Error} */
let answer;
globalThis.fetch = async () => {
  if (answer instanceof Error) throw answer;
  return answer;
}; // what the module finds, and asks
const { onForeign } = await import("../../ui/live/shared/front.js");

/** @param {number} status */
const page = (status) => new Response("<html>No.</html>", { status, headers: { "Content-Type": "text/html" } });

/**
 * What the page hears instead of an answer.
 *
 * @param {Response} given
 * @param {string | Request} address
 * @param {BodyInit} [body]
 */
async function heard(given, address = FILE, body = undefined) {
  answer = given;
  const found = await fetch(address, { method: "POST", body });
  return { status: found.status, ...(await found.json()) };
}

test("what the server answers comes as it is", async () => {
  for (const own of [
    Response.json({ ink: "" }),
    new Response(new Uint8Array(3), { headers: { "Content-Type": "image/gif" } }),
    new Response(null, { status: 200 }),
    Response.json({ error: "The file is over the limit of 20 MB." }, { status: 413 }),
    Response.json({ error: null }, { status: 500 }),
  ]) {
    answer = own;
    assert.equal(await fetch(FILE), own);
  }
});

test("a status is a sentence", async () => {
  const said = {
    200: "Something in front of the server answers in its place: reload the page.",
    401: "The server asks for name and password again: reload the page.",
    403: "The server in front refused the request (403).",
    404: "There is nothing at that address (404).",
    429: "The server in front refused the request, because there were too many (429).",
    500: "The server failed at the request (500).",
    502: "The server in front does not reach the app (502).",
    503: "The server in front does not reach the app (503).",
    504: "The server in front has waited too long for the app (504).",
  };
  for (const [status, error] of Object.entries(said))
    assert.deepEqual(await heard(page(Number(status))), { status: 502, error, silent: true });
});

test("what was too large is told with its size", async () => {
  const file = new Blob([new Uint8Array(4_000_000)]);
  assert.equal((await heard(page(413), FILE, file)).error, "The server in front refused a file of 4.0 MB (413).");
  const film = new Uint8Array(23_520);
  assert.equal((await heard(page(413), FILE, film)).error, "The server in front refused a file of 24 kB (413).");
  assert.equal((await heard(page(413))).error, "The server in front refused the request (413).");
  const question = "x".repeat(67_000);
  assert.equal((await heard(page(413), FILE, question)).error, "The server in front refused a request of 67 kB (413).");
});

test("a server function answers with 200, as Gradio's client hands on nothing else", async () => {
  const request = new Request(FUNCTION.slice(0, -1), { method: "POST", body: "{}" });
  for (const address of [FUNCTION, request]) {
    const error = "The server in front does not reach the app (502).";
    assert.deepEqual(await heard(page(502), address), { status: 200, error, silent: true });
  }
  const missing = Response.json({ detail: "Function not found." }, { status: 404 });
  assert.deepEqual(await heard(missing, FUNCTION), { status: 200, error: "Function not found.", silent: true });
});

test("the server's own words keep their status, and only others are told to who listens", async () => {
  /** @type {string[]} */
  const told = [];
  onForeign((sentence) => told.push(sentence));
  const own = Response.json({ detail: "Incorrect credentials." }, { status: 400 });
  assert.deepEqual(await heard(own), { status: 400, error: "Incorrect credentials.", silent: true });
  const { error } = await heard(page(413), FILE, new FormData());
  assert.deepEqual(told, [error]);
  assert.equal(error, "The server in front refused the request (413).");
});

test("where no answer comes, who listens is told, but not of a question that was taken back", async () => {
  /** @type {string[]} */
  const told = [];
  onForeign((sentence) => told.push(sentence));
  for (const error of [new TypeError("Failed to fetch"), new DOMException("", "AbortError")]) {
    answer = error;
    await assert.rejects(fetch(FILE), error);
  }
  assert.deepEqual(told, ["The server does not answer."]);
});

test("words in another form than the server's are found, and what is no words is not shown", async () => {
  const cases = /** @type {[unknown, number, RegExp][]} */ ([
    [{ detail: "There is no such picture." }, 404, /^There is no such picture.$/],
    [{ detail: { error: "Not authenticated", auth_message: null } }, 401, /name and password/],
    [{ detail: "Log in first." }, 401, /name and password/],
    [{ message: "Request Too Long" }, 413, /\(413\)/],
    [{ error: { code: 403 } }, 403, /\(403\)/],
    ["Forbidden", 403, /\(403\)/],
    [null, 403, /\(403\)/],
  ]);
  for (const [told, status, error] of cases) assert.match((await heard(Response.json(told, { status }))).error, error);
  const cut = new Response('{"error": "The', { status: 403, headers: { "Content-Type": "application/json" } });
  assert.match((await heard(cut)).error, /\(403\)/);
});
