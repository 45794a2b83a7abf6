/**
 * Uses, on its own thread, an endpoint that the main thread opened.
 *
 * @module
 */

import { type Completion, DATA, SideCalls, type SidePointers } from "./fabric_side.ts";

/** What the Worker is to do. */
export interface FabricTask {
  /** `answer` messages until one of a single byte comes, or `count` so many completions. */
  readonly task: "answer" | "count";
  /** The endpoint. */
  readonly side: SidePointers;
  /** Who gets the answers. */
  readonly peer: bigint;
  /** How many completions there will be. */
  readonly completions: number;
  /** Whether to sleep in the library until a completion comes. */
  readonly sleep: boolean;
}

const nothing = () => {};

function next(calls: SideCalls, sleep: boolean): Completion {
  if (!sleep) return calls.complete(nothing);
  const completion = calls.wait(10_000);
  if (completion === undefined) throw new Error("no completion in 10000 ms");
  return completion;
}

function answer(calls: SideCalls, { peer, sleep }: FabricTask): number {
  let answered = 0;
  calls.receive(DATA, 1024, 1n, nothing);
  postMessage({ ready: true });
  for (;;) {
    const { bytes } = next(calls, sleep);
    if (bytes === 1) return answered;
    calls.bytes.copyWithin(DATA + 1024, DATA, DATA + bytes);
    calls.bytes[DATA + 1024]! += 1;
    calls.receive(DATA, 1024, 1n, nothing);
    calls.send(peer, DATA + 1024, bytes, 2n, nothing);
    // The completion of the answer; nobody sends before having received it.
    next(calls, sleep);
    answered++;
  }
}

function count(calls: SideCalls, { completions, sleep }: FabricTask): number {
  postMessage({ ready: true });
  for (let seen = 0; seen < completions; seen++) next(calls, sleep);
  return completions;
}

addEventListener("message", ({ data }: MessageEvent<FabricTask>) => {
  const calls = new SideCalls(data.side, undefined, data.task === "count" ? 2048 : 0);
  const done = data.task === "answer" ? answer(calls, data) : count(calls, data);
  calls[Symbol.dispose]();
  postMessage({ done, fast: calls.calls.fast });
  close();
});
