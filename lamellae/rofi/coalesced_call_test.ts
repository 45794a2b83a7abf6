import { assert, assertEquals } from "@std/assert";
import { FI } from "../../ffi/mod.ts";
import { heapOf } from "../local/layout.ts";
import { CoalescedCall } from "./coalesced_call.ts";
import type { FakeNetwork } from "./fake_network_test.ts";
import {
  portOf,
  type Process,
  recordsInUse,
  type Shape,
  startProcesses,
} from "./fake_processes_test.ts";
import { COALESCED, CONTROL, THREAD, threadOf } from "./network_layout.ts";
import type { Port } from "./port.ts";
import { Transfers } from "./transfers.ts";

interface Caller {
  readonly network: FakeNetwork;
  readonly all: readonly Process[];
  readonly here: Process;
  readonly port: Port;
  readonly transfers: Transfers;
  /** What the progress thread sees of the PE's transfers. */
  readonly behind: CoalescedCall;
  /** Where the heap of PE 0 begins. */
  readonly local: number;
}

const ORDERED: Partial<Shape> = { orderedPutBytesMax: 2 ** 30 };

/** PE 0 of the first of several processes, of which no other thread works unless asked to. */
function caller(shape: Partial<Shape> = {}): Caller {
  const habits = { ordersPuts: shape.orderedPutBytesMax !== undefined, othersOneOf: 0 };
  const { network, all } = startProcesses({ ...shape, habits: { ...habits, ...shape.habits } });
  const here = all[0]!;
  const port = portOf(here, 0, network);
  const transfers = new Transfers(port, 0);
  const behind = new CoalescedCall(here.progress, 0);
  return { network, all, here, port, transfers, behind, local: heapOf(here.layout, 0) };
}

function calls({ network }: Caller): number[] {
  return ["readmsg", "writemsg"].map((name) => network.counts.get(name) ?? 0);
}

function finish({ transfers, port }: Caller, tickets: readonly number[]): void {
  while (tickets.some((ticket) => transfers.isPending(ticket))) {
    transfers.ask();
    port.poll();
  }
}

/** The word that every process has at a place of its heap. */
function wordAt({ layout, views }: Process, pe: number, offset: number): number {
  return views.i32[(heapOf(layout, pe) + offset) / 4]!;
}

/** Begins gets of a word each, from place i of PE 1 to place i here. */
function beginGets(it: Caller, count: number): number[] {
  const far = it.all[1]!;
  for (let i = 0; i < count; i++) {
    far.views.i32[(heapOf(far.layout, 1) + 8 * i) / 4] = 100 + i;
    it.here.views.i32[(it.local + 8 * i) / 4] = 0;
  }
  return Array.from(
    { length: count },
    (_, i) => it.transfers.copy(false, 1, 8 * i, it.local + 8 * i, 4),
  );
}

function gotten(it: Caller, count: number): number[] {
  return Array.from({ length: count }, (_, i) => wordAt(it.here, 0, 8 * i));
}

Deno.test("transfers that begin while another is under way share calls", () => {
  for (const transferPiecesMax of [1, 2, 3, 4, 100]) {
    const pieces = Math.min(4, transferPiecesMax);
    const it = caller({ ...ORDERED, transferPiecesMax });
    const gets = beginGets(it, 9);
    assertEquals(calls(it), [1 + Math.floor(8 / pieces), 0]);
    finish(it, gets);
    assertEquals(gotten(it, 9), Array.from({ length: 9 }, (_, i) => 100 + i));
    assertEquals(calls(it), [1 + Math.ceil(8 / pieces), 0]);
    assertEquals(recordsInUse(it.here), []);

    const before = it.network.pieces;
    const puts = Array.from(
      { length: 9 },
      (_, i) => it.transfers.copy(true, 1, 1024 + 8 * i, it.local + 8 * i, 4),
    );
    finish(it, puts);
    assertEquals(wordAt(it.all[1]!, 1, 1024 + 64), 108);
    // Those of the last call ask themselves, unless it is full: then one more does.
    assertEquals(calls(it)[1], it.network.pieces - before - 9 + 1 + Math.ceil(8 / pieces));
    assertEquals(recordsInUse(it.here), []);
  }
});

Deno.test("a transfer goes out at once if none is under way", () => {
  const it = caller(ORDERED);
  for (let round = 1; round < 5; round++) {
    const [first] = beginGets(it, 1);
    assertEquals(calls(it)[0], 3 * round - 2);
    const others = [1, 2].map((i) => it.transfers.copy(false, 1, 0, it.local + 8 * i, 4));
    assertEquals(calls(it)[0], 3 * round - 2);
    finish(it, [first!]);
    assertEquals(calls(it)[0], 3 * round - 1);
    finish(it, others);
    finish(it, beginGets(it, 1));
    assertEquals(calls(it)[0], 3 * round);
  }
});

