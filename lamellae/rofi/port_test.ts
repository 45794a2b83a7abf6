import { assert, assertEquals, assertThrows } from "@std/assert";
import { FI } from "../../ffi/mod.ts";
import { ClosedError, PeFailedError, TransportError } from "../../internal/errors.ts";
import { writeFailure } from "../local/failure_record.ts";
import { HEADER, heapOf, LAYOUT_MAGIC } from "../local/layout.ts";
import { beginRequest, OPERATION, PART_HEADER, PART_HEADER_BYTES } from "../memory_operations.ts";
import { BUSY } from "./completion_queue.ts";
import {
  failureOf,
  messageOf,
  portOf,
  type Process,
  recordsInUse,
  settleNetwork,
  type Shape,
  stalledMs,
  startProcesses,
} from "./fake_processes_test.ts";
import { MESSAGE, WORD } from "./message.ts";
import {
  CONTROL,
  RECORD,
  RECORD_BYTES,
  RECORD_KIND,
  recordCount,
  THREAD,
  threadOf,
} from "./network_layout.ts";
import type { Port } from "./port.ts";

/** Two processes, and the port of PE 0, which notes the messages that come. */
function listener(shape: Partial<Shape> = {}) {
  const processes = startProcesses(shape);
  const [here, there] = processes.all as [Process, Process];
  const port = portOf(here, 0, processes.network);
  const heard: number[] = [];
  const words = here.views.i32;
  const handle = (_kind: number, header: number) => void heard.push(words[header / 4 + WORD.a]!);
  port.onArrival({ handle, answer() {} });
  processes.network.habits = { ...processes.network.habits, othersOneOf: 0 };
  return { ...processes, here, there, port, heard };
}

function addressOf({ start }: Process, port: Port, record: number): bigint {
  return BigInt(start.memoryAddress + port.recordAt(record));
}

Deno.test("a port handles messages in the order they were sent in, however they complete", () => {
  const { network, here, port, heard } = listener();
  const count = 20 * here.net.receives;
  for (let sent = 0; sent < count;) {
    // The network completes what waits in any order.
    if (network.deliver(0, messageOf(MESSAGE.wake, { a: sent }))) sent++;
    else while (network.completionsAt(0) > 0) port.poll();
  }
  while (network.completionsAt(0) > 0) port.poll();
  assertEquals(heard, Array.from({ length: count }, (_, i) => i));
  assertEquals(network.postedAt(0), here.net.receives);
});

Deno.test("a message that is being handled is first: what else comes meanwhile waits", () => {
  const { network, port } = listener();
  const order: string[] = [];
  let depth = 0;
  port.onArrival({
    handle() {
      order.push(`handle ${++depth}`);
      network.deliver(0, messageOf(MESSAGE.wake));
      network.refusals.set("recvmsg", [-11, -11]);
      if (order.length > 20) network.refusals.delete("recvmsg");
      for (let i = 0; i < 5; i++) port.poll();
      depth--;
    },
    answer() {},
  });
  network.deliver(0, messageOf(MESSAGE.wake));
  while (order.length < 5) port.poll();
  assertEquals(new Set(order), new Set(["handle 1"]));
});

Deno.test("a port makes a call again until the provider has room, and reads meanwhile", () => {
  const { network, here, there, port } = listener();
  network.refusals.set("sendmsg", [-11, -11, -11]);
  const slot = port.acquire();
  port.head(slot, MESSAGE.beat, 0, 0, 55);
  port.send(slot, 1, 0);
  assertEquals(network.counts.get("sendmsg"), 4);
  assertEquals(recordsInUse(here).length, 1);
  settleNetwork({ network, all: [here, there] });
  assertEquals(recordsInUse(here), []);
  assert(stalledMs(there, 0) >= 55);
});

Deno.test("a look that finds nothing is no failure, however the provider puts it", () => {
  const { network, here } = listener();
  assert(here.progress.take());
  for (const code of [0, -FI.FI_EAGAIN, -FI.FI_EINTR, -FI.FI_ETIMEDOUT]) {
    network.refusals.set("cqRead", [code]);
    assertEquals(here.progress.sleep(1, () => false), 0);
  }
  network.refusals.set("cqRead", [-FI.FI_EINVAL]);
  assertThrows(
    () => here.progress.sleep(1, () => false),
    TransportError,
    "Cannot read completions",
  );
});

