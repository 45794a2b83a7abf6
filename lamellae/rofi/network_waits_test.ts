import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readConfig } from "../../internal/config.ts";
import { PeFailedError } from "../../internal/errors.ts";
import { ACTIVITY, WAIT_FOR } from "../lamella.ts";
import { writeFailure } from "../local/failure_record.ts";
import { BLOCK, blockOf, heapOf } from "../local/layout.ts";
import { PE_STATE, STATUS } from "../local/pe_status.ts";
import { Watchdog } from "../process/watchdog.ts";
import { portOf, type Process, type Shape, startProcesses } from "./fake_processes_test.ts";
import { MESSAGE } from "./message.ts";
import { Transfers } from "./transfers.ts";

/** Two processes of two PEs each, and what the first PE, which has a port, has reported. */
function waiter(shape: Partial<Shape> = {}) {
  const processes = startProcesses({ nearPes: 2, ...shape });
  const [here] = processes.all as [Process];
  const port = portOf(here, 0, processes.network);
  const line = (blockOf(here.layout, 0) + BLOCK.status) / 4;
  const status = (word: number): number => here.views.i32[line + word]!;
  const seen = () => [STATUS.activity, STATUS.waitKind, STATUS.waitPe].map(status);
  return { ...processes, here, port, status, seen };
}

type Waiter = ReturnType<typeof waiter>;

/** Nothing gets into the network, or nothing of it ends. */
function clog({ network }: Waiter, ...calls: string[]): void {
  for (const call of calls) network.refusals.set(call, Array(100_000).fill(-11));
}

/** What has to be waited for in vain, and what is reported of that. */
const WAITS: Record<string, {
  readonly shape?: Partial<Shape>;
  readonly wait: (it: Waiter) => unknown;
  readonly reported: readonly [kind: number, pe: number];
}> = {
  "a send buffer": {
    wait: ({ port }) => {
      for (;;) port.acquire();
    },
    reported: [WAIT_FOR.network, -1],
  },
  "room for a message": {
    wait: (it) => {
      clog(it, "sendmsg");
      it.port.sendSmall(MESSAGE.wake, 0, 3);
    },
    reported: [WAIT_FOR.network, 2],
  },
  "room for a transfer": {
    wait: (it) => {
      clog(it, "writemsg");
      new Transfers(it.port, 0).copy(true, 3, 0, heapOf(it.here.layout, 0), 8);
    },
    reported: [WAIT_FOR.network, 2],
  },
  "a record": {
    shape: { transferPiecesMax: 1 },
    wait: (it) => {
      clog(it, "cqRead");
      const transfers = new Transfers(it.port, 0);
      for (;;) transfers.copy(true, 3, 0, heapOf(it.here.layout, 0), 8);
    },
    reported: [WAIT_FOR.memory, -1],
  },
  "a piece of an array": {
    wait: (it) => {
      clog(it, "cqRead");
      const bytes = new Uint8Array(2 * it.here.net.bufferBytes);
      new Transfers(it.port, 0).copyArray(true, 3, 0, bytes);
    },
    reported: [WAIT_FOR.memory, 3],
  },
  "another thread that makes calls": {
    wait: (it) => {
      clog(it, "cqRead", "writemsg");
      const { here } = it;
      const transfers = new Transfers(it.port, 0);
      it.network.refusals.delete("writemsg");
      transfers.copy(false, 3, 0, heapOf(here.layout, 0), 8);
      clog(it, "readmsg");
      for (;;) transfers.copy(false, 3, 0, heapOf(here.layout, 0), 8);
    },
    reported: [WAIT_FOR.network, 2],
  },
  "replies": {
    // Requests leave at once.
    shape: { injectBytes: 80 },
    wait: (it) => {
      clog(it, "cqRead");
      const transfers = new Transfers(it.port, 0);
      for (;;) transfers.operate(3, new Uint8Array(32), new Uint8Array(32));
    },
    reported: [WAIT_FOR.memory, -1],
  },
};

for (const [what, { shape, wait, reported }] of Object.entries(WAITS)) {
  Deno.test(`the watchdog is told of a long wait for ${what}, which ends with the job`, () => {
    const it = waiter(shape);
    const outer = [ACTIVITY.idle, WAIT_FOR.task, 1];
    const { here, port, seen } = it;
    const line = (blockOf(here.layout, 0) + BLOCK.status) / 4;
    here.views.i32.set(outer, line + STATUS.activity);
    let rounds = 0;
    port.waits.onWait(() => {
      if (rounds === 0) assertEquals(seen(), outer);
      if (++rounds < 1000) return;
      assertEquals(seen(), [ACTIVITY.blocked, ...reported]);
      writeFailure(here.layout, here.views, 3, 1, "PE 3 failed: why");
    });
    assertThrows(() => wait(it), PeFailedError, "PE 3 failed: why");
    assertEquals(seen(), outer);
  });
}

Deno.test("a long wait that is over counts as progress, a short one is not reported", () => {
  const { port, status, seen } = waiter();
  const wait = { op: "a test", kind: WAIT_FOR.network, pe: 2 };
  let looks = 0;
  port.waits.until(() => {
    assertEquals(seen()[0], ACTIVITY.running);
    return ++looks === 10;
  }, wait);
  assertEquals(status(STATUS.progress), 0);
  port.waits.until(() => ++looks === 1000, wait);
  assertEquals([status(STATUS.progress), ...seen().slice(0, 2)], [1, ACTIVITY.running, 0]);
});

Deno.test("the progress thread, which is no PE, reports nothing", () => {
  const { here } = waiter();
  const before = here.views.u8.slice(here.layout.blocks, here.layout.exchanges);
  const wait = { op: "a test", kind: WAIT_FOR.network, pe: 2 };
  let looks = 0;
  here.progress.waits.until(() => ++looks === 1000, wait);
  assertEquals(here.views.u8.subarray(here.layout.blocks, here.layout.exchanges), before);
});

Deno.test("the watchdog names a PE that waits for the network, and its limit ends that", () => {
  const { here, port } = waiter();
  const limits = { deadlockWarningMs: 0, deadlockMs: 2000 };
  const config = { ...readConfig(() => undefined), ...limits };
  const watchdog = new Watchdog(here.layout, here.views, config);
  const states = [PE_STATE.running, PE_STATE.finished];
  let verdict: string | undefined;
  let now = performance.now();
  port.waits.onWait(() => {
    now += 10;
    verdict ??= watchdog.look(states, now);
    if (verdict) writeFailure(here.layout, here.views, -1, 1, verdict);
  });
  const wait = { op: "a test", kind: WAIT_FOR.network, pe: 2 };
  assertThrows(() => port.waits.until(() => false, wait), PeFailedError);
  assert(verdict !== undefined);
  assertMatch(
    verdict,
    /nothing moved for 2 s .*: PE 0: waiting for the network to take what it sends \(PE 2-3\)/,
  );
});
