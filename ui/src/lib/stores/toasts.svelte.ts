import type { Failure } from '$lib/ipc';

/** Something to tell the artist that belongs to no job. */
export interface Toast {
  id: number;
  failure?: Failure;
  /** The news, or what a failure is about, in the language of the moment: a toast may outlast a change of it. */
  text?: () => string;
  action?: { label: () => string; run: () => void };
  /** Whether it stays until it is closed, as a failure does. */
  isSticky?: boolean;
}

/** Successes leave by themselves; those that can be undone stay long enough to be. */
const TOAST_MS = 5000;
const UNDO_MS = 12_000;

/** Toasts that stand at once, but for failures that wait. */
const MAX_TOASTS = 4;

/** What the artist is told. */
export class Toasts {
  all = $state.raw<Toast[]>([]);

  #n = 0;

  /** Tells something; gives what it is closed by. */
  show(toast: Omit<Toast, 'id'>): number {
    const id = (this.#n += 1);
    const { failure } = toast;
    // A failure that is told twice, by what failed and by what it failed for, stands there once.
    const others = this.all.filter((one) => !failure || one.failure?.code !== failure.code || one.failure.message !== failure.message);
    const all = [...others, { id, ...toast }];
    // A failure that nobody has closed is not pushed out by a success.
    const surplus = all.filter((one) => !isSticky(one) && one.id !== id).slice(0, Math.max(0, all.length - MAX_TOASTS));
    this.all = all.filter((one) => !surplus.includes(one)).slice(-2 * MAX_TOASTS);
    // A success may go unseen; a failure waits for the artist.
    if (!isSticky(toast)) setTimeout(() => this.close(id), toast.action ? UNDO_MS : TOAST_MS);
    return id;
  }

  close(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id);
  }

  /** Does something that can fail, and tells the artist when it does. */
  async try(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      this.show({ failure: asFailure(error) });
      return false;
    }
  }
}

const isSticky = ({ failure, isSticky }: Omit<Toast, 'id'>): boolean => failure !== undefined || isSticky === true;

export function asFailure(error: unknown): Failure {
  if (typeof error === 'object' && error !== null && 'code' in error && 'message' in error) return error as Failure;
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
}
