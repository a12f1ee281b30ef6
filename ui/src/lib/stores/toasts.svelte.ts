import type { Failure } from '$lib/ipc';

/** Something to tell the artist that belongs to no job. */
export interface Notice {
  id: number;
  failure?: Failure;
  /** The news, or what a failure is about, in the language of the moment: a notice may outlast a change of it. */
  text?: () => string;
  action?: { label: () => string; run: () => void };
  /** Whether it stays until it is closed, as a failure does. */
  waits?: boolean;
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

  /** Tells something; gives what it is closed by. */
  notify(notice: Omit<Notice, 'id'>): number {
    const id = (this.#n += 1);
    const { failure } = notice;
    // A failure that is told twice, by what failed and by what it failed for, stands there once.
    const others = this.all.filter((one) => !failure || one.failure?.code !== failure.code || one.failure.message !== failure.message);
    const all = [...others, { id, ...notice }];
    // A failure that nobody has closed is not pushed out by a success.
    const surplus = all.filter((one) => !waits(one) && one.id !== id).slice(0, Math.max(0, all.length - MOST));
    this.all = all.filter((one) => !surplus.includes(one)).slice(-2 * MOST);
    // A success may go unseen; a failure waits for the artist.
    if (!waits(notice)) setTimeout(() => this.close(id), notice.action ? UNDO_MS : NOTICE_MS);
    return id;
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

const waits = ({ failure, waits }: Omit<Notice, 'id'>): boolean => failure !== undefined || waits === true;

export function asFailure(error: unknown): Failure {
  if (typeof error === 'object' && error !== null && 'code' in error && 'message' in error) return error as Failure;
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
}
