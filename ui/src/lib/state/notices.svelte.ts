import type { Failure } from '$lib/ipc';

/** Something to tell the artist that belongs to no job. */
export interface Notice {
  id: number;
  failure?: Failure;
  text?: string;
  action?: { label: string; run: () => void };
}

/** Successes leave by themselves; those that can be undone stay long enough to be. */
const NOTICE_MS = 5000;
const UNDO_MS = 12_000;

/** Notices that stand at once, but for failures that wait. */
const MOST = 4;

/** What the artist is told. */
export class Notices {
  all = $state.raw<Notice[]>([]);

  #n = 0;

  notify(notice: Omit<Notice, 'id'>): void {
    const id = (this.#n += 1);
    const all = [...this.all, { id, ...notice }];
    // A failure that nobody has closed is not pushed out by a success.
    const surplus = all.filter((one) => !one.failure && one.id !== id).slice(0, Math.max(0, all.length - MOST));
    this.all = all.filter((one) => !surplus.includes(one)).slice(-2 * MOST);
    // A success may go unseen; a failure waits for the artist.
    if (!notice.failure) setTimeout(() => this.close(id), notice.action ? UNDO_MS : NOTICE_MS);
  }

  close(id: number): void {
    this.all = this.all.filter((notice) => notice.id !== id);
  }

  /** Does something that can fail, and tells the artist when it does. */
  async try(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      this.notify({ failure: asFailure(error) });
      return false;
    }
  }
}

export function asFailure(error: unknown): Failure {
  if (typeof error === 'object' && error !== null && 'code' in error && 'message' in error) return error as Failure;
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
}
