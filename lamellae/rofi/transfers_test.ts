import { assert, assertEquals, assertThrows } from "@std/assert";
import { TransportError } from "../../internal/errors.ts";
import { heapOf } from "../local/layout.ts";
import { beginRequest, OPERATION, PART_HEADER, PART_HEADER_BYTES } from "../memory_operations.ts";
import { REPLY_HEAD_BYTES } from "../memory_operations.ts";
import {
  failureOf,
  portOf,
  type Process,
  type Processes,
  recordsInUse,
  type Shape,
  startProcesses,
} from "./fake_processes_test.ts";
import { CONTROL } from "./network_layout.ts";
import type { Port } from "./port.ts";
import { Transfers } from "./transfers.ts";

interface Caller {
  readonly processes: Processes;
  readonly here: Process;
  readonly there: Process;
  readonly port: Port;
  readonly transfers: Transfers;
}

/** PE 0 of the first of two processes. */
function caller(shape: Partial<Shape> = {}): Caller {
  const processes = startProcesses(shape);
  const [here, there] = processes.all as [Process, Process];
  const port = portOf(here, 0, processes.network);
  return { processes, here, there, port, transfers: new Transfers(port, 0) };
}

/** Bytes that a number makes up. */
function pattern(bytes: number, from: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (from + 7 * i) & 255);
}

function finish({ transfers, port }: Caller, ticket: number): void {
  while (transfers.isPending(ticket)) {
    transfers.ask();
    port.poll();
  }
}

/** The bytes of a heap from an offset on. */
function heapAt({ layout, views }: Process, pe: number, offset: number, bytes: number) {
  const at = heapOf(layout, pe) + offset;
  return views.u8.subarray(at, at + bytes);
}

Deno.test("Transfers puts to and gets from the segment of the PE that is meant", () => {
  for (const nearPes of [1, 3]) {
    const it = caller({ nearPes });
    const pe = 2 * nearPes - 1;
    const local = heapOf(it.here.layout, 0) + 128;
    it.here.views.u8.set(pattern(1000, 1), local);
    finish(it, it.transfers.copy(true, pe, 4096, local, 1000));
    assertEquals(heapAt(it.there, pe, 4096, 1000), pattern(1000, 1));
    assertEquals(heapAt(it.there, pe, 4088, 8), new Uint8Array(8));
    heapAt(it.there, pe, 64, 16).set(pattern(16, 9));
    finish(it, it.transfers.copy(false, pe, 64, local, 16));
    assertEquals(it.here.views.u8.slice(local, local + 16), pattern(16, 9));
    assertEquals(recordsInUse(it.here), []);
  }
});

Deno.test("Transfers asks for delivery, unless the call itself delivers", () => {
  for (const oneHost of [false, true]) {
    for (const copiesInPlace of [false, true]) {
      const it = caller({ oneHost, habits: { copiesInPlace } });
      const local = heapOf(it.here.layout, 0);
      for (let round = 0; round < 3; round++) {
        it.here.views.u8.set(pattern(40, round), local);
        finish(it, it.transfers.copy(true, 1, 8, local, 40));
        assertEquals(heapAt(it.there, 1, 8, 40), pattern(40, round));
      }
      assertEquals(it.processes.network.deliveries, oneHost && copiesInPlace ? 0 : 3);
      assertEquals(recordsInUse(it.here), []);
    }
  }
});

Deno.test("Transfers of a row of puts that keep their order asks for the arrival of a few", () => {
  for (const [puts, bytes, deliveries] of [[64, 40, 3], [8, 40000, 2]] as const) {
    const it = caller({ orderedPutBytesMax: 2 ** 30, habits: { ordersPuts: true } });
    const local = heapOf(it.here.layout, 0);
    it.here.views.u8.set(pattern(bytes, 1), local);
    const tickets = Array.from(
      { length: puts },
      (_, i) => it.transfers.copy(true, 1, 8 * i, local, bytes),
    );
    for (const ticket of tickets) finish(it, ticket);
    assertEquals(heapAt(it.there, 1, 8 * (puts - 1), bytes), pattern(bytes, 1));
    assertEquals(it.processes.network.deliveries, deliveries);
    assertEquals(recordsInUse(it.here), []);
  }
});

