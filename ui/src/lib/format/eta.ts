/** How long a job's steps still take, judged by those it has done. */
export class Eta {
  #job: string | null = null;
  #first: { step: number; at: number } | null = null;
  #last: { step: number; at: number } | null = null;

  /** Seconds left, or null before two steps have been seen. */
  secondsLeft(job: string, step: number, steps: number, nowMs: number): number | null {
    if (job !== this.#job) {
      this.#job = job;
      this.#first = null;
      this.#last = null;
    }
    this.#first ??= { step, at: nowMs };
    if (this.#last?.step !== step) this.#last = { step, at: nowMs };
    const done = this.#last.step - this.#first.step;
    if (done < 2) return null;
    const perStep = (this.#last.at - this.#first.at) / done;
    const left = perStep * (steps - step) - (nowMs - this.#last.at);
    return Math.max(0, Math.round(left / 1000));
  }
}
