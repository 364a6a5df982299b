// Stands in for the module that ui/vocabulary.py serves. The values are made up; their shapes are those of
// ui/live/shared/vocabulary.d.ts.

export const IMAGE_SIDE = 28;
export const SETTINGS = {
  likelihood: {
    short: "likelihood",
    choices: { bernoulli: "Bernoulli", continuous_bernoulli: "continuous Bernoulli" },
  },
  start: { short: "began with", choices: {} },
  beta: { short: "β", choices: {} },
};
