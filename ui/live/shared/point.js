// The point of latent space that is looked at, shared by the tabs: whoever moves it tells all who show it.

/** z: a list of D numbers, or null before anybody has put a point anywhere; by: who moved it last. */
export const point = { z: null, by: null };

const views = new Set();

/** Moves the point; `by` is handed to the views, so that the mover can tell its own move from another's. */
export function movePoint(z, by = null) {
  Object.assign(point, { z: Float32Array.from(z), by });
  for (const view of views) view(point);
}

/** Calls view(point) at every move, and now where there is a point. */
export function onPoint(view) {
  views.add(view);
  if (point.z) view(point);
}
