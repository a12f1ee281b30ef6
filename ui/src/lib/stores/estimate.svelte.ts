import type { Host, NewJob, CostEstimate } from '$lib/ipc';

const TYPING_MS = 350;

/** Estimate of the composer's request, fetched when the user stops typing. */
export class EstimateState {
  value = $state.raw<CostEstimate | null>(null);

  #key = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  /** Fetches the estimate of a request with this model; null clears it. */
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
      // A request without an estimate can still be sent; a failure is reported then.
      if (key === this.#key) this.value = null;
    }
  }
}
