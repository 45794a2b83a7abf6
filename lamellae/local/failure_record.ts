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
import { FAILURE_TEXT_BYTES } from "../../internal/limits.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { BLOCK, blockOf, HEADER, type Layout } from "./layout.ts";

/** Why a job fails. */
export interface FailureRecord {
  /** The PE that failed first, -1 if it was none. */
  readonly pe: number;
  /** Exit code of the job. */
  readonly exitCode: number;
  /** One line, and perhaps a stack below it. */
  readonly text: string;
  /** Whether another process has reported it already. */
  readonly far: boolean;
}

/**
 * Records a failure, unless one is recorded already, and wakes everyone.
 *
 * @param layout Where everything lies.
 * @param views The memory.
 * @param pe The PE that failed, -1 for none.
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
  const words = views.i32;
  if (atomicCompareExchange(words, HEADER.failureClaim >>> 2, 0, 1) !== 0) return false;
  words[HEADER.failurePe >>> 2] = pe;
  words[HEADER.failureCode >>> 2] = exitCode;
  words[HEADER.failureFar >>> 2] = far ? 1 : 0;
  const bytes = new TextEncoder().encode(text).subarray(0, FAILURE_TEXT_BYTES);
  views.u8.set(bytes, HEADER.failureText);
  words[HEADER.failureTextBytes >>> 2] = bytes.length;
  atomicStore(words, HEADER.abort >>> 2, 1);
  wakeAll(layout, words);
  ringSupervisor(views);
  return true;
}

/**
 * Lets the supervisor look at the PEs now rather than at its next round.
 *
 * @param views The memory.
 */
export function ringSupervisor(views: MemoryViews): void {
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
 * @param views The memory.
 * @returns Whether the job is failing.
 */
export function isFailing(views: MemoryViews): boolean {
  return atomicLoad(views.i32, HEADER.abort >>> 2) !== 0;
}

function wakeAll(layout: Layout, words: Int32Array): void {
  for (let pe = layout.firstPe; pe < layout.firstPe + layout.nearPes; pe++) {
    const bell = (blockOf(layout, pe) + BLOCK.bell) >>> 2;
    atomicAdd(words, bell + 1, 1);
    atomicStore(words, bell, 0);
    atomicNotifyAll(words, bell);
  }
}
