/** The shapes that travel between the server and the page, and what these modules use of Gradio and of Plotly. */

// What the server answers. Numbers are nats unless it says otherwise; null stands for a number that is not finite.

/** What is wrong, in one sentence; silent: it was not the server that answered, if anybody did. */
export interface Wrong {
  error: string;
  silent?: boolean;
}
export type Answer<T> = T | Wrong;

/** Base64 of grey bytes: 28×28 a picture where nothing else is said. */
export type Picture = string;
export type Setting = number | string | boolean | null;
export interface Dimension {
  index: number;
  kl: number | null;
}
/** A test image; mu: the mean of its q(z|x), null where it is not finite. */
export interface Example {
  label: number;
  image: Picture;
  mu: number[] | null;
}

/**
 * `describe` of ui/models.py: a model, its dimensions with the most informative first, and images to start from. reach:
 * by the index of a dimension, how far to either side of the prior's mean its ranges go.
 */
export interface Description {
  dims: Dimension[];
  reach: number[];
  prior_mean: number;
  prior_std: number;
  likelihood: string;
  binarization: string;
  evidence: "log p(x)" | "log s(x)";
  examples: Example[];
  examples_from: string;
  figures: string;
}

/**
 * The file of `means` in ui/models.py: count rows of dims posterior means, and the label of each; their principal axes;
 * and how far ranges go along each dimension and each of these axes.
 */
export interface Means {
  count: number;
  dims: number;
  data: string;
  axes: number[][];
  reach: number[];
  axes_reach: number[];
  mu: Float32Array;
  labels: Uint8Array;
}

/** A drawing as it is posted: 56×56 bytes of ink, or an image in MNIST's format. */
export interface Drawing {
  ink?: Picture;
  image?: Picture;
}
/** What is hidden of an image: base64 of 28×28 bytes, 0 where a pixel is visible; left out where all are. */
export interface Hole {
  hidden?: string;
}
export interface Q {
  mu: number[];
  std: number[];
}
export interface Terms {
  elbo: number | null;
  reconstruction_term: number | null;
  kl: number | null;
  scatter: number | null;
}
/** What a q decodes to: from its mean, eight draws, and the standard deviation of 64 of them with its largest value. */
export interface Decoded {
  reconstruction: Picture;
  drawn: Picture;
  spread: Picture;
  most: number | null;
}
/** `judge` of ui/draw.py. */
export interface Judged extends Terms, Decoded {
  kl_per_dim: number[];
}
/** `look` of ui/draw.py; z and std are those of the encoder's q. */
export interface Looked extends Judged {
  grey: Picture;
  seen: Picture;
  z: number[];
  std: number[];
  log_px: number | null;
  exact: boolean;
  how: string;
  version: string;
}
/** What the model makes of a drawing, and the part of it that was hidden then. */
export interface Given extends Looked, Hole {}
export interface Waypoint extends Terms, Q {
  step: number;
}
/** `refine` of ui/draw.py. */
export interface Refined {
  path: Waypoint[];
  ended: boolean;
  log_px: number | null;
}
/** `complete` of ui/draw.py. */
export interface Completed {
  completed: Picture;
  drawn: Picture;
}
/** `crowd` of ui/draw.py: ELBOs in ascending order. */
export interface Crowd {
  elbos: number[];
  data: string;
  version: string;
}
/**
 * The exact p(z|x) on a plane. log_px: log p(x), and uncertainty, how far that may be off. density: bytes of cells × cells
 * points of a square window, z0 to the right and z1 upwards; center and half of it, mean and std of p(z|x), all in z.
 */
export interface Exact {
  log_px: number | null;
  uncertainty: number | null;
  density: Uint8Array;
  cells: number;
  center: number[];
  half: number;
  mean: number[];
  std: number[];
}
/** One of the estimators: by count of draws, the mean and its error of each derivative, first by μ and then by log σ². */
export interface Estimator {
  mean: number[][];
  error: number[][];
  ratio: number;
}
/** `estimators` of ui/theory/estimates.py. */
export interface Estimators {
  counts: number[];
  pathwise: Estimator;
  score: Estimator;
  with_baseline: Estimator;
}
/** `truth` of ui/tabs/draw.py. */
export interface Truth extends Omit<Exact, "density"> {
  density: Picture;
}
/** The exact p(z|x) and q(z|x) of the same image. */
export interface PosteriorAndQ extends Exact {
  q: Q;
}
/** `shipped_figures` of ui/theory/measured.py. */
export interface ShippedFigures {
  model: string;
  data: string;
  dims: number;
  likelihood: string;
  elbo: number;
  reconstruction: number;
  kl: number;
  sigma: number | null;
}
/** `batch_elbos` of ui/theory/measured.py. scatter: the standard deviation of each ELBO's estimate from one draw. */
export interface BatchElbos {
  elbos: number[];
  scatter: number[];
  data: string;
}
/** `neighbours` of ui/latents.py. */
export interface Neighbours {
  image: Picture;
  labels: number[];
  data: string;
}