Deno.test("transfers that cannot share a call go out in the order of their beginning", () => {
  const it = caller({ ...ORDERED, processes: 3, heapBytes: 2 ** 22 });
  const { transfers, local } = it;
  const tickets = [transfers.copy(false, 1, 0, local, 8), transfers.copy(false, 1, 0, local, 8)];
  assertEquals(calls(it), [1, 0]);
  tickets.push(transfers.copy(true, 1, 0, local, 8));
  assertEquals(calls(it), [2, 0], "the other direction");
  tickets.push(transfers.copy(true, 2, 0, local, 8));
  assertEquals(calls(it), [2, 1], "another process");
  tickets.push(transfers.copy(true, 2, 0, local, it.behind.bytesMax));
  assertEquals(calls(it), [2, 1]);
  tickets.push(transfers.copy(true, 2, 0, local, it.behind.bytesMax));
  assertEquals(calls(it), [2, 2], "more bytes than a call is to have");
  tickets.push(transfers.copy(true, 2, 0, local, it.behind.bytesMax + 1));
  assertEquals(calls(it), [2, 4], "more bytes than one that waits may have");
  finish(it, tickets);
  assertEquals(recordsInUse(it.here), []);
});

Deno.test("puts share no call that is longer than those that keep their order", () => {
  for (const write of [true, false]) {
    const it = caller({ orderedPutBytesMax: 100 });
    const tickets = [1, 2, 3].map((i) => it.transfers.copy(write, 1, 256 * i, it.local, 51));
    assertEquals(calls(it), write ? [0, 2] : [1, 0]);
    finish(it, tickets);
  }
});

Deno.test("puts that keep no order share no call, nor what is over at once", () => {
  const it = caller();
  const puts = [1, 2, 3].map((i) => it.transfers.copy(true, 1, 8 * i, it.local, 8));
  assertEquals(calls(it), [0, 3]);
  finish(it, puts);
  const near = caller({ oneHost: true, habits: { copiesInPlace: true } });
  // Another thread reads the queue, so that none is known to be over.
  finish(near, beginGets(near, 1));
  assert(near.here.progress.take());
  const [before] = calls(near);
  const gets = beginGets(near, 5);
  assertEquals(calls(near)[0], before! + 5);
  near.here.progress.leave();
  finish(near, gets);
});

Deno.test("the progress thread makes the call for a PE that does not look", () => {
  const it = caller(ORDERED);
  const gets = beginGets(it, 3);
  assertEquals(calls(it), [1, 0]);
  assert(!it.behind.isEmpty);
  assertEquals(it.behind.flush(false), 2);
  assertEquals(calls(it), [2, 0]);
  assertEquals(it.behind.flush(false), 0);
  // Others begin meanwhile: they have nothing to do with those that are gone.
  const more = [3, 4].map((i) => it.transfers.copy(false, 1, 8 * i, it.local + 8 * i, 4));
  assertEquals(calls(it), [2, 0]);
  finish(it, [...gets, ...more]);
  assertEquals(gotten(it, 5).slice(0, 3), [100, 101, 102]);
  assertEquals(calls(it), [3, 0]);

  const puts = [1, 2, 3].map((i) => it.transfers.copy(true, 1, 8 * i, it.local, 4));
  assertEquals(it.behind.flush(false), 2);
  while (!it.network.quiet) it.here.progress.poll();
  // They did not ask, and so far nobody did after them.
  assert(it.transfers.isPending(puts[2]!));
  finish(it, puts);
  assertEquals(wordAt(it.all[1]!, 1, 24), 100);
  assertEquals(recordsInUse(it.here), []);
});

Deno.test("a transfer waits for no other that is over, and for all that are under way", () => {
  const waited = [0, 0];
  for (let round = 0; round < 60; round++) {
    const it = caller(ORDERED);
    const gets = beginGets(it, 5);
    assertEquals(calls(it), [2, 0]);
    while (it.transfers.isPending(gets[0]!)) it.port.poll();
    const waits = it.transfers.isPending(gets[1]!);
    gets.push(it.transfers.copy(false, 1, 0, it.local, 4));
    assertEquals(calls(it)[0], waits ? 2 : 3);
    waited[Number(waits)]!++;
    finish(it, gets);
  }
  assert(waited.every((count) => count > 0), `${waited}`);
});

