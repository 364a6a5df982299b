// The clock of the training: where it stands, and how fast it goes on: a stage at a time, then steps, faster and faster.

/**
 * shot: of the recorded steps; stage: how far that step has come; way: from this shot to the next one, 0 to 1, where
 * steps go by whole.
 *
 * @typedef {{ shot: number, stage: number, way: number }} Place
 */

export const STAGES = 7;
export const LAST = STAGES - 1; // the update: the whole step is in sight
const SLOW = [3400, 1300, 500, 220]; // ms a stage, of the first steps; the others go by whole
const RATES = [4, 80]; // steps a second, of the first whole step and of the last: about what a processor takes
const LONGEST = 100; // ms that may go by between two frames, so that a hidden page does not jump

/** Plays: `onMove(place)` is told of each move, `onEnd()` that the last step was reached by playing. */
export class Player {
  /** @type {Place} */
  place = { shot: 0, stage: 0, way: 0 };
  speed = 1;
  isPlaying = false;
  #spent = 0; // ms, at speed 1, of this stage
  #before = 0; // the time of the last frame

  /**
   * @param {number[]} steps of the shots
   * @param {{ onMove: (place: Place) => void, onEnd: () => void }} told
   */
  constructor(steps, { onMove, onEnd }) {
    this.steps = steps;
    this.onMove = onMove;
    this.onEnd = onEnd;
  }

  get isAtEnd() {
    return this.place.shot === this.steps.length - 1 && this.place.stage === LAST;
  }

  /** Steps a second as it goes here, at this speed. */
  get rate() {
    return this.#rateOf(this.place.shot) * this.speed;
  }

  /** @param {number} shot */
  #rateOf(shot) {
    const slow = SLOW[shot];
    if (slow) return 1000 / (STAGES * slow);
    const [first, last] = RATES;
    const whole = this.steps.length - 1 - SLOW.length;
    return first * (last / first) ** (whole > 0 ? (shot - SLOW.length) / whole : 1);
  }

  /** ms that a whole step and those up to the next shot take. @param {number} shot */
  #length(shot) {
    const [now, next = now + 1] = this.steps.slice(shot, shot + 2);
    return (1000 * (next - now)) / this.#rateOf(shot);
  }

  /** @param {boolean} isPlaying */
  play(isPlaying) {
    if (isPlaying && this.isAtEnd) this.go({ shot: 0, stage: 0 });
    if (isPlaying && !this.isPlaying) requestAnimationFrame((time) => this.#begin(time));
    this.isPlaying = isPlaying;
    this.onMove(this.place);
  }

  /** @param {number} time */
  #begin(time) {
    this.#before = time;
    this.#spent = 0;
    this.#tick(time);
  }

  /** @param {number} time */
  #tick(time) {
    if (!this.isPlaying) return;
    this.#spent += Math.min(LONGEST, time - this.#before) * this.speed;
    this.#before = time;
    this.#advance();
    if (this.isPlaying) requestAnimationFrame((next) => this.#tick(next));
  }

  #advance() {
    const { shot, stage } = this.place;
    const slow = SLOW[shot];
    const length = slow ?? this.#length(shot);
    if (this.#spent >= length) {
      this.#spent -= length;
      if (this.isAtEnd) this.#end();
      else this.go(slow && stage < LAST ? { shot, stage: stage + 1 } : this.#next(shot));
    } else if (!slow) {
      this.place = { shot, stage: LAST, way: this.#spent / length };
      this.onMove(this.place);
    }
  }

  /** @param {number} shot */
  #next(shot) {
    const next = Math.min(shot + 1, this.steps.length - 1);
    return { shot: next, stage: SLOW[next] ? 0 : LAST };
  }

  #end() {
    this.isPlaying = false;
    this.onMove(this.place);
    this.onEnd();
  }

  /** Goes to a place; a shot or stage beyond the ends is the end. @param {{ shot: number, stage: number }} to */
  go({ shot, stage }) {
    const last = this.steps.length - 1;
    this.place = { shot: Math.max(0, Math.min(last, shot)), stage: Math.max(0, Math.min(LAST, stage)), way: 0 };
    this.#spent = 0;
    this.onMove(this.place);
  }

  /** To the next stage, or the one before; from the end of a step to the next one. @param {1 | -1} way */
  step(way) {
    const last = this.steps.length - 1;
    const at = this.place.shot * STAGES + this.place.stage + way;
    const to = Math.max(0, Math.min(last * STAGES + LAST, at));
    this.isPlaying = false;
    this.go({ shot: Math.floor(to / STAGES), stage: to % STAGES });
  }
}
