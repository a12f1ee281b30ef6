/** Globals that the fake host and the tests add to the page. */
import type { FakeHostDriver } from '../../src/lib/ipc/fake/index';

declare global {
  /** Set by a payload that was executed. */
  var __pwned: number | undefined;
  var reportViolation: (text: string) => void;
  var axe: typeof import('axe-core');
  /** Durations of long tasks in milliseconds. */
  var longTasks: number[];
  /** Times from a key press to the next frame in milliseconds. */
  var inputs: number[];
  var stream: ReturnType<typeof setInterval>;

  interface Performance {
    memory?: { usedJSHeapSize: number };
  }
}

export type { FakeHostDriver };
