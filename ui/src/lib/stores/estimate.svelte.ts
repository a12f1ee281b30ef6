import type { Host, NewJob, CostEstimate } from '$lib/ipc';

const TYPING_MS = 350;

/** What the request in the line would take; asked for when the artist pauses. */
export class EstimateState {
  value = $state.raw<CostEstimate | null>(null);

  #key = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Another request stands in the line, or another model is loaded; null when there is none that could run. */
  request(job: NewJob | null, model: string): void {
    const key = job === null ? '' : model + JSON.stringify(job);
    if (key === this.#key) return;
    this.#key = key;
    clearTimeout(this.#timer);
    if (job === null) {
      this.value = null;
      return;
    }
    this.#timer = setTimeout(() => void this.#fetch(job, key), TYPING_MS);
  }

  async #fetch(job: NewJob, key: string): Promise<void> {
    try {
      const price = await this.#host.estimate(job);
      if (key === this.#key) this.value = price;
    } catch {
      // Without a price the request can still be made, and says then what is wrong with it.
      if (key === this.#key) this.value = null;
    }
  }
}
