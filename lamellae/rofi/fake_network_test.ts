/**
 * A network of processes in one thread, for the tests of this folder. It takes the place of
 * libfabric's calls, reads their arguments as libfabric does, and does what it was asked as late
 * and in as odd an order as a network may: a seed decides.
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { FABRIC, type FabricCalls, FI } from "../../ffi/mod.ts";
import { TransportError } from "../../internal/errors.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";

/** Numbers that a seed repeats. */
export class Chance {
  #state: number;

  /** @param seed Printed by a test that fails. */
  constructor(readonly seed: number = crypto.getRandomValues(new Uint32Array(1))[0]!) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 to `end`, which is excluded. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    value ^= value + Math.imul(value ^ (value >>> 7), 61 | value);
    return Math.floor(((value ^ (value >>> 14)) >>> 0) / 2 ** 32 * end);
  }

  /** Whether one of `of` cases happens; never if that is 0. */
  one(of: number): boolean {
    return of > 0 && this.below(of) === 0;
  }
}

/** What a network does. */
export interface NetworkHabits {
  /** One call of so many is told to try again; 0 for none. */
  readonly againOneOf: number;
  /** Whether what was sent has left before its target has a buffer for it. */
  readonly buffers: boolean;
  /** Whether injected messages are reported too. */
  readonly reportsInjected: boolean;
  /** One look of so many lets other processes work; 0 for none. */
  readonly othersOneOf: number;
  /** Whether transfers copy within the call, unless delivery is to be told. */
  readonly copiesInPlace: boolean;
  /** Whether puts to a process are done in the order of the calls. */
  readonly ordersPuts: boolean;
}

/** A memory of the network: where it begins for libfabric, and its views. */
export interface NetworkMemory {
  readonly address: number;
  readonly views: MemoryViews;
  /** Where what others may read and write begins. */
  readonly open: number;
  /** Lets other threads of the process look at the network. */
  work: () => void;
}

/** A completion, or an error. */
interface Completion {
  readonly context: bigint;
  readonly bytes: number;
  readonly error: number;
}

/** A buffer that waits for a message. */
interface Posted {
  readonly at: number;
  readonly bytes: number;
  readonly context: bigint;
}

/** Something under way from one process to another. */
interface Message {
  /** Copies the bytes, which stand in the memory of the source until it is told. */
  bytes: () => Uint8Array;
  /** Whether they have left that. */
  buffered: boolean;
  readonly context: bigint;
  /** Whether its sender is to be told that it has left. */
  readonly reported: boolean;
}

/** A put or get under way. */
interface Transfer {
  readonly source: Process;
  readonly target: Process;
  readonly write: boolean;
  readonly run: () => void;
}

/** What is under way from one process to another, in its order. */
interface Route {
  readonly source: Process;
  readonly target: number;
  readonly messages: Message[];
}

interface Process extends NetworkMemory {
  readonly posted: Posted[];
  readonly completions: Completion[];
  /** Errors of which the queue has told, to be read. */
  failed: Completion | undefined;
}

/** Pieces that a transfer may have. */
const PIECES_MAX = 4;
/** Looks in vain before a test fails: nothing will ever come. */
const IDLE_LOOKS_MAX = 5_000_000;
const { fi_msg, fi_msg_rma, fi_rma_iov, iovec, fi_cq_msg_entry, fi_cq_err_entry } = FABRIC;

/** A network between processes. */
export class FakeNetwork {
  readonly chance: Chance;
  habits: NetworkHabits;
  /** What the next calls of a name return instead of being made. */
  readonly refusals = new Map<string, number[]>();
  /** Errors of the next messages and transfers: they never arrive. */
  readonly losses: number[] = [];
  /** Counts the calls of each name. */
  readonly counts = new Map<string, number>();
  /** Bytes of every message that was handed over. */
  delivered = 0;
  /** Transfers that asked for delivery. */
  deliveries = 0;
  /** Pieces of transfers. */
  pieces = 0;
  readonly #processes: Process[] = [];
  /** Puts and gets under way. */
  readonly #transfers: Transfer[] = [];
  /** Messages under way from one process to another, where there are any. */
  readonly #routes: Route[] = [];
  #idle = 0;
  #depth = 0;

