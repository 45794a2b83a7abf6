import { assert, assertEquals } from "@std/assert";
import { RING, ringHeaderOf, ringOf } from "../local/layout.ts";
import {
  failureOf,
  portOf,
  type Process,
  type Processes,
  recordsInUse,
  settleNetwork,
  type Shape,
  startProcesses,
} from "./fake_processes_test.ts";
import { MESSAGE } from "./message.ts";
import { Outgoing } from "./outgoing.ts";
import type { Port } from "./port.ts";
import { Transfers } from "./transfers.ts";

interface Sender {
  readonly processes: Processes;
  readonly from: Process;
  readonly port: Port;
  readonly outgoing: Outgoing;
}

/** PE 0 of the first process, which sends to PEs of the others. */
function sender(shape: Partial<Shape> = {}): Sender {
  const processes = startProcesses(shape);
  const from = processes.all[0]!;
  const port = portOf(from, 0, processes.network);
  return { processes, from, port, outgoing: new Outgoing(port, 0) };
}

/** Writes a frame of words that count up from `first`; returns whether there was room. */
function write({ outgoing, from }: Sender, pe: number, bytes: number, first = 0): boolean {
  const at = outgoing.reserve(pe, bytes);
  if (at < 0) return false;
  for (let i = 0; i < bytes / 4; i++) from.views.i32[at / 4 + i] = i === 0 ? bytes : first + i;
  outgoing.commit(pe, bytes);
  return true;
}

/** Reads what came to a PE of another process, and reports it read as far as that. */
function read({ processes }: Sender, pe: number, report = true): number[] {
  settleNetwork(processes);
  const process = processes.all.find(({ layout }) =>
    pe >= layout.firstPe && pe < layout.firstPe + layout.nearPes
  )!;
  assertEquals(failureOf(process), undefined);
  const { layout, views } = process;
  const header = ringHeaderOf(layout, pe, 0);
  const ring = ringOf(layout, pe, 0);
  const lengths: number[] = [];
  const tail = views.i32[(header + RING.tail) / 4]!;
  let head = views.i32[(header + RING.head) / 4]!;
  while (head !== tail) {
    const place = head & (layout.ringBytes - 1);
    const bytes = views.i32[(ring + place) / 4]!;
    if (bytes > 0) lengths.push(bytes);
    head = (head + (bytes || layout.ringBytes - place)) | 0;
  }
  views.i32[(header + RING.head) / 4] = head;
  if (report) {
    const slot = process.progress.acquire();
    process.progress.head(slot, MESSAGE.head, pe, 0, head);
    process.progress.send(slot, 0, 0);
    settleNetwork(processes);
  }
  return lengths;
}

Deno.test("Outgoing gathers frames for a PE in one message until they are published", () => {
  const it = sender();
  for (const bytes of [16, 24, 104]) assert(write(it, 1, bytes));
  assertEquals(read(it, 1), []);
  it.outgoing.publish(1);
  it.outgoing.publish(1);
  assertEquals(it.processes.network.counts.get("sendmsg"), 2);
  assertEquals(read(it, 1), [16, 24, 104]);
  assertEquals(recordsInUse(it.from), []);
});

Deno.test("Outgoing sends a full batch by itself", () => {
  const it = sender();
  for (let i = 0; i < 5; i++) assert(write(it, 1, 256));
  assertEquals(read(it, 1), [256, 256, 256, 256]);
  it.outgoing.publish(1);
  assertEquals(read(it, 1), [256]);
});

Deno.test("Outgoing has no room for more than the ring of the target until that reports", () => {
  const it = sender();
  for (let i = 0; i < 4; i++) assert(write(it, 1, 1024));
  assert(!write(it, 1, 8));
  it.outgoing.publish(1);
  assertEquals(read(it, 1, false), [1024, 1024, 1024, 1024]);
  assert(!write(it, 1, 8));
  read(it, 1);
  assert(write(it, 1, 1024));
});

