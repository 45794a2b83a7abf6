/** The rofi lamella of four PEs in two processes against a model, and by itself. */

import { assert, assertEquals } from "@std/assert";
import { EXCHANGE_AREA_BYTES } from "../../internal/limits.ts";
import {
  ACTIVITY,
  type FrameSink,
  WAIT_EVENT,
  WAIT_FAILED,
  WAIT_FOR,
  WAIT_TIMEOUT,
} from "../lamella.ts";
import { writeFailure } from "../local/failure_record.ts";
import { heapOf } from "../local/layout.ts";
import {
  beginRequest,
  OPERATION,
  PART_HEADER,
  PART_HEADER_BYTES,
  REPLY_HEAD_BYTES,
} from "../memory_operations.ts";
import { Chance } from "./fake_network_test.ts";
import {
  failureOf,
  kernelsOf,
  type Process,
  type Processes,
  recordsInUse,
  type Shape,
  startProcesses,
} from "./fake_processes_test.ts";
import { CONTROL } from "./network_layout.ts";
import { RofiLamella } from "./rofi_lamella.ts";

/** The lamella of each PE. */
function lamellae({ network, all }: Processes): RofiLamella[] {
  return all.flatMap(({ start, memory, layout }) =>
    Array.from({ length: layout.nearPes }, (_, thread) => {
      const kernels = kernelsOf(start, memory, thread);
      const calls = network.calls(start.rank);
      return new RofiLamella(start, memory, kernels, layout.firstPe + thread, undefined, calls);
    })
  );
}

/** Where each PE's heap has counters, what others put there, and room of its own. */
const PART = 64;
const COLUMNS = 1024;
const COLUMN_BYTES = 2048;
const STAGING = 10_240;
const LONG_COLUMNS = 16_384;
const LONG_BYTES = 12_288;

/** A put, get or operation under way. */
interface Pending {
  readonly by: number;
  readonly ticket: number;
  /** The place that is in use until it is done. */
  readonly place: string;
  done(): void;
}

/** Does things at random, and knows what has to come of them. */
class Model {
  readonly #chance: Chance;
  readonly #processes: Processes;
  readonly #pes: RofiLamella[];
  /** By source and target: frames sent and received. */
  readonly #sent = new Map<string, number>();
  readonly #received = new Map<string, number>();
  /** What stands at a place. */
  readonly #places = new Map<string, Uint8Array>();
  readonly #pending: Pending[] = [];
  readonly #busy = new Set<string>();
  /** By target: what the counter was before each addition, by who added. */
  readonly #counted: number[][][];
  /** By source and target: the last signal. */
  readonly #signals = new Map<string, number>();

  constructor(processes: Processes) {
    this.#processes = processes;
    this.#chance = processes.network.chance;
    this.#pes = lamellae(processes);
    this.#counted = this.#pes.map(() => this.#pes.map(() => []));
    for (const lamella of this.#pes) {
      const part = lamella.address(lamella.pe, PART) - PART_HEADER_BYTES;
      lamella.views.f64[(part + PART_HEADER.bytes) / 8] = 64;
    }
  }

  /** Does one thing. */
  step(): void {
    const chance = this.#chance;
    const pe = this.#pes[chance.below(this.#pes.length)]!;
    const other = chance.below(this.#pes.length);
    switch (chance.below(10)) {
      case 0:
      case 1:
        return this.#send(pe, other);
      case 2:
        return pe.publish(other);
      case 3:
      case 4:
        return void pe.poll(this.#sink(pe));
      case 5:
        return this.#put(pe, other);
      case 6:
        return this.#putLong(pe, other);
      case 7:
        return this.#count(pe, other);
      case 8:
        return this.#signal(pe, other);
      default:
        return this.#ask();
    }
  }

  #send(pe: RofiLamella, to: number): void {
    const bytes = 8 * (2 + this.#chance.below(this.#chance.one(4) ? 127 : 8));
    const at = pe.reserve(to, bytes);
    if (at < 0) return;
    const pair = `${pe.pe} to ${to}`;
    const number = this.#sent.get(pair) ?? 0;
    this.#sent.set(pair, number + 1);
    pe.views.i32.fill(number, at / 4, (at + bytes) / 4);
    pe.views.i32[at / 4] = bytes;
    pe.commit(to, bytes);
  }

  /** Handles some of the frames, and looks whether each comes once, whole and in its order. */
  #sink(pe: RofiLamella): FrameSink {
    return (source, { i32 }, at, end) => {
      const pair = `${source} to ${pe.pe}`;
      while (at < end && i32[at / 4] !== 0 && !this.#chance.one(20)) {
        const bytes = i32[at / 4]!;
        const number = this.#received.get(pair) ?? 0;
        for (let word = at / 4 + 1; word < (at + bytes) / 4; word++) {
          assert(i32[word] === number, `frame ${number} from ${pair} holds ${i32[word]}`);
        }
        this.#received.set(pair, number + 1);
        at += bytes;
      }
      return at;
    };
  }

  #random(bytes: number): Uint8Array {
    return Uint8Array.from({ length: bytes }, () => this.#chance.below(256));
  }

  #begin(pending: Pending): void {
    if (pending.ticket === 0) return pending.done();
    this.#busy.add(pending.place);
    this.#pending.push(pending);
  }