Deno.test("Transfers ends no put that keeps its order before it has arrived", () => {
  const ordered = { habits: { ordersPuts: true, againOneOf: 20 }, orderedPutBytesMax: 300 };
  for (const shape of [{}, { nearPes: 2 }, { processes: 4 }]) {
    const it = caller({ ...ordered, ...shape });
    const { all, network } = it.processes;
    const { chance } = network;
    const local = heapOf(it.here.layout, 0);
    it.here.views.u8.set(pattern(4096, 1), local);
    // By the place it goes to, what is under way: another put there would hide whether it came.
    const open = new Map<number, { ticket: number; check: () => void }>();
    const look = (): void => {
      it.transfers.ask();
      it.port.poll();
      for (const [place, { ticket, check }] of open) {
        if (it.transfers.isPending(ticket)) continue;
        check();
        open.delete(place);
      }
    };
    for (let round = 0; round < 5000; round++) {
      const place = chance.below(100);
      if (chance.one(50) || open.has(place)) {
        look();
        continue;
      }
      const rank = 1 + chance.below(all.length - 1);
      const pe = rank * it.here.net.nearPes;
      const bytes = 1 + chance.below(400);
      const from = local + chance.below(3000);
      const ticket = it.transfers.copy(true, pe, 512 * place, from, bytes);
      const sent = it.here.views.u8.slice(from, from + bytes);
      const check = (): void =>
        assertEquals(heapAt(all[rank]!, pe, 512 * place, bytes).slice(), sent, `${chance.seed}`);
      open.set(place, { ticket, check });
    }
    while (open.size > 0) look();
    while (recordsInUse(it.here).length > 0) it.port.poll();
  }
});

Deno.test("Transfers are over with the call where that copies", () => {
  for (const write of [true, false]) {
    const it = caller({ oneHost: true, habits: { copiesInPlace: true, othersOneOf: 0 } });
    const local = heapOf(it.here.layout, 0);
    const bytes = pattern(it.here.net.bufferBytes * 2 + 5, 3);
    // The queue may have nothing to tell yet, when it is asked.
    let over = 0;
    for (let round = 0; round < 50; round++) {
      const tickets = [
        it.transfers.copy(write, 1, 8, local, 40),
        it.transfers.copyArray(write, 1, 64, bytes),
      ];
      for (const ticket of tickets) if (ticket === 0) over++;
      for (const ticket of tickets) if (ticket !== 0) finish(it, ticket);
    }
    assert(over > 50, `${over} of 100 were over`);
    assertEquals(heapAt(it.there, 1, 64, bytes.length), bytes);
    assertEquals(recordsInUse(it.here), []);
    // Another thread may be reading the queue.
    assert(it.here.progress.take());
    const ticket = it.transfers.copy(write, 1, 8, local, 40);
    assert(it.transfers.isPending(ticket));
    it.here.progress.leave();
    finish(it, ticket);
  }
});

Deno.test("Transfers cuts what the provider does not take in one piece", () => {
  const it = caller({ transferBytesMax: 100, habits: { againOneOf: 3 } });
  const local = heapOf(it.here.layout, 0);
  it.here.views.u8.set(pattern(1001, 3), local);
  finish(it, it.transfers.copy(true, 1, 8, local, 1001));
  assertEquals(heapAt(it.there, 1, 8, 1001), pattern(1001, 3));
  assertEquals(heapAt(it.there, 1, 1009, 8), new Uint8Array(8));
});

Deno.test("Transfers copies arrays of any length, however short its buffers are", () => {
  const it = caller();
  for (const bytes of [1, 100, it.here.net.bufferBytes, it.here.net.bufferBytes * 2 + 5]) {
    const array = pattern(bytes, bytes);
    finish(it, it.transfers.copyArray(true, 1, 32, array));
    assertEquals(heapAt(it.there, 1, 32, bytes), array);
    const back = new Uint8Array(bytes);
    finish(it, it.transfers.copyArray(false, 1, 32, back));
    assertEquals(back, array);
  }
  assertEquals(recordsInUse(it.here), []);
});

