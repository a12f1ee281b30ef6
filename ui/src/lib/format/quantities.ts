/** Large numbers, abbreviated with units. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/**
 * Bytes in decimal units for disks, downloads and memory alike, as download pages and the command line use them.
 * One decimal below 100 GB.
 */
export function formatBytes(bytes: number, language: string): string {
  const write = (exponent: number): string => {
    const value = bytes / 1000 ** exponent;
    const digits = exponent >= 3 && value < 100 ? 1 : 0;
    // Rounding can reach 1000, which is 1 of the next unit.
    if (exponent < UNITS.length - 1 && Number(value.toFixed(digits)) >= 1000) return write(exponent + 1);
    return `${new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value)}\u00A0${UNITS[exponent] ?? ''}`;
  };
  return write(0);
}

export function formatCount(count: number, language: string): string {
  return new Intl.NumberFormat(language, { notation: 'compact', maximumSignificantDigits: 3 }).format(count);
}

/** A duration, rounded more coarsely the longer it is. */
export function formatSeconds(seconds: number, language: string): string {
  const [value, unit] =
    seconds < 90
      ? [Math.max(1, Math.round(seconds)), 'second']
      : seconds < 90 * 60
        ? [Math.round(seconds / 60), 'minute']
        : [Math.round(seconds / 360) / 10, 'hour'];
  const text = new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short' }).format(value);
  // Intl sets Chinese units right after the number; the texts of the window put a space there.
  return text.replace(/(?<=\d)(?=\p{Script=Han})/u, '\u00A0');
}

/** A time of day, with the date unless it is today. */
export function formatTime(at: number, language: string, now = Date.now()): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  const day = isToday ? {} : ({ month: 'short', day: 'numeric' } as const);
  return new Intl.DateTimeFormat(language, { ...day, hour: 'numeric', minute: '2-digit' }).format(at);
}

/** The remaining time of a job, from the steps it has done. */
export class Eta {
  #job: string | null = null;
  #first: { step: number; at: number } | null = null;
  #last: { step: number; at: number } | null = null;

  /** Seconds left, or null before two steps have been timed. */
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