  /** Puts to a place of the PE's own, and gets from there what it has put before. */
  #put(pe: RofiLamella, to: number): void {
    const place = `${pe.pe} at ${to}`;
    const staging = `staging of ${pe.pe}`;
    if (this.#busy.has(place) || this.#busy.has(staging)) return;
    const offset = COLUMNS + pe.pe * COLUMN_BYTES;
    const local = pe.address(pe.pe, STAGING);
    const known = this.#places.get(place);
    this.#busy.add(staging);
    const over = () => void this.#busy.delete(staging);
    if (known && this.#chance.one(2)) {
      pe.views.u8.fill(0, local, local + known.length);
      const check = () => {
        over();
        assertEquals(pe.views.u8.slice(local, local + known.length), known, place);
      };
      const ticket = pe.get(to, offset, local, known.length);
      return this.#begin({ by: pe.pe, ticket, place, done: check });
    }
    const data = this.#random(1 + this.#chance.below(COLUMN_BYTES));
    pe.views.u8.set(data, local);
    const ticket = pe.put(to, offset, local, data.length);
    this.#begin({
      by: pe.pe,
      ticket,
      place,
      done: () => this.#hasPut(place, to, offset, data, over),
    });
  }

  #hasPut(place: string, to: number, offset: number, data: Uint8Array, over = () => {}): void {
    over();
    this.#places.set(place, data);
    const { views } = this.#pes[to]!;
    const at = this.#pes[to]!.address(to, offset);
    assertEquals(views.u8.slice(at, at + data.length), data, place);
  }

  /** The same with arrays outside of the memory, which may be longer than a buffer. */
  #putLong(pe: RofiLamella, to: number): void {
    const place = `${pe.pe} at length at ${to}`;
    if (pe.isNear(to) || this.#busy.has(place)) return;
    const offset = LONG_COLUMNS + pe.pe * LONG_BYTES;
    const known = this.#places.get(place);
    if (known && this.#chance.one(2)) {
      const found = new Uint8Array(known.length);
      const ticket = pe.getBytes(to, offset, found);
      const done = () => assertEquals(found, known, place);
      return this.#begin({ by: pe.pe, ticket, place, done });
    }
    const data = this.#random(1 + this.#chance.below(this.#chance.one(4) ? LONG_BYTES : 64));
    const ticket = pe.putBytes(to, offset, data);
    this.#begin({ by: pe.pe, ticket, place, done: () => this.#hasPut(place, to, offset, data) });
  }

  /** Adds to the counter of a PE. */
  #count(pe: RofiLamella, to: number): void {
    if (pe.isNear(to)) return;
    const head = { operation: OPERATION.fetch, type: "u32", atomic: "add" } as const;
    const { bytes, valuesAt } = beginRequest({ ...head, count: 1, part: PART, position: 0 }, 0, 4);
    new Uint32Array(bytes.buffer, valuesAt, 1)[0] = 1;
    const reply = new Uint8Array(REPLY_HEAD_BYTES + 8);
    const counted = this.#counted[to]![pe.pe]!;
    const index = counted.push(-1) - 1;
    const ticket = pe.operate(to, bytes, reply);
    const done = () => void (counted[index] = new Uint32Array(reply.buffer)[2]!);
    this.#begin({ by: pe.pe, ticket, place: `${ticket} of ${pe.pe}`, done });
  }

  /** Signals the next number, once the last has come. */
  #signal(pe: RofiLamella, to: number): void {
    const pair = `${pe.pe} to ${to}`;
    const last = this.#signals.get(pair) ?? 0;
    if (to === pe.pe || (last > 0 && !this.#signalled(pe.pe, to, last))) return;
    // What it contributes comes before the signal.
    if (!pe.isNear(to) && !this.#signals.has(`${to} to ${pe.pe}`)) {
      pe.exchange(pe.pe, last + 1).fill(last + 1);
      pe.signal(to, pe.pe, last + 1, pe.pe << 8, 1);
    } else pe.signal(to, pe.pe, last + 1, pe.pe << 8, 0);
    this.#signals.set(pair, last + 1);
  }

  #signalled(source: number, to: number, number: number): boolean {
    const pe = this.#pes[to]!;
    if (!pe.signalled(source, number)) return false;
    assertEquals(pe.tagOf(source, number), source << 8);
    return true;
  }

  /** Asks for one of the tickets. */
  #ask(): void {
    if (this.#pending.length === 0) return;
    const index = this.#chance.below(this.#pending.length);
    const { by, ticket, place, done } = this.#pending[index]!;
    if (this.#pes[by]!.isPending(ticket)) return;
    this.#pending.splice(index, 1);
    this.#busy.delete(place);
    done();
  }

  /** Lets all come to its end, and looks whether it is complete. */
  finish(): void {
    const { all, network } = this.#processes;
    for (const pe of this.#pes) for (const { pe: to } of this.#pes) pe.publish(to);
    const missing = () =>
      [...this.#sent].some(([pair, count]) => this.#received.get(pair) !== count) ||
      this.#pending.length > 0 || !network.quiet ||
      [...this.#signals].some(([pair, number]) => {
        const [source, to] = pair.split(" to ").map(Number) as [number, number];
        return !this.#signalled(source, to, number);
      });
    for (let rounds = 0; missing(); rounds++) {
      for (const pe of this.#pes) pe.poll(this.#sink(pe));
      this.#ask();
      assert(rounds < 100_000, "something never comes");
    }
    assertEquals(all.map(failureOf), all.map(() => undefined));
    assertEquals(all.map(recordsInUse), all.map(() => []));
    this.#counted.forEach((counted, to) => {
      const befores = counted.flat().sort((a, b) => a - b);
      assertEquals(befores, befores.map((_, i) => i), `counter of PE ${to}`);
      for (const mine of counted) assertEquals(mine, mine.toSorted((a, b) => a - b));
      const { views } = this.#pes[to]!;
      assertEquals(views.u32[this.#pes[to]!.address(to, PART) / 4], befores.length);
    });
  }
}

const SHAPES: Partial<Shape>[] = [
  {},
  { injectBytes: 64 },
  { injectBytes: 4096, habits: { reportsInjected: true } },
  { habits: { againOneOf: 3 } },
  { transferBytesMax: 1000, injectBytes: 200, habits: { againOneOf: 10 } },
  { orderedPutBytesMax: 2000, habits: { ordersPuts: true, againOneOf: 10 } },
];

Deno.test("RofiLamella does everything once and in order, whatever the network does", () => {
  const seeds = new Chance();
  for (let run = 0; run < 30; run++) {
    const shape = { nearPes: 2, ...SHAPES[run % SHAPES.length]! };
    const seed = seeds.below(2 ** 32);
    try {
      const model = new Model(startProcesses(shape, new Chance(seed)));
      for (let steps = 0; steps < 3000; steps++) model.step();
      model.finish();
    } catch (error) {
      throw new Error(`seed ${seed}, ${JSON.stringify(shape)}`, { cause: error });
    }
  }
});

/** The first two PEs of two processes of one PE each. */
function pair(shape: Partial<Shape> = {}) {
  const processes = startProcesses(shape);
  const [here, there] = processes.all as [Process, Process];
  const [pe, far] = lamellae(processes) as [RofiLamella, RofiLamella];
  return { processes, here, there, pe, far };
}

Deno.test("RofiLamella tells near from far, and does nothing for no bytes", () => {
  const { pe, here } = pair();
  assertEquals([pe.isNear(0), pe.isNear(1)], [true, false]);
  assertEquals([pe.name, pe.pe, pe.numPes, pe.neighbours], ["rofi", 0, 2, 2]);
  assertEquals(pe.address(0, 8), heapOf(here.layout, 0) + 8);
  assertEquals(pe.put(1, 0, 0, 0) + pe.get(1, 0, 0, 0), 0);
  assertEquals(pe.putBytes(1, 0, new Uint8Array()) + pe.getBytes(1, 0, new Uint8Array()), 0);
  assertEquals(pe.bytesPut, 0);
});

Deno.test("contributions of several PEs come before the signal that tells of them", () => {
  const processes = startProcesses({ processes: 20 });
  const all = lamellae(processes);
  const [first, second] = all as [RofiLamella, RofiLamella];
  for (let pe = 0; pe < 20; pe++) first.exchange(pe, 7).fill(pe + 1);
  first.signal(1, 3, 7, 5, 20);
  while (!second.signalled(3, 7)) second.poll((_source, _views, at) => at);
  for (let pe = 0; pe < 20; pe++) {
    const expected = pe === 1 ? 0 : pe + 1;
    assertEquals(
      second.exchange(pe, 7),
      new Uint8Array(EXCHANGE_AREA_BYTES).fill(expected),
      `${pe}`,
    );
  }
});

Deno.test("a PE that waits sees a wake from afar, and the failure of the job", () => {
  const { processes, pe, far, here } = pair();
  processes.network.habits = { ...processes.network.habits, othersOneOf: 0 };
  assertEquals(pe.wait(pe.events(), 100, 0, 0), WAIT_TIMEOUT);
  const seen = pe.events();
  far.wake(0);
  let code: number = WAIT_TIMEOUT;
  for (let i = 0; i < 1000 && code === WAIT_TIMEOUT; i++) code = pe.wait(seen, 100, 0, 0);
  assertEquals(code, WAIT_EVENT);
  writeFailure(here.layout, here.views, 1, 3, "PE 1 failed: why");
  assertEquals(pe.wait(pe.events(), 100, 0, 0), WAIT_FAILED);
  assertEquals(pe.failure()?.message, "PE 1 failed: why");
});

Deno.test("the only PE of a process sleeps in the queue itself, and says when it is awake", () => {
  const { pe, here, far } = pair();
  const word = (at: number) => here.views.i32[(here.net.control + at) / 4]!;
  const wakes = word(CONTROL.bell + 4);
  for (const ms of [1, 0.3, 400]) assertEquals(pe.wait(pe.events(), 1, 0, ms), WAIT_TIMEOUT);
  assertEquals([word(CONTROL.guarded), word(CONTROL.bell + 4)], [0, wakes]);
  here.views.i32[(here.net.control + CONTROL.relieved) / 4] = 1;
  const seen = pe.events();
  far.wake(0);
  let code: number = WAIT_TIMEOUT;
  let waits = 0;
  while (code === WAIT_TIMEOUT && ++waits < 1000) code = pe.wait(seen, 0, 0, 1);
  assertEquals([code, word(CONTROL.bell + 4)], [WAIT_EVENT, wakes + waits]);
});

Deno.test("the only PE of a process sleeps on while all that comes are puts", () => {
  const { pe } = pair();
  const start = performance.now();
  // Each sleep in this network is over at once, and brings nothing.
  assertEquals(pe.wait(pe.events(), 1, 0, 30), WAIT_TIMEOUT);
  const took = performance.now() - start;
  assert(took >= 29, `came back after ${took} ms`);
  // One that waits for what is put looks at it after each.
  pe.report(ACTIVITY.blocked, WAIT_FOR.value, -1);
  const watched = Array.from({ length: 5 }, () => {
    const began = performance.now();
    assertEquals(pe.wait(pe.events(), 1, 0, 60_000), WAIT_TIMEOUT);
    return performance.now() - began;
  });
  assert(Math.min(...watched) < 50, `came back after ${watched} ms`);
});

Deno.test("the only PE of a process that looks before it sleeps ends its wait in time", () => {
  const { pe } = pair();
  // Sleeps that are short, as those in this network are, make it look longer before the next.
  for (let i = 0; i < 20; i++) pe.wait(pe.events(), 1, 0, 1);
  const start = performance.now();
  for (let i = 0; i < 100; i++) assertEquals(pe.wait(pe.events(), 1, 0, 0.02), WAIT_TIMEOUT);
  const took = performance.now() - start;
  assert(took < 100, `waited for ${took} ms in place of 2`);
});

Deno.test("the only PE of a process asks for the queue before it sleeps, and is soon back", () => {
  const { pe, here } = pair();
  const word = (at: number) => here.views.i32[(here.net.control + at) / 4]!;
  const watch = (watching: number) => {
    here.views.i32[(here.net.control + CONTROL.watching) / 4] = watching;
  };
  assert(here.progress.take());
  watch(1);
  const start = performance.now();
  assertEquals(pe.wait(pe.events(), 1, 0, 60_000), WAIT_TIMEOUT);
  const took = performance.now() - start;
  assert(took < 10_000, `slept for ${took} ms where the progress thread is about to leave`);
  assertEquals([word(CONTROL.guarded), word(CONTROL.claim)], [0, 1]);
  here.progress.leave();
  watch(0);
  assertEquals(pe.wait(pe.events(), 1, 0, 1), WAIT_TIMEOUT);
  assertEquals([word(CONTROL.guarded), word(CONTROL.claim)], [0, 0]);
});

Deno.test("a PE that sleeps hands the queue to the progress thread, and asks for it back", () => {
  const { pe, here } = pair({ nearPes: 2 });
  const word = (at: number) => here.views.i32[(here.net.control + at) / 4]!;
  const wakes = word(CONTROL.bell + 4);
  assertEquals(pe.wait(pe.events(), 1, 0, 0.1), WAIT_TIMEOUT);
  assertEquals(word(CONTROL.bell + 4), wakes + 1);
  // As the progress thread does when it watches.
  assert(here.progress.take());
  here.views.i32[(here.net.control + CONTROL.watching) / 4] = 1;
  assertEquals(pe.wait(pe.events(), 1, 0, 0.1), WAIT_TIMEOUT);
  assertEquals(word(CONTROL.bell + 4), wakes + 1, "it watches already");
  for (let i = 0; i < 8; i++) pe.poll((_source, _views, at) => at);
  assertEquals(word(CONTROL.claim), 1);
  // The PE asks no more once it sleeps.
  assertEquals(pe.wait(pe.events(), 1, 0, 0.1), WAIT_TIMEOUT);
  assertEquals(word(CONTROL.claim), 0);
  here.progress.leave();
});

Deno.test("PEs that are all near leave the network alone", () => {
  const { network, all } = startProcesses({ processes: 1, nearPes: 2 });
  const calls: string[] = [];
  const watched = new Proxy(network.calls(0), {
    get(target, name) {
      calls.push(String(name));
      return Reflect.get(target, name);
    },
  });
  const { start, memory } = all[0]!;
  const [first, second] = [0, 1].map((pe) =>
    new RofiLamella(start, memory, kernelsOf(start, memory, pe), pe, undefined, watched)
  );
  calls.length = 0;
  const wakes = first!.views.i32[(start.net.control + CONTROL.bell + 4) / 4];
  assertEquals(first!.poll((_source, _views, at) => at), 0);
  assertEquals(first!.wait(first!.events(), 100, 0, 0.1), WAIT_TIMEOUT);
  assertEquals(first!.waitSignal(0, 1, first!.events(), 100, 0, 0.1), WAIT_TIMEOUT);
  const seen = first!.events();
  second!.signal(0, 0, 1, 77, 0);
  assertEquals(first!.waitSignal(0, 1, seen, 1, 0, 0), WAIT_EVENT);
  assertEquals(first!.tagOf(0, 1), 77);
  assert(first!.waitAsync(first!.events()) !== null);
  assertEquals(calls, []);
  assertEquals(first!.views.i32[(start.net.control + CONTROL.bell + 4) / 4], wakes);
});

Deno.test("a PE tells a far one how far it has read with each quarter of the ring", () => {
  const { processes, pe, far, here } = pair();
  const { ringBytes } = here.layout;
  const before = () => processes.network.counts.get("sendmsg") ?? 0;
  let heads = 0;
  for (let frames = 0; frames < 16 * ringBytes / 256;) {
    while (pe.reserve(1, 256) >= 0) {
      const at = pe.reserve(1, 256);
      pe.views.i32[at / 4] = 256;
      pe.commit(1, 256);
      frames++;
    }
    pe.publish(1);
    const sent = before();
    far.poll((_source, { i32 }, at) => at + i32[at / 4]!);
    heads += before() - sent;
    while (!processes.network.quiet) here.progress.poll();
  }
  assert(heads > 40 && heads <= 64, `${heads} messages`);
});
