import assert from "node:assert/strict";
import { test } from "node:test";
import { figures } from "../../ui/live/meter/figures.js";

const OFF = 0.015 + 1e-9; // nats: three roundings to two digits

const terms = (reconstruction, kl, above) => ({
  reconstruction_term: reconstruction,
  kl,
  elbo: reconstruction - kl,
  log_px: reconstruction - kl + above,
});

test("one digit is shown where the rounded numbers add up, else two", () => {
  assert.equal(figures(terms(-75.34, 25.14, 1.22), null).digits, 2); // −75.3 − 25.1 is not −100.5
  assert.equal(figures(terms(-75.31, 25.11, 1.22), null).digits, 1);
  assert.equal(figures(terms(-75.314, 25.114, 1.224), null).digits, 1);
  assert.equal(figures(terms(-75.344, 25.144, 1.22), null).shown.elbo.toFixed(2), "-100.48"); // not −100.49
});

test("what is shown adds up with two digits at most, and is hardly off", () => {
  const [worst, counts] = [{ elbo: 0, amortization: 0, approximation: 0 }, new Set()];
  for (let i = 0; i < 500; i++) {
    const [reconstruction, kl, above] = [
      -50 - 17.123457 * Math.sin(i),
      5 + 0.7654321 * Math.cos(3 * i),
      1.23456 + Math.cos(i),
    ];
    const known = terms(reconstruction, kl, above);
    const { elbo } = known;
    const encoder = { reconstruction_term: reconstruction - 1, kl, elbo: elbo - 1.6180339 * (2 + Math.sin(i)) };
    const best = i % 2 ? elbo : elbo + 0.1 * above;
    const { shown, amortization, approximation, digits } = figures(known, { encoder, best });
    const hundredths = (value) => Math.round(Number(value?.toFixed(digits)) * 100);
    assert.ok(digits === 1 || digits === 2);
    assert.equal(hundredths(shown.reconstruction_term) - hundredths(shown.kl), hundredths(shown.elbo));
    assert.equal(hundredths(shown.elbo) + hundredths(shown.log_px - shown.elbo), hundredths(shown.log_px));
    assert.equal(hundredths(amortization) + hundredths(approximation), hundredths(amortization + approximation));
    counts.add(digits);
    worst.elbo = Math.max(worst.elbo, Math.abs(shown.elbo - elbo));
    worst.amortization = Math.max(worst.amortization, Math.abs(amortization - (best - encoder.elbo)));
    worst.approximation = Math.max(worst.approximation, Math.abs(approximation - (elbo + above - best)));
  }
  assert.deepEqual([...counts].sort(), [1, 2]);
  for (const off of Object.values(worst)) assert.ok(off > 0.001 && off < OFF, `${off}`);
});

test("terms that do not add up are left as they are, and so are unknown ones", () => {
  const wrong = { reconstruction_term: 1, kl: 1, elbo: 3, log_px: 4 };
  assert.deepEqual(figures(wrong, null), { shown: wrong, amortization: null, approximation: null, digits: null });
  const unknown = { reconstruction_term: -75.31432, kl: 5.17123, elbo: -80.48555, log_px: null };
  const { shown, digits } = figures(unknown, null);
  assert.equal(shown.log_px, null);
  assert.ok(digits !== null && digits <= 2);
});