Deno.test("a refused send gives its buffer back, and says what failed", () => {
  const { network, here, port } = listener();
  network.refusals.set("sendmsg", [-22]);
  const error = assertThrows(() => port.sendSmall(MESSAGE.wake, 0, 1), TransportError);
  assertEquals([error.errno, error.op], [22, "fi_sendmsg"]);
  assertEquals(recordsInUse(here), []);
});

Deno.test("an injected message leaves its buffer free, whether or not it is reported", () => {
  for (const reportsInjected of [false, true]) {
    const { network, here, there, port } = listener({
      injectBytes: 64,
      habits: { reportsInjected },
    });
    network.habits = { ...network.habits, othersOneOf: 0, reportsInjected };
    for (let i = 0; i < 100; i++) {
      port.sendSmall(MESSAGE.wake, 0, 1);
      assertEquals(recordsInUse(here), []);
    }
    settleNetwork({ network, all: [here, there] });
    assertEquals(failureOf(there), undefined);
  }
});

Deno.test("a message that cannot be sent is noted, a sign of life may get lost", () => {
  for (const injectBytes of [0, 64]) {
    const { network, here, port } = listener({ injectBytes });
    network.losses.push(113, 113);
    const slot = port.acquire();
    port.head(slot, MESSAGE.beat, 0, 0);
    assert(port.trySend(slot, 1, 0));
    while (network.completionsAt(0) > 0) port.poll();
    assertEquals([failureOf(here), recordsInUse(here)], [undefined, []]);
    port.sendSmall(MESSAGE.wake, 0, 1);
    const broken = (here.net.control + CONTROL.broken) / 4;
    while (here.views.i32[broken] === 0) port.poll();
    // Who it was for is not known of what left its buffer at once.
    assertEquals([...here.views.i32.subarray(broken, broken + 2)], [injectBytes > 0 ? -1 : 2, 113]);
    assertEquals(failureOf(here), undefined);
  }
});

Deno.test("a completion of something unknown is passed over, an error of it is noted", () => {
  const { network, here, port } = listener();
  const end = recordCount(here.net) + THREAD.transfer / RECORD_BYTES;
  // What lies behind the records looks like one.
  here.views.i32[(port.recordAt(end) + RECORD.kind) / 4] = RECORD_KIND.send;
  const before = here.views.u8.slice(0, here.layout.open);
  const odd = [0n, 7n, addressOf(here, port, 1) + 4n, addressOf(here, port, end)];
  for (const context of odd) network.complete(0, context);
  while (network.completionsAt(0) > 0) port.poll();
  before.set(here.views.u8.subarray(here.net.control, here.net.beats), here.net.control);
  const completions = threadOf(here.net, 0);
  before.set(here.views.u8.subarray(completions, completions + THREAD.message), completions);
  assertEquals(here.views.u8.slice(0, here.layout.open), before);
  network.complete(0, addressOf(here, port, 1_000_000), 5);
  const broken = (here.net.control + CONTROL.broken) / 4;
  while (here.views.i32[broken] === 0) port.poll();
  assertEquals([...here.views.i32.subarray(broken, broken + 2)], [-1, 5]);
});

Deno.test("an error while messages are handled ends the job and leaves the lock free", () => {
  const { network, here, port } = listener();
  port.onArrival({
    handle() {
      throw new RangeError("broken");
    },
    answer() {},
  });
  network.deliver(0, messageOf(MESSAGE.wake));
  assertThrows(
    () => {
      for (;;) port.poll();
    },
    RangeError,
    "broken",
  );
  assertEquals(failureOf(here), "PE 0 lost the network: broken");
  assert(port.take());
  port.leave();
});

Deno.test("a port that its PE has given up makes no call outside of the lock", () => {
  const { network, here, port } = listener();
  here.views.i32[HEADER.magic >>> 2] = LAYOUT_MAGIC;
  // As who closes the network keeps it.
  assert(here.progress.take());
  port.retire();
  const before = [...network.counts];
  assertThrows(() => port.sendSmall(MESSAGE.wake, 0, 1), ClosedError, "is closed");
  assertEquals([port.poll(), port.slumber(1)], [BUSY, false]);
  port.disturb();
  assertEquals([...network.counts], before);
  assertEquals(recordsInUse(here), []);
  // The other threads of the process go on.
  here.progress.sendSmall(MESSAGE.wake, 0, 1);
  here.progress.leave();
});