Deno.test("Transfers runs out of neither records nor buffers when nobody asks for tickets", () => {
  for (const ordersPuts of [false, true]) {
    const orderedPutBytesMax = ordersPuts ? 2 ** 30 : 0;
    // Once without others that work meanwhile, which leaves all under way for as long as it can.
    for (const othersOneOf of [0, 2]) {
      const habits = { ordersPuts, othersOneOf };
      const it = caller({ processes: 7, orderedPutBytesMax, habits });
      const { net } = it.here;
      const local = heapOf(it.here.layout, 0);
      const array = pattern(64, 5);
      const tickets = new Set<number>();
      for (let i = 0; i < 3 * net.transfers; i++) {
        tickets.add(it.transfers.copy(true, 1 + i % 6, 8 * (i % 64), local, 8));
      }
      for (let i = 0; i < 3 * net.transfers; i++) {
        tickets.add(it.transfers.copyArray(true, 1 + i % 6, 8 * (i % 64), array));
        tickets.add(it.transfers.copy(false, 1, 0, local, 8));
      }
      assertEquals(tickets.size, 9 * net.transfers);
      for (const ticket of tickets) finish(it, ticket);
      while (recordsInUse(it.here).length > 0) it.port.poll();
    }
  }
});

Deno.test("Transfers asks for the arrival of puts whose buffers are wanted", () => {
  const it = caller({ processes: 3, orderedPutBytesMax: 2 ** 30, habits: { ordersPuts: true } });
  const { net } = it.here;
  const local = heapOf(it.here.layout, 0);
  const array = pattern(2 * net.bufferBytes + 5, 3);
  // The one that asks has no buffer to give back.
  it.transfers.copy(true, 1, 0, local, 8);
  finish(it, it.transfers.copyArray(true, 1, 64, array));
  assertEquals(heapAt(it.there, 1, 64, array.length), array);
  it.transfers.copy(true, 1, 0, local, 8);
  for (let i = 0; i < 3 * net.slots; i++) it.transfers.copyArray(true, 1, 64, array.slice(0, 8));
  const slots = Array.from({ length: net.slots }, () => it.port.acquire());
  for (const slot of slots) it.port.release(slot);

  // Another PE's request comes while a put waits to be taken, and its answer needs a buffer.
  it.transfers.copy(true, 1, 0, local, 8);
  for (let i = 0; i < net.slots; i++) it.transfers.copyArray(true, 1, 64, array.slice(0, 8));
  assertEquals(it.port.tryAcquire(), -1);
  const far = { port: portOf(it.there, 0, it.processes.network) };
  const asker = new Transfers(far.port, 1);
  it.here.views.f64[(local + 64 - PART_HEADER_BYTES + PART_HEADER.bytes) / 8] = 64;
  const reply = new Uint8Array(REPLY_HEAD_BYTES + 8);
  const request = asker.operate(0, fetchAdd(), reply);
  it.here.views.u8.set(pattern(16, 7), local + 1024);
  it.processes.network.refusals.set("writemsg", Array.from({ length: 50 }, () => -11));
  finish(it, it.transfers.copy(true, 2, 4096, local + 1024, 16));
  assertEquals(heapAt(it.processes.all[2]!, 2, 4096, 16), pattern(16, 7));
  while (asker.isPending(request)) {
    far.port.poll();
    it.port.poll();
  }
});

Deno.test("Transfers keeps what failed under way, and the process is noted", () => {
  const it = caller();
  const local = heapOf(it.here.layout, 0);
  it.processes.network.losses.push(125);
  const failing = it.transfers.copy(false, 1, 0, local, 8);
  const broken = (it.here.net.control + CONTROL.broken) / 4;
  while (it.here.views.i32[broken] === 0) it.port.poll();
  assert(it.transfers.isPending(failing));
  assertEquals([...it.here.views.i32.subarray(broken, broken + 2)], [2, 125]);
});

