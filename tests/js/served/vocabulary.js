// Stands in for the module that ui/vocabulary.py serves. The values are made up; their shapes are those of
// ui/live/shared/vocabulary.d.ts.

export const IMAGE_SIDE = 28;
export const FRAME_SIDE = 20;
export const SETTINGS = {
  likelihood: {
    title: "Likelihood p(x|z)",
    short: "likelihood",
    choices: { bernoulli: "Bernoulli", continuous_bernoulli: "continuous Bernoulli" },
    low: null,
    high: null,
    step: null,
  },
  start: { title: "Began with", short: "began with", choices: {}, low: null, high: null, step: null },
  beta: { title: "β", short: "β", choices: {}, low: 0, high: 1000, step: 0.1 },
};
export const STATES = {
  running: { title: "Training", going: true, resumable: false },
  finished: { title: "Finished", going: false, resumable: false },
};
export const RUN_COLOURS = ["#111111", "#222222"];