Deno.test("a transfer waits neither for what another thread makes meanwhile, nor with it", () => {
  const waited = [0, 0];
  for (let round = 0; round < 60; round++) {
    const it = caller(ORDERED);
    const lock = (threadOf(it.here.net, 0) + THREAD.coalesced + COALESCED.lock) / 4;
    const gets = beginGets(it, 2);
    it.here.views.i32[lock] = 1;
    assertEquals(it.behind.flush(false), -FI.FI_EAGAIN);
    it.transfers.ask();
    assertEquals(calls(it), [1, 0]);
    let gone = 0;
    it.network.setWork(0, () => {
      it.here.views.i32[lock] = 0;
      // Once they are gone it still looks for a while whether there is more.
      gone += it.behind.flush(false);
      it.here.views.i32[lock] = it.network.chance.below(4);
    });
    it.network.habits = { ...it.network.habits, othersOneOf: 2 };
    const third = it.transfers.copy(false, 1, 16, it.local + 16, 4);
    it.network.habits = { ...it.network.habits, othersOneOf: 0 };
    assertEquals([gone, it.here.views.i32[lock]], [1, 0]);
    const waits = it.transfers.isPending(gets[1]!);
    assertEquals(calls(it)[0], waits ? 2 : 3);
    waited[Number(waits)]!++;
    finish(it, [...gets, third]);
    assertEquals(gotten(it, 2), [100, 101]);
  }
  assert(waited.every((count) => count > 0), `${waited}`);
});

Deno.test("transfers whose call fails are not over, and the job fails", () => {
  for (const write of [false, true]) {
    for (const failures of [1, 100]) {
      const it = caller(ORDERED);
      it.here.views.i32[it.local / 4] = 5;
      const first = it.transfers.copy(write, 1, 0, it.local, 8);
      const refusals = Array.from({ length: failures }, () => -FI.FI_EINVAL);
      it.network.refusals.set(write ? "writemsg" : "readmsg", refusals);
      const second = it.transfers.copy(write, 1, 8, it.local, 8);
      for (let i = 0; i < 50; i++) {
        it.transfers.ask();
        it.port.poll();
      }
      assert(!it.transfers.isPending(first));
      if (failures > 1) assert(it.transfers.isPending(second));
      else finish(it, [second]);
      if (failures === 1 && write) assertEquals(wordAt(it.all[1]!, 1, 8), 5);
      const broken = (it.here.net.control + CONTROL.broken) / 4;
      assertEquals([...it.here.views.i32.subarray(broken, broken + 2)], [2, FI.FI_EINVAL]);
    }
  }
});

Deno.test("no call of waiting transfers is made once the network is being closed", () => {
  const it = caller(ORDERED);
  beginGets(it, 3);
  it.here.views.i32[(it.here.net.control + CONTROL.stop) / 4] = 1;
  it.transfers.ask();
  assertEquals(calls(it), [1, 0]);
});

Deno.test("every transfer moves what it should, whatever calls they share", () => {
  for (const shape of [{}, { nearPes: 2 }, { processes: 4 }, { transferPiecesMax: 2 }]) {
    const habits = { againOneOf: 15, othersOneOf: 3 };
    const it = caller({ ...ORDERED, ...shape, habits, heapBytes: 2 ** 17 });
    const { all, network, transfers } = it;
    const { chance } = network;
    const { nearPes } = it.here.net;
    for (const { views } of all) for (let i = 0; i < 500; i++) views.u8[it.local + i] = i;
    // By place: one transfer at a time has to do with it.
    const open = new Map<number, { ticket: number; check: () => void }>();
    const settle = (): void => {
      for (const [place, { ticket, check }] of open) {
        if (transfers.isPending(ticket)) continue;
        check();
        open.delete(place);
      }
    };
    for (let round = 0; round < 6000; round++) {
      const place = chance.below(60);
      if (chance.one(12) || open.has(place)) {
        transfers.ask();
        it.port.poll();
        settle();
        continue;
      }
      const write = chance.one(2);
      const rank = 1 + chance.below(all.length - 1);
      const pe = rank * nearPes + chance.below(nearPes);
      const [near, far] = [it.local + 1024 * (place + 1), 1024 * (place + 1)];
      const bytes = 1 + chance.below(400);
      const there = heapOf(all[rank]!.layout, pe) + far;
      const [source, from] = write ? [it.here, near] : [all[rank]!, there];
      const [sink, to] = write ? [all[rank]!, there] : [it.here, near];
      const sent = Uint8Array.from({ length: bytes }, () => chance.below(256));
      source.views.u8.set(sent, from);
      const ticket = transfers.copy(write, pe, far, near, bytes);
      const check = (): void =>
        assertEquals(sink.views.u8.slice(to, to + bytes), sent, `seed ${chance.seed}`);
      open.set(place, { ticket, check });
    }
    while (open.size > 0) {
      transfers.ask();
      it.port.poll();
      settle();
    }
    const made = calls(it).reduce((sum, count) => sum + count);
    assert(network.pieces > made, `${made} calls of ${network.pieces} pieces`);
    while (recordsInUse(it.here).length > 0) it.port.poll();
  }
});