/** Aligned lists, one value a record. */
export interface Columns {
  step: number[];
  seconds: number[];
  [name: string]: (number | null)[];
}
/** A change of settings in mid-run: each under its name. */
export interface Change {
  step: number;
  [setting: string]: Setting;
}
export interface RunAbout {
  name: string;
  /** Its name, or its kind where it has none. */
  title: string;
  data: string;
  why_data: string;
  settings: string;
  started: Record<string, Setting>;
  likelihood: string;
  binarization: string;
  is_recorded: boolean;
  /** The id of the model that the run makes, or that belongs to its recording; empty where there is none. */
  model: string;
  latent_dim: number;
  is_averaged: boolean;
  steps_per_epoch: number;
  total_steps: number;
  train_images: number;
}
export interface Progress {
  step: number;
  epoch: number;
  seconds: number;
  images_per_second: number;
  learning_rate: number;
  sigma: number | null;
  total_steps: number;
  left: number;
}
/** What `follow` of ui/follow.py always tells of a run. */
interface Latest {
  state: string;
  message: string;
  progress: Progress | null;
  mark: string;
  columns: Columns;
  kl_per_dim: number[];
  changes: Change[];
  frames: number[];
  newest: string;
  batch: string;
  wait: number;
}
/** `follow` of ui/follow.py: the records from `from` to `to`, all of them where `from` is 0. */
export interface Followed extends Latest {
  about: RunAbout | null;
  from: number;
  to: number;
}
/** What the browser knows of a run; replaced counts how often its columns were replaced instead of extended. */
export interface Store extends Latest {
  run: string;
  about: RunAbout | null;
  covered: number;
  replaced: number;
}
/** The followed run. moment: the step that the pictures went back to, or null; silent: the server does not answer. */
export interface Feed extends Store {
  moment: number | null;
  silent: boolean;
}
/**
 * `lesson` of ui/theory/lessons.py: a recorded training. columns: −ELBO, −reconstruction and KL in nats per image; kl: of
 * each dimension at each of these records; frames: the steps that have a picture.
 */
export interface Lesson {
  name: string;
  title: string;
  settings: string;
  data: string;
  likelihood: string;
  latent_dim: number;
  beta: number;
  total_steps: number;
  columns: Columns;
  kl: number[][];
  frames: number[];
}
/** `history` of ui/follow.py. */
export interface HistoryRows {
  stride: number;
  from: number;
  steps: number[];
  kl: number[][];
}
/** `batch` of ui/follow.py. */
export interface Batch extends Omit<Terms, "scatter"> {
  step: number;
  images: number;
  beta: number;
  loss: number | null;
  gradient_norm: number | null;
  objective: string;
  clip_norm: number;
  gradient: string;
  free_bits: number;
  counted_kl: number | null;
  x: Picture;
  mu: number[][];
  std: number[][];
  samples: number;
  /** By draw, image and dimension: z, and the ε that it was made of. */
  draws: number[][][];
  eps: number[][][];
  /** By draw and image. */
  x_hat: Picture;
  terms: number[][];
  reconstructions: number[];
  kls: number[];
  /** The one of largest KL first. */
  dims: number[];
}
/** A line of the table of runs, `mine` of ui/runs.py; of a damaged run most is null. */
export interface Row {
  run: string;
  name: string;
  title: string | null;
  note: string | null;
  pinned: boolean | null;
  state: string;
  message: string;
  resumable: boolean | null;
  has_model: boolean | null;
  data: string | null;
  settings: Record<string, Setting>;
  line: string | null;
  changed: string | null;
  elbo: number | null;
  active_units: number | null;
  step: number | null;
  total_steps?: number;
  seconds: number | null;
  size: number | null;
  created: string | null;
}

/** What the dialog of a sweep asks; asked: the number of the question. */
export interface SweepQuestion {
  asked: number;
  vary: string;
  values: string;
  seeds: number;
}
/** `plan` or `start` of ui/sweep.py. */
export interface Swept {
  asked: number;
  error?: string;
  started?: string[];
  runs?: number;
  values?: number[];
  seconds?: number;
  rest?: string;
}

/** `plan` of ui/tabs/continuing.py: what would be started, or why nothing can be. */
export interface Planned {
  at: string;
  error?: string;
  faults?: Record<string, string>;
  title?: string;
  name?: string;
  step?: number;
  differs?: { title: string; old: string; new: string }[];
  stays?: { title: string; value: string }[];
}

/** `optimum` of ui/theory/promised.py. */
export interface Optimum {
  learned: number;
  best: number;
  sigma: number;
  best_sigma: number;
  variances: number[];
  best_variances: number[];
  cosines: number[];
  directions: Picture;
  best_directions: Picture;
  gap: number;
}
/** `aggregate` of ui/theory/promised.py. */
export interface Aggregate {
  kl: number;
  information: [number, number];
  marginal: [number, number];
  images: number;
  data: string;
  dims: number[];
  density: Picture;
  cells: number;
  half: number;
  version: string;
}

/** A server function; Gradio makes undefined of a failure. */
type Asks<Request, T> = (request: Request) => Promise<Answer<T> | undefined>;
type OfModel = { model: string | null };

