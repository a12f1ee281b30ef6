import type { Host, NewJob, Price } from '$lib/ipc';

const TYPING_MS = 350;

/** What the request in the line would take; asked for when the artist pauses. */
export class PriceState {
  price = $state.raw<Price | null>(null);

  #asked = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Another request stands in the line, or another model is loaded; null when there is none that could run. */
  want(job: NewJob | null, model: string): void {
    const key = job === null ? '' : model + JSON.stringify(job);
    if (key === this.#asked) return;
    this.#asked = key;
    clearTimeout(this.#timer);
    if (job === null) {
      this.price = null;
      return;
    }
    this.#timer = setTimeout(() => void this.#ask(job, key), TYPING_MS);
  }

  async #ask(job: NewJob, key: string): Promise<void> {
    try {
      const price = await this.#host.price(job);
      if (key === this.#asked) this.price = price;
    } catch {
      // Without a price the request can still be made, and says then what is wrong with it.
      if (key === this.#asked) this.price = null;
    }
  }
}
