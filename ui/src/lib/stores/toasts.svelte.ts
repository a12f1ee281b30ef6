import type { Failure } from '$lib/ipc';

/** A message to the user that belongs to no job. */
export interface Toast {
  id: number;
  failure?: Failure;
  /** A function, because a toast may outlast a change of the language. */
  text?: () => string;
  action?: { label: () => string; run: () => void };
  /** Whether it stays until closed, as failures do. */
  isSticky?: boolean;
}

/** Time until a success disappears; longer if it can be undone. */
const TOAST_MS = 5000;
const UNDO_MS = 12_000;

/** Failures that have not been closed do not count. */
const MAX_TOASTS = 4;

export class Toasts {
  all = $state.raw<Toast[]>([]);

  #n = 0;

  /** Returns the id to close it by. */
  show(toast: Omit<Toast, 'id'>): number {
    const id = (this.#n += 1);
    const { failure } = toast;
    // The same failure can be reported both by the operation and by an event; show it once.
    const others = this.all.filter((one) => !failure || one.failure?.code !== failure.code || one.failure.message !== failure.message);
    const all = [...others, { id, ...toast }];
    // A success does not push out a failure that has not been closed.
    const surplus = all.filter((one) => !isSticky(one) && one.id !== id).slice(0, Math.max(0, all.length - MAX_TOASTS));
    this.all = all.filter((one) => !surplus.includes(one)).slice(-2 * MAX_TOASTS);
    // Failures stay until closed.
    if (!isSticky(toast)) setTimeout(() => this.close(id), toast.action ? UNDO_MS : TOAST_MS);
    return id;
  }

  close(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id);
  }

  /** Runs an action and shows a toast if it fails. Returns whether it succeeded. */
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