Deno.test("only one thread of a process reads the queue at a time", () => {
  const { here, port, network } = listener();
  assert(here.progress.take());
  assertEquals(port.poll(), BUSY);
  assert(!port.take());
  network.deliver(0, messageOf(MESSAGE.beat, { source: 1, a: 3 }));
  while (network.completionsAt(0) > 0) here.progress.look();
  here.progress.leave();
  assertEquals(port.poll(), 0);
});

Deno.test("a wait for a send buffer ends when the job fails, last words go on for a while", () => {
  const { here, port } = listener();
  const slots = Array.from({ length: here.net.slots }, () => port.tryAcquire());
  assertEquals(new Set(slots).size, here.net.slots);
  assertEquals(port.tryAcquire(), -1);
  writeFailure(here.layout, here.views, 1, 7, "PE 1 failed: why");
  const error = assertThrows(() => port.acquire(), PeFailedError, "PE 1 failed: why");
  assertEquals(error.pe, 1);
  port.waits.lastWords(30);
  const began = performance.now();
  assertThrows(() => port.acquire(), PeFailedError);
  assert(performance.now() - began >= 30);
});

Deno.test("nothing is called once the network is being closed", () => {
  const { network, here, port } = listener();
  here.views.i32[(here.net.control + CONTROL.stop) / 4] = 1;
  assertThrows(() => port.sendSmall(MESSAGE.wake, 0, 1), ClosedError, "is closed");
  assertEquals(network.counts.get("sendmsg"), undefined);
  assertEquals(recordsInUse(here), []);
  writeFailure(here.layout, here.views, 1, 7, "PE 1 failed: why");
  assertThrows(() => port.sendSmall(MESSAGE.wake, 0, 1), PeFailedError, "PE 1 failed: why");
});

Deno.test("a process takes what comes although nobody takes its answers", () => {
  // A network that buffers nothing: a message leaves when its target has a buffer for it.
  const { network, all } = startProcesses({ habits: { buffers: false, othersOneOf: 1 } });
  const [here, there] = all as [Process, Process];
  const part = heapOf(here.layout, 0) + 64;
  here.views.f64[(part - PART_HEADER_BYTES + PART_HEADER.bytes) / 8] = 64;
  // The other process is in the same state: it has no buffer left, and waits for all that it has
  // sent to leave before it has one again.
  while (network.postedAt(1) > 0) network.deliver(1, new Uint8Array());
  const count = 3 * here.net.receives;
  const head = { operation: OPERATION.fetch, type: "u32", atomic: "add" } as const;
  const { bytes, valuesAt } = beginRequest({ ...head, count: 1, part: 64, position: 0 }, 0, 4);
  let sent = 0;
  const ask = (): boolean => {
    new Uint32Array(bytes.buffer, valuesAt, 1)[0] = sent + 1;
    return network.deliver(
      0,
      messageOf(MESSAGE.operate, { source: 1, target: 0, b: 16, c: 1 }, bytes),
    );
  };
  network.setWork(0, () => {});
  network.setWork(1, () => {
    while (sent < count && ask()) sent++;
    if (sent === count) there.progress.poll();
  });
  while (sent < count || recordsInUse(here).length > 0) here.progress.poll();
  assertEquals(here.views.i32[part / 4], count * (count + 1) / 2);
  assertEquals(failureOf(here), undefined);
});

Deno.test("operations are done in their order although some have to wait for a buffer", () => {
  const { network, all } = startProcesses({ habits: { buffers: false, othersOneOf: 0 } });
  const [here] = all as [Process];
  const part = heapOf(here.layout, 0) + 64;
  here.views.f64[(part - PART_HEADER_BYTES + PART_HEADER.bytes) / 8] = 64;
  const head = { operation: OPERATION.fetch, type: "u32", atomic: "swap" } as const;
  const { bytes, valuesAt } = beginRequest({ ...head, count: 1, part: 64, position: 0 }, 0, 4);
  const count = 3 * here.net.slots;
  const last: number[] = [];
  let sent = 0;
  network.habits = { ...network.habits, othersOneOf: 1 };
  network.setWork(0, () => {
    const now = here.views.i32[part / 4]!;
    if (last.at(-1) !== now) last.push(now);
    while (sent < count) {
      new Uint32Array(bytes.buffer, valuesAt, 1)[0] = sent + 1;
      const asks = messageOf(MESSAGE.operate, { source: 1, target: 0, b: 16, c: 1 }, bytes);
      if (!network.deliver(0, asks)) break;
      sent++;
    }
  });
  while (here.views.i32[part / 4] !== count) here.progress.poll();
  assertEquals(last, last.toSorted((a, b) => a - b));
});
