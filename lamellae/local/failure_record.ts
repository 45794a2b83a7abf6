/**
 * The record of the first failure, in shared memory so that it arrives even from a PE that ends at
 * once.
 *
 * @module
 */

import {
  atomicAdd,
  atomicCompareExchange,
  atomicLoad,
  atomicNotifyAll,
  atomicStore,
} from "../../internal/atomics.ts";
import {
  ClosedError,
  DeadlockError,
  type LamellarError,
  PeFailedError,
} from "../../internal/errors.ts";
import { FAILURE_TEXT_BYTES } from "../../internal/limits.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { foldFrames, loadingErrorText } from "../../internal/stacks.ts";
import { ASLEEP, BLOCK, blockOf, HEADER, type Layout, ownNodesOf } from "./layout.ts";

/** Instead of the PE that failed: none did, but nothing can go on. */
export const STUCK = -2;
/** Nor did any if a client had to leave them while something was under way. */
export const CLOSED = -3;

/** Why a job fails. */
export interface FailureRecord {
  /** The PE that failed first, -1 if it was none, or one of the constants above. */
  readonly pe: number;
  /** Exit code of the job. */
  readonly exitCode: number;
  /** One line, and perhaps a stack below it. */
  readonly text: string;
  /** Whether the user need not be told: another process has done so, or nobody is to be. */
  readonly far: boolean;
}

/**
 * Records a failure, unless one is recorded already, and wakes everyone in this process.
 *
 * @param layout Where everything is.
 * @param views The memory.
 * @param pe The PE that failed, -1 for none, {@linkcode STUCK} if nothing can go on.
 * @param exitCode Exit code of the job, not 0.
 * @param text What happened.
 * @param far Whether another process has reported it already.
 * @returns Whether this was the first failure.
 */
export function writeFailure(
  layout: Layout,
  views: MemoryViews,
  pe: number,
  exitCode: number,
  text: string,
  far = false,
): boolean {
  if (!recordFailure(views, 0, { pe, exitCode, text, far })) return false;
  for (const own of ownNodesOf(layout)) wakePe(layout, views, own);
  wakeSupervisor(views);
  return true;
}

/**
 * Records a failure where a process looks for it, unless one is recorded there already, and wakes
 * nobody.
 *
 * @param views The memory.
 * @param control Where the memory of that process begins.
 * @param failure What happened.
 * @returns Whether this was the first failure.
 */
export function recordFailure(
  views: MemoryViews,
  control: number,
  failure: FailureRecord,
): boolean {
  const words = views.i32;
  const at = (word: number): number => (control + word) >>> 2;
  if (atomicCompareExchange(words, at(HEADER.failureClaim), 0, 1) !== 0) return false;
  words[at(HEADER.failurePe)] = failure.pe;
  words[at(HEADER.failureCode)] = failure.exitCode;
  words[at(HEADER.failureFar)] = failure.far ? 1 : 0;
  const bytes = new TextEncoder().encode(failure.text).subarray(0, FAILURE_TEXT_BYTES);
  views.u8.set(bytes, control + HEADER.failureText);
  words[at(HEADER.failureTextBytes)] = bytes.length;
  atomicStore(words, at(HEADER.abort), 1);
  return true;
}

/**
 * Lets the supervisor look at the PEs now rather than at its next round.
 *
 * @param views The memory.
 */
export function wakeSupervisor(views: MemoryViews): void {
  atomicAdd(views.i32, HEADER.bell >>> 2, 1);
  atomicNotifyAll(views.i32, HEADER.bell >>> 2);
}

/**
 * Reads the record.
 *
 * @param views The memory.
 * @returns The failure; only meaningful once the abort word is set.
 */
export function readFailure(views: MemoryViews): FailureRecord {
  const words = views.i32;
  const bytes = words[HEADER.failureTextBytes >>> 2]!;
  return {
    pe: words[HEADER.failurePe >>> 2]!,
    exitCode: words[HEADER.failureCode >>> 2]!,
    far: words[HEADER.failureFar >>> 2] !== 0,
    text: new TextDecoder().decode(
      views.u8.slice(HEADER.failureText, HEADER.failureText + bytes),
    ),
  };
}

/**
 * Makes what operations that are under way end with.
 *
 * @param record Why the job fails.
 * @param op The operation, if one is known.
 * @returns The error.
 */
export function failureError({ pe, text }: FailureRecord, op?: string): LamellarError {
  const options = op === undefined ? {} : { op };
  if (pe === STUCK) return new DeadlockError(text, options);
  if (pe === CLOSED) return new ClosedError(text, options);
  return new PeFailedError(text, pe < 0 ? options : { ...options, pe });
}

/**
 * @param views The memory.
 * @returns Whether the job is failing.
 */
export function isFailing(views: MemoryViews): boolean {
  return atomicLoad(views.i32, HEADER.abort >>> 2) !== 0;
}

/**
 * Announces an event to a PE of this process, and wakes it if it sleeps inside of it.
 *
 * @param layout Where everything is.
 * @param views The memory.
 * @param pe The PE.
 */
export function wakePe(layout: Layout, views: MemoryViews, pe: number): void {
  const words = views.i32;
  const bell = (blockOf(layout, pe) + BLOCK.bell) >>> 2;
  atomicAdd(words, bell + 1, 1);
  if (atomicCompareExchange(words, bell, ASLEEP.inside, 0) === ASLEEP.inside) {
    atomicNotifyAll(words, bell);
  }
}

/**
 * The line that tells users which PE failed and why, with the stack below it.
 *
 * @param pe The PE.
 * @param error What it threw.
 * @param who How the text calls it.
 * @returns The text.
 */
export function failureText(pe: number, error: unknown, who = `PE ${pe}`): string {
  // A program may throw what throws when it is looked at, and `instanceof` looks.
  try {
    if (error instanceof PeFailedError || error instanceof DeadlockError) return error.message;
  } catch {
    // Not one of ours.
  }
  try {
    return `${who} failed: ${loadingErrorText(error) ?? foldFrames(Deno.inspect(error))}`;
  } catch {
    return `${who} failed: it threw a value that cannot be shown`;
  }
}