Deno.test("Outgoing passes over the end of the ring when a frame does not fit there", () => {
  const it = sender();
  for (let i = 0; i < 4; i++) assert(write(it, 1, 1000));
  it.outgoing.publish(1);
  assertEquals(read(it, 1), [1000, 1000, 1000, 1000]);
  // 96 bytes are left before the end.
  assert(write(it, 1, 104));
  assert(write(it, 1, 96));
  it.outgoing.publish(1);
  assertEquals(read(it, 1), [104, 96]);
});

Deno.test("Outgoing counts the end of the ring that it passes over as used", () => {
  const it = sender();
  for (let i = 0; i < 4; i++) assert(write(it, 1, 1000));
  it.outgoing.publish(1);
  const head = it.from.net.heads / 4 + 1;
  // 3024 bytes are used, and 96 are left before the end.
  it.from.views.i32[head] = 976;
  assert(!write(it, 1, 1024));
  it.from.views.i32[head] = 976 + 48;
  assert(write(it, 1, 1024));
});

Deno.test("Outgoing fills the ring to its last byte without passing over anything", () => {
  const it = sender();
  for (let i = 0; i < 4; i++) assert(write(it, 1, 1000));
  assert(write(it, 1, 96));
  it.outgoing.publish(1);
  assertEquals(read(it, 1), [1000, 1000, 1000, 1000, 96]);
  assert(write(it, 1, 8));
});

Deno.test("Outgoing keeps frames apart and in order where positions wrap at 32 bits", () => {
  const it = sender({ injectBytes: 200 });
  const { chance } = it.processes.network;
  const { layout, views } = it.processes.all[1]!;
  // As if almost 4 GiB had been sent: both sides count from the same position.
  const start = -8192;
  const header = ringHeaderOf(layout, 1, 0);
  views.i32[(header + RING.tail) / 4] = start;
  views.i32[(header + RING.head) / 4] = start;
  it.from.views.i32[it.from.net.heads / 4 + 1] = start;
  for (let sent = 0; sent < 40_000;) {
    const expected: number[] = [];
    const bytes = 8 + 8 * chance.below(128);
    for (; write(it, 1, bytes); sent += bytes) expected.push(bytes);
    it.outgoing.publish(1);
    assertEquals(read(it, 1), expected, `seed ${chance.seed}`);
  }
});

Deno.test("Outgoing sends begun batches when there is no send buffer for another", () => {
  const it = sender({ processes: 30 });
  for (let pe = 1; pe < 30; pe++) while (!write(it, pe, 16)) it.port.poll();
  for (let pe = 1; pe < 30; pe++) it.outgoing.publish(pe);
  for (let pe = 1; pe < 30; pe++) assertEquals(read(it, pe, false), [16], `PE ${pe}`);
});

Deno.test("Outgoing gives begun batches away when something else needs a send buffer", () => {
  const it = sender({ processes: 30 });
  for (let pe = 1; pe <= it.from.net.slots; pe++) assert(write(it, pe, 16), `PE ${pe}`);
  it.port.sendSmall(MESSAGE.wake, 0, 1);
  for (let pe = 1; pe < it.from.net.slots; pe++) {
    assertEquals(read(it, pe, false), [16], `PE ${pe}`);
  }
});

Deno.test("Outgoing does not give the batch away in which a frame is being written", () => {
  const it = sender();
  const at = it.outgoing.reserve(1, 64);
  const slots = Array.from({ length: it.from.net.slots - 1 }, () => it.port.tryAcquire());
  it.port.reclaim();
  it.from.views.i32[at / 4] = 64;
  it.outgoing.commit(1, 64);
  for (const slot of slots) it.port.release(slot);
  it.outgoing.publish(1);
  assertEquals(read(it, 1), [64]);
});

Deno.test("Outgoing finds the send buffers of transfers that are over", () => {
  const it = sender();
  const transfers = new Transfers(it.port, 0);
  const array = new Uint8Array(64);
  for (let i = 0; i < it.from.net.slots; i++) transfers.copyArray(true, 1, 0, array);
  // Nobody asks how they went.
  settleNetwork(it.processes);
  assert(write(it, 1, 16));
});
