/**
 * What a PE waits for whose program awaits its AMs, for the watchdog.
 *
 * @module
 */

import { WAIT_FOR, type WaitReason } from "../lamellae/mod.ts";
import { control } from "./handle.ts";
import type { Requests } from "./wire/requests.ts";
import type { WorkCount } from "./work_count.ts";

/**
 * @param count How much is under way.
 * @param requests What each PE was asked for.
 * @returns What is waited for.
 */
export function reasonToWait(count: WorkCount, requests: readonly Requests[]): WaitReason {
  const { asynchronous, outstanding } = count;
  if (outstanding === 0) return { kind: WAIT_FOR.nothing, pe: -1 };
  // Tasks and async handlers of this PE go on in its event loop.
  if (outstanding === asynchronous) return { kind: WAIT_FOR.task, pe: -1 };
  const pe = firstPending(requests);
  // What is counted without being an AM tells itself what it waits for.
  if (pe < 0) return { kind: WAIT_FOR.nothing, pe };
  return { kind: WAIT_FOR.am, pe, what: () => oldestOf(requests[pe]) };
}

/**
 * @param requests What each PE was asked for.
 * @returns The first PE that has not answered all, -1 if there is none.
 */
export function firstPending(requests: readonly Requests[]): number {
  return requests.findIndex(({ pending }) => pending);
}

function oldestOf(requests: Requests | undefined): string {
  const oldest = requests?.oldest;
  return oldest ? control.opOf(oldest) : "";
}
