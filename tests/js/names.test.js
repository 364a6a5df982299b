import assert from "node:assert/strict";
import test from "node:test";
import "./served/register.js";

const { apart, differing, named } = await import("../../ui/live/compare/names.js");

/** @param {Record<string, string | number>} settings */
const row = (settings, name = "", created = "2026-01-01 10:00:00") => ({
  name,
  title: name || "MNIST",
  created,
  settings,
});

test("runs are named by the settings in which they differ, in words", () => {
  const rows = [row({ likelihood: "bernoulli", beta: 1 }), row({ likelihood: "continuous_bernoulli", beta: 1 })];
  assert.deepEqual(named(rows), ["likelihood = Bernoulli", "likelihood = continuous Bernoulli"]);
});

test("a name of one's own comes first", () => {
  assert.deepEqual(named([row({ beta: 1 }, "mine"), row({ beta: 4 })]), ["mine, β = 1", "β = 4"]);
});

test("a setting that the vocabulary does not know is called by its own name", () => {
  assert.deepEqual(named([row({ width: 1 }), row({ width: 2 })]), ["width = 1", "width = 2"]);
});

test("runs that do not differ are told apart by their time", () => {
  const rows = [row({ beta: 1 }, "", "2026-01-01 10:00:00"), row({ beta: 1 }, "", "2026-01-02 11:30:00")];
  assert.deepEqual(named(rows), ["MNIST (10:00:00)", "MNIST (11:30:00)"]);
});

test("a run alone is called by its title", () => assert.deepEqual(named([row({ beta: 1 })]), ["MNIST"]));

test("a setting without effect in one of the runs tells them apart too", () => {
  const rows = [row({ beta: 1 }), row({ beta: 1, likelihood: "bernoulli" })];
  assert.deepEqual(differing(rows), ["likelihood"]);
  assert.deepEqual(named(rows), ["MNIST", "likelihood = Bernoulli"]);
});

test("only the same labels get their time", () => {
  assert.deepEqual(apart(["a", "b", "a"], [row({}), row({}), row({})]), ["a (10:00:00)", "b", "a (10:00:00)"]);
});

test("long names go over several lines", () => {
  const settings = ["one", "two", "three", "four"].map((name) => `${name} ${name.repeat(10)}`);
  const rows = [1, 2].map((n) => row(Object.fromEntries(settings.map((name) => [name, n]))));
  const [first] = named(rows);
  const lines = first.split("<br>");
  assert.ok(lines.length > 1 && Math.max(...lines.map((line) => line.length)) < 80);
  assert.equal(lines.join(" "), settings.map((name) => `${name} = 1`).join(", "));
});

test("no runs have no names", () => assert.deepEqual(named([]), []));