  constructor(chance: Chance, habits: NetworkHabits) {
    this.chance = chance;
    this.habits = habits;
  }

  /** Adds a process; its rank is its endpoint, and the address others reach it at. */
  join(memory: NetworkMemory): void {
    this.#processes.push({ ...memory, posted: [], completions: [], failed: undefined });
  }

  /** Sets what other threads of a process do meanwhile. */
  setWork(rank: number, work: () => void): void {
    this.#processes[rank]!.work = work;
  }

  /** Puts a completion into a queue. */
  complete(rank: number, context: bigint, error = 0, bytes = 0): void {
    this.#processes[rank]!.completions.push({ context, error, bytes });
  }

  /** Hands a message to a process as if another had sent it; returns whether it had a buffer. */
  deliver(rank: number, bytes: Uint8Array, error = 0): boolean {
    const process = this.#processes[rank]!;
    const buffer = process.posted.shift();
    if (!buffer) return false;
    process.views.u8.set(bytes.subarray(0, buffer.bytes), buffer.at);
    const cut = bytes.length > buffer.bytes ? FI.FI_ETRUNC : error;
    process.completions.push({ context: buffer.context, error: cut, bytes: bytes.length });
    this.delivered++;
    return true;
  }

  /** How many buffers of a process wait for messages. */
  postedAt(rank: number): number {
    return this.#processes[rank]!.posted.length;
  }

  /** How many completions a process has not read yet. */
  completionsAt(rank: number): number {
    return this.#processes[rank]!.completions.length;
  }

  /** Whether nothing is under way. */
  get quiet(): boolean {
    return this.#transfers.length === 0 && this.#routes.length === 0 &&
      this.#processes.every(({ completions }) => completions.length === 0);
  }

