async ([decoder, asked]) => {
  const { Plane, weigh, atOnce, FINE, QUICK } = await import(`${location.origin}/live/q/weigh.js`);
  const { bytes } = await import(`${location.origin}/live/shared/page.js`);
  const plane = new Plane(bytes(decoder).buffer);
  return asked.map(({ seen, q, log_px, fine, eps }) => {
    const x = Float32Array.from(bytes(seen), (value) => value / 255);
    if (eps) return { logs: [...atOnce(plane.logWeights(x, q, eps))] };
    return atOnce(weigh(plane, x, q, log_px, fine ? FINE : QUICK));
  });
}