export interface Server {
  follow: Asks<{ run: string; since: number; mark: string; changes: number; frames: number }, Followed>;
  window: Asks<{ run: string; low: number; high: number }, { columns: Columns }>;
  lesson: Asks<{ name: string }, Lesson>;
  optimum: Asks<object, Optimum>;
  aggregate: Asks<OfModel, Aggregate>;
  history: Asks<{ run: string; stride: number; have: number }, HistoryRows>;
  batch: Asks<{ run: string }, Batch>;
  steer: Asks<{ browser: string; run: string; how: string }, { run: string }>;
  mine: Asks<{ browser: string }, { runs: Row[] }>;
  rename: Asks<{ browser: string; run: string; name: string }, object>;
  annotate: Asks<{ browser: string; run: string; note: string }, object>;
  key_words: Asks<{ browser: string }, { words: string }>;
  read_key: Asks<{ browser: string; key: string }, { browser: string; runs: number; own: number }>;
  pin: Asks<{ browser: string; run: string; pinned: boolean }, object>;
  remove: Asks<{ browser: string; run: string }, object>;
  describe: Asks<OfModel, Description>;
  decode: Asks<OfModel & { z: number[][] }, { image: Picture }>;
  look: Asks<OfModel & Drawing & Hole & { draws?: number }, Looked>;
  judge: Asks<OfModel & { image: Picture } & Hole & Q, Judged>;
  refine: Asks<OfModel & { image: Picture } & Hole, Refined>;
  complete: Asks<OfModel & { image: Picture; hidden: string }, Completed>;
  crowd: Asks<OfModel, Crowd>;
  truth: Asks<OfModel & { image: Picture } & Hole, Truth>;
  shipped_figures: Asks<object, { models: ShippedFigures[] }>;
  batch_elbos: Asks<OfModel, BatchElbos>;
  single_draws: Asks<OfModel & { image: Picture; draws: number; seed: number }, { log_px: number[] }>;
  neighbours: Asks<OfModel & { images: string }, Neighbours>;
  slopes_at: Asks<OfModel & { image: Picture; z: number[][] }, { log_px: number[]; slope: number[][] }>;
  estimators: Asks<OfModel & { image: Picture; draws: number } & Q, Estimators>;
}

// What Gradio hands to a component; see ui/live/__init__.py.

export interface Component<Value = unknown, Functions extends keyof Server = never> {
  element: HTMLElement;
  props: { value: Value };
  server: Pick<Server, Functions>;
  /** Calls then() after each change of a prop that comes from Python. */
  watch(prop: string, then: () => void): void;
  /** An event that Python may listen to. */
  trigger(event: string, data: object): void;
}

// What is used of Plotly.

export interface Trace {
  [attribute: string]: unknown;
  name?: string;
  meta?: string;
  mode?: string;
  visible?: boolean | "legendonly";
  x?: (number | null)[];
  y?: (number | null)[];
  line?: object;
}
export interface Axis {
  [attribute: string]: unknown;
  range?: number[];
  autorange?: boolean;
  title?: object;
}
export interface Layout {
  [attribute: string]: unknown;
  xaxis?: Axis;
  yaxis?: Axis;
  images?: object[];
}
export interface Figure {
  data: Trace[];
  layout: Layout;
}
/** An axis as it is drawn, in px within the chart; d2p and p2d turn values into px and back. */
export interface DrawnAxis {
  _offset: number;
  _length: number;
  range: number[];
  d2p(value: number): number;
  p2d(px: number): number;
}
/** A node with a chart. */
export interface Plot extends HTMLElement {
  data: Trace[];
  layout: Layout & { xaxis: Axis; yaxis: Axis };
  _fullLayout: {
    xaxis: DrawnAxis;
    yaxis: DrawnAxis;
    font: { size: number };
    _size: { w: number; h: number; t: number };
  };
  on(event: string, then: (change: Record<string, unknown>) => void): void;
  on(event: "plotly_click", then: (click: { points: { data: Trace }[] }) => void): void;
}
export interface Plotly {
  newPlot(node: HTMLElement, data: Trace[], layout: Layout, config: object): Promise<Plot>;
  react(node: Plot, data: Trace[], layout: Layout): Promise<Plot>;
  relayout(node: Plot, change: Record<string, unknown>): Promise<Plot>;
  restyle(node: Plot, change: Record<string, unknown>, traces?: number[]): Promise<Plot>;
  extendTraces(node: Plot, values: { x: (number | null)[][]; y: (number | null)[][] }, traces: number[]): Promise<Plot>;
  Plots: { resize(node: Plot): void };
}

// The page's own parts.

/** A point of latent space. */
export type Z = Float32Array;
/** What the Latents tab does for its parts. */
export interface Place {
  /** The mean of q(z|x) of a drawing; null, after saying why, where it cannot be had. */
  ofImage(drawing: Drawing | null, otherwise?: string): Promise<number[] | null>;
  say(text: string): void;
  server: Pick<Server, "look" | "truth" | "neighbours" | "decode" | "describe">;
}

declare global {
  interface Window {
    Plotly: Plotly;
  }
}
