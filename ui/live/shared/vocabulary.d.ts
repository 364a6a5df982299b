/** What ui/vocabulary.py serves as vocabulary.js. */

/** What the owner of a run can ask of it. */
export type Command = "pause" | "play" | "step" | "stop" | "reset";
/** States of a run, but for "gone", which only a browser knows. keeps_form: the form shows the run's settings. */
export const STATES: Record<
  string,
  { title: string; going: boolean; resumable: boolean; keeps_form: boolean; offers: Command[] }
>;
/** Settings of a run: what the form and a legend call each, its choices, its bounds, and the step of an arrow key. */
export const SETTINGS: Record<
  string,
  {
    title: string;
    short: string;
    choices: Record<string, string>;
    low: number | null;
    high: number | null;
    step: number | null;
  }
>;
export const QUANTITIES: Record<string, { title: string; colour: string }>;
/** Of the lines of compared runs, the first ones first. */
export const RUN_COLOURS: string[];
/** The settings that a sweep can vary, each with values to start from. */
export const VARIED: Record<string, string>;
/** Of a sweep. */
export const MOST_SEEDS: number;
/** Characters of a note about a run. */
export const NOTE_LENGTH: number;
/** Pixels a side of an image. */
export const IMAGE_SIDE: number;
/** Pixels a side of a posted drawing. */
export const PAD_SIDE: number;
/** Of the whole range of grey: less ink than that cannot be seen, and is none. */
export const FAINTEST: number;
/** Tiles in a row of a frame. */
export const FRAME_SIDE: number;
/** Bytes. */
export const LARGEST_PHOTO: number;
/** Of the pictures that the server reads. */
export const PHOTO_TYPES: string[];
/** Bytes. */
export const LARGEST_CHECKPOINT: number;
/** Points in one question to the server. */
export const DECODED_AT_ONCE: number;
/** Nats below which a latent dimension carries nothing. */
export const ASLEEP: number;