  /** The calls of a process, as all its threads have them. */
  calls(rank: number): FabricCalls {
    const counted = (name: string, call: () => number): number => {
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      const refusal = this.refusals.get(name)?.shift();
      if (refusal !== undefined) return refusal;
      return this.chance.one(this.habits.againOneOf) ? -FI.FI_EAGAIN : call();
    };
    const process = this.#processes[rank]!;
    return {
      fast: true,
      sendmsg: (_ep, msg) => counted("sendmsg", () => this.#send(process, msg)),
      inject: (_ep, buffer, bytes, address) =>
        counted("inject", () => this.#inject(process, buffer, bytes, address)),
      recvmsg: (_ep, msg) => counted("recvmsg", () => this.#post(process, msg)),
      writemsg: (_ep, msg, flags) =>
        counted("writemsg", () => this.#transfer(process, msg, flags, true)),
      readmsg: (_ep, msg, flags) =>
        counted("readmsg", () => this.#transfer(process, msg, flags, false)),
      cqRead: (_cq, buffer, count) => this.#read(process, buffer, Number(count)),
      cqSread: (_cq, buffer, count, _condition, timeoutMs) => {
        assertEquals(timeoutMs, Math.trunc(timeoutMs));
        return this.#read(process, buffer, Number(count));
      },
      cqReadErr: (_cq, entry) => this.#readError(process, entry),
      cqSignal: () => 0,
      completionError: () => new TransportError("not of this network", { errno: 5, text: "" }),
      close() {},
      [Symbol.dispose]() {},
    };
  }

  #word64(process: Process, address: bigint): bigint {
    return process.views.u64[this.#place(process, address) / 8]!;
  }

  /** Where an address lies in the memory of a process. */
  #place(process: Process, address: bigint, bytes = 8): number {
    const at = Number(address) - process.address;
    const held = at >= 0 && at + bytes <= process.views.u8.length;
    assert(held, `${bytes} bytes at ${address} are not in the memory of the process`);
    return at;
  }

  #inject(process: Process, buffer: bigint, bytes: bigint, address: bigint): number {
    const at = this.#place(process, buffer, Number(bytes));
    const copied = process.views.u8.slice(at, at + Number(bytes));
    const reported = this.habits.reportsInjected;
    return this.#begin(process, Number(address - ADDRESSES), () => copied, 0n, reported);
  }

  #send(process: Process, msg: bigint): number {
    const vector = this.#word64(process, msg + BigInt(fi_msg.msg_iov));
    assertEquals(this.#word64(process, msg + BigInt(fi_msg.iov_count)), 1n);
    const length = Number(this.#word64(process, vector + BigInt(iovec.iov_len)));
    const base = this.#word64(process, vector + BigInt(iovec.iov_base));
    const at = this.#place(process, base, length);
    const target = Number(this.#word64(process, msg + BigInt(fi_msg.addr)) - ADDRESSES);
    const context = this.#word64(process, msg + BigInt(fi_msg.context));
    return this.#begin(
      process,
      target,
      () => process.views.u8.slice(at, at + length),
      context,
      true,
    );
  }

  #begin(
    process: Process,
    target: number,
    bytes: () => Uint8Array,
    context: bigint,
    reported: boolean,
  ): number {
    const error = this.losses.shift();
    if (error !== undefined) {
      process.completions.push({ context, error, bytes: 0 });
      return 0;
    }
    let route = this.#routes.find((one) => one.source === process && one.target === target);
    if (!route) this.#routes.push(route = { source: process, target, messages: [] });
    route.messages.push({ bytes, buffered: false, context, reported });
    return 0;
  }

  #post(process: Process, msg: bigint): number {
    const vector = this.#word64(process, msg + BigInt(fi_msg.msg_iov));
    const length = Number(this.#word64(process, vector + BigInt(iovec.iov_len)));
    const base = this.#word64(process, vector + BigInt(iovec.iov_base));
    process.posted.push({
      at: this.#place(process, base, length),
      bytes: length,
      context: this.#word64(process, msg + BigInt(fi_msg.context)),
    });
    return 0;
  }

  #transfer(process: Process, msg: bigint, flags: bigint, write: boolean): number {
    const rank = Number(this.#word64(process, msg + BigInt(fi_msg_rma.addr)) - ADDRESSES);
    const target = this.#processes[rank]!;
    const count = Number(this.#word64(process, msg + BigInt(fi_msg_rma.iov_count)));
    assertEquals(this.#word64(process, msg + BigInt(fi_msg_rma.rma_iov_count)), BigInt(count));
    assert(count >= 1 && count <= PIECES_MAX, `${count} pieces`);
    const pieces = Array.from(
      { length: count },
      (_, piece) => this.#piece(process, target, KEYS + BigInt(rank), msg, piece),
    );
    const context = this.#word64(process, msg + BigInt(fi_msg_rma.context));
    const error = this.losses.shift();
    if (error !== undefined) {
      process.completions.push({ context, error, bytes: 0 });
      return 0;
    }
    const delivers = (flags & FI.FI_DELIVERY_COMPLETE) !== 0n;
    if (delivers) this.deliveries++;
    this.pieces += count;
    const run = (): void => {
      for (const { local, remote, length } of pieces) {
        const [from, to] = write ? [process, target] : [target, process];
        const [source, sink] = write ? [local, remote] : [remote, local];
        to.views.u8.set(from.views.u8.subarray(source, source + length), sink);
      }
      if (flags === 0n) return;
      process.completions.push({ context, error: 0, bytes: 0 });
    };
    if (this.habits.copiesInPlace && !delivers) run();
    else this.#transfers.push({ source: process, target, write, run });
    return 0;
  }

  /** Where a piece of a transfer lies in both memories, and its length. */
  #piece(
    process: Process,
    target: Process,
    key: bigint,
    msg: bigint,
    piece: number,
  ): { local: number; remote: number; length: number } {
    const vectors = this.#word64(process, msg + BigInt(fi_msg_rma.msg_iov));
    const fars = this.#word64(process, msg + BigInt(fi_msg_rma.rma_iov));
    const vector = vectors + BigInt(piece * iovec.bytes);
    const far = fars + BigInt(piece * fi_rma_iov.bytes);
    const length = Number(this.#word64(process, vector + BigInt(iovec.iov_len)));
    const base = this.#word64(process, vector + BigInt(iovec.iov_base));
    assertEquals(Number(this.#word64(process, far + BigInt(fi_rma_iov.len))), length);
    assertEquals(this.#word64(process, far + BigInt(fi_rma_iov.key)), key);
    const there = this.#word64(process, far + BigInt(fi_rma_iov.addr));
    const remote = this.#place(target, there, length);
    assert(remote >= target.open, `${remote} is not open to others`);
    return { local: this.#place(process, base, length), remote, length };
  }

  /** Lets something happen, if anything can. */
  #step(): void {
    const { chance } = this;
    if (this.#transfers.length > 0 && chance.one(2)) {
      const index = this.#nextTransfer(chance.below(this.#transfers.length));
      const [transfer] = this.#transfers.splice(index, 1);
      return transfer!.run();
    }
    const index = chance.below(this.#routes.length);
    const route = this.#routes[index];
    if (!route) return;
    const { source, target, messages } = route;
    const arrives = this.postedAt(target) > 0;
    // What has no buffer at its target yet may have left its source.
    const message = arrives ? messages[0] : messages.find(({ buffered }) => !buffered);
    if (!message || (!arrives && !this.habits.buffers)) return;
    if (!message.buffered) {
      const copied = message.bytes();
      message.bytes = () => copied;
      message.buffered = true;
      const { context, reported } = message;
      if (reported) source.completions.push({ context, error: 0, bytes: 0 });
    }
    if (!arrives) return;
    messages.shift();
    const bytes = message.bytes();
    assert(bytes.length <= this.#processes[target]!.posted[0]!.bytes, "too long for the buffers");
    this.deliver(target, bytes);
    if (messages.length === 0) this.#routes.splice(index, 1);
  }

  /** The transfer that is done in place of one: the first put of its kind where they keep order. */
  #nextTransfer(index: number): number {
    const { source, target, write } = this.#transfers[index]!;
    if (!write || !this.habits.ordersPuts) return index;
    return this.#transfers.findIndex((one) =>
      one.write && one.source === source && one.target === target
    );
  }

  #read(process: Process, buffer: bigint, count: number): number {
    const { chance, habits } = this;
    const refusal = this.refusals.get("cqRead")?.shift();
    if (refusal !== undefined) return refusal;
    for (let steps = chance.below(6); steps > 0; steps--) this.#step();
    if (this.#depth < 1 && chance.one(habits.othersOneOf)) {
      this.#depth++;
      this.#processes[chance.below(this.#processes.length)]!.work();
      this.#depth--;
    }
    const { completions } = process;
    if (completions.length === 0 || process.failed) {
      if (++this.#idle > IDLE_LOOKS_MAX) throw new Error("nothing comes any more");
      return process.failed ? -FI.FI_EAVAIL : -FI.FI_EAGAIN;
    }
    this.#idle = 0;
    const at = this.#place(process, buffer, count * fi_cq_msg_entry.bytes);
    let read = 0;
    for (; read < count && completions.length > 0 && !chance.one(4); read++) {
      // Completions come in any order.
      const [next] = completions.splice(chance.below(completions.length), 1);
      if (next!.error !== 0) {
        process.failed = next;
        break;
      }
      const entry = (at + read * fi_cq_msg_entry.bytes) / 8;
      process.views.u64[entry + fi_cq_msg_entry.op_context / 8] = next!.context;
      process.views.u64[entry + fi_cq_msg_entry.flags / 8] = 0n;
      process.views.u64[entry + fi_cq_msg_entry.len / 8] = BigInt(next!.bytes);
    }
    if (read > 0) return read;
    return process.failed ? -FI.FI_EAVAIL : -FI.FI_EAGAIN;
  }

  #readError(process: Process, entry: bigint): number {
    const { failed } = process;
    if (!failed) return -FI.FI_EAGAIN;
    process.failed = undefined;
    const at = this.#place(process, entry, fi_cq_err_entry.bytes);
    process.views.u8.fill(0, at, at + fi_cq_err_entry.bytes);
    process.views.u64[(at + fi_cq_err_entry.op_context) / 8] = failed.context;
    process.views.i32[(at + fi_cq_err_entry.err) / 4] = failed.error;
    return 1;
  }
}

/** What is added to a rank to get the address of its endpoint, and the key of its memory. */
export const ADDRESSES = 0x1_0000_0000n + 7n;
export const KEYS = 0xfedc_ba98_7654_3200n;

Deno.test("Chance repeats itself for the same seed only", () => {
  const take = (seed: number) => {
    const chance = new Chance(seed);
    return Array.from({ length: 20 }, () => chance.below(1000));
  };
  assertEquals(take(7), take(7));
  assertNotEquals(take(7), take(8));
});