Deno.test("Transfers gives everything back when the provider refuses a call", () => {
  const it = caller();
  const { refusals } = it.processes.network;
  const { net } = it.here;
  for (let i = 0; i < 2 * net.transfers; i++) {
    refusals.set("writemsg", [-22]);
    assertThrows(() => it.transfers.copyArray(true, 1, 0, pattern(8, 1)), TransportError);
  }
  const request = fetchAdd();
  for (let i = 0; i < 2 * net.slots; i++) {
    refusals.set("sendmsg", [-22]);
    const reply = new Uint8Array(64);
    assertThrows(() => it.transfers.operate(1, request, reply), TransportError);
  }
  assertEquals(recordsInUse(it.here), []);
  finish(it, it.transfers.copyArray(true, 1, 0, pattern(8, 1)));
});

Deno.test("Transfers waits for the pieces under way when the provider refuses a later one", () => {
  const it = caller({ transferBytesMax: 100, habits: { othersOneOf: 0 } });
  it.processes.network.refusals.set("writemsg", [...ONWARDS, -22]);
  const array = pattern(1000, 1);
  assertThrows(() => it.transfers.copyArray(true, 1, 0, array), TransportError);
  assertEquals(recordsInUse(it.here).length, 2);
  while (recordsInUse(it.here).length > 1) it.port.poll();
  for (let i = 0; i < it.here.net.slots; i++) it.transfers.copyArray(true, 1, 0, array);
  assertEquals(failureOf(it.here), undefined);
});

/** Calls that are made. */
const ONWARDS = [undefined, undefined, undefined] as unknown as number[];

/** Adds 5 to the first element of a part at offset 64. */
function fetchAdd(): Uint8Array {
  const head = { operation: OPERATION.fetch, type: "u32", atomic: "add" } as const;
  const { bytes, valuesAt } = beginRequest({ ...head, count: 1, part: 64, position: 0 }, 0, 4);
  new Uint32Array(bytes.buffer, valuesAt, 1)[0] = 5;
  return bytes;
}

Deno.test("Transfers runs operations at a far PE once each and in their order", () => {
  const it = caller({ nearPes: 2, injectBytes: 80, habits: { againOneOf: 4 } });
  const header = heapOf(it.there.layout, 3) + 64 - PART_HEADER_BYTES;
  it.there.views.f64[(header + PART_HEADER.bytes) / 8] = 64;
  const replies = Array.from({ length: 300 }, () => new Uint8Array(REPLY_HEAD_BYTES + 8));
  const tickets = replies.map((reply) => it.transfers.operate(3, fetchAdd(), reply));
  for (const ticket of tickets) finish(it, ticket);
  const before = replies.map((reply) => new Uint32Array(reply.buffer)[2]);
  assertEquals(before, replies.map((_, i) => 5 * i));
  assertEquals(recordsInUse(it.here), []);
});

Deno.test("Operations that wait for replies leave send buffers to answer those of others", () => {
  const it = caller({ injectBytes: 80 });
  const { network } = it.processes;
  const header = heapOf(it.there.layout, 1) + 64 - PART_HEADER_BYTES;
  it.there.views.f64[(header + PART_HEADER.bytes) / 8] = 64;
  const { habits } = network;
  network.habits = { ...habits, othersOneOf: 0 };
  const waits = new Set<string>();
  let free = 0;
  const { waits: ofPort } = it.port;
  const until = ofPort.until.bind(ofPort);
  ofPort.until = (done, wait) => {
    if (waits.size === 0) {
      const slots: number[] = [];
      for (let slot; (slot = it.port.tryAcquire()) >= 0;) slots.push(slot);
      for (const slot of slots) it.port.release(slot);
      free = slots.length;
    }
    waits.add(wait.op);
    network.habits = habits;
    until(done, wait);
  };
  const reply = (): Uint8Array => new Uint8Array(REPLY_HEAD_BYTES + 8);
  const count = 2 * it.here.net.slots;
  const tickets = Array.from({ length: count }, () => it.transfers.operate(1, fetchAdd(), reply()));
  assertEquals([...waits], ["a reply"]);
  assert(free > 0, "all send buffers wait for replies");
  for (const ticket of tickets) finish(it, ticket);
  assertEquals(recordsInUse(it.here), []);
});
