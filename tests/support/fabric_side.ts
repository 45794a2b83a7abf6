/**
 * One endpoint with registered memory, for tests: the argument structures of the calls stand in
 * that memory, as they do in the runtime.
 *
 * @module
 */

import {
  baseAddress,
  FABRIC,
  type FabricCalls,
  fabricCalls,
  type FabricMemory,
  FI,
  openFabric,
} from "../../ffi/mod.ts";
import type { Fabric } from "../../ffi/mod.ts";

/** Where the data of a side starts; the structures stand below. */
export const DATA = 4096;

const SIDE_BYTES = 1 << 20;
const [MSG, IOV, RMA_IOV, DESC, ENTRY, ERROR] = [0, 64, 96, 128, 192, 1024];
/** Room for the structures of a thread. */
const AREA_BYTES = 2048;
const LIMIT_MS = 10_000;

/** What another thread needs to use an endpoint. */
export interface SidePointers {
  /** The endpoint. */
  readonly ep: bigint;
  /** Its queue. */
  readonly cq: bigint;
  /** The memory. */
  readonly buffer: SharedArrayBuffer;
  /** How others reach it. */
  readonly memory: FabricMemory;
  /** How operations of this side do. */
  readonly desc: bigint;
  /** The provider. */
  readonly provider: string;
}

/** One completion. */
export interface Completion {
  /** What was done. */
  readonly flags: bigint;
  /** The context that was given. */
  readonly context: bigint;
  /** How many bytes were received. */
  readonly bytes: number;
}

/** Calls on one thread, with structures in the memory of the side. */
export class SideCalls implements Disposable {
  /** The calls. */
  readonly calls: FabricCalls;
  /** The memory as bytes. */
  readonly bytes: Uint8Array;
  readonly #side: SidePointers;
  readonly #view: DataView;
  readonly #base: bigint;
  readonly #area: number;

  /** Each thread that uses a side at the same time has its structures in an area of its own. */
  constructor(side: SidePointers, fast?: boolean, area = 0) {
    this.#side = side;
    this.calls = fabricCalls(side.ep, side.cq, { fast, provider: side.provider });
    this.bytes = new Uint8Array(side.buffer);
    this.#view = new DataView(side.buffer, area, AREA_BYTES);
    this.#base = baseAddress(side.buffer);
    this.#area = area;
  }

  /** The address of a byte of the memory. */
  at(offset: number): bigint {
    return this.#base + BigInt(offset);
  }

  /** The address of a structure. */
  structure(offset: number): bigint {
    return this.at(this.#area + offset);
  }

  #local(offset: number, bytes: number): void {
    this.#view.setBigUint64(IOV + FABRIC.iovec.iov_base, this.at(offset), true);
    this.#view.setBigUint64(IOV + FABRIC.iovec.iov_len, BigInt(bytes), true);
    this.#view.setBigUint64(DESC, this.#side.desc, true);
  }

  #message(to: bigint, context: bigint): bigint {
    const { fi_msg: msg } = FABRIC;
    this.#view.setBigUint64(MSG + msg.msg_iov, this.structure(IOV), true);
    this.#view.setBigUint64(MSG + msg.desc, this.structure(DESC), true);
    this.#view.setBigUint64(MSG + msg.iov_count, 1n, true);
    this.#view.setBigUint64(MSG + msg.addr, to, true);
    this.#view.setBigUint64(MSG + msg.context, context, true);
    return this.structure(MSG);
  }

  #transfer(to: bigint, context: bigint, remote: bigint, bytes: number, key: bigint): bigint {
    const { fi_msg_rma: msg, fi_rma_iov: iov } = FABRIC;
    this.#message(to, 0n);
    this.#view.setBigUint64(RMA_IOV + iov.addr, remote, true);
    this.#view.setBigUint64(RMA_IOV + iov.len, BigInt(bytes), true);
    this.#view.setBigUint64(RMA_IOV + iov.key, key, true);
    this.#view.setBigUint64(MSG + msg.rma_iov, this.structure(RMA_IOV), true);
    this.#view.setBigUint64(MSG + msg.rma_iov_count, 1n, true);
    this.#view.setBigUint64(MSG + msg.context, context, true);
    this.#view.setBigUint64(MSG + msg.data, 0n, true);
    return this.structure(MSG);
  }

  /** Posts room for a message. */
  receive(offset: number, bytes: number, context: bigint, progress: () => void): void {
    this.#local(offset, bytes);
    const msg = this.#message(FI.FI_ADDR_UNSPEC, context);
    this.#again(
      "receive",
      progress,
      () => this.calls.recvmsg(this.#side.ep, msg, FI.FI_COMPLETION),
    );
  }

  /** Sends a message. */
  send(to: bigint, offset: number, bytes: number, context: bigint, progress: () => void): void {
    this.#local(offset, bytes);
    const msg = this.#message(to, context);
    this.#again("send", progress, () => this.calls.sendmsg(this.#side.ep, msg, FI.FI_COMPLETION));
  }

  /** Writes remote memory, to complete when it is there. */
  put(
    to: bigint,
    { offset, remote, bytes, key }: { offset: number; remote: bigint; bytes: number; key: bigint },
    context: bigint,
    progress: () => void,
  ): void {
    this.#local(offset, bytes);
    const msg = this.#transfer(to, context, remote, bytes, key);
    const flags = FI.FI_COMPLETION | FI.FI_DELIVERY_COMPLETE;
    this.#again("put", progress, () => this.calls.writemsg(this.#side.ep, msg, flags));
  }

  /** Reads remote memory. */
  get(
    to: bigint,
    { offset, remote, bytes, key }: { offset: number; remote: bigint; bytes: number; key: bigint },
    context: bigint,
    progress: () => void,
  ): void {
    this.#local(offset, bytes);
    const msg = this.#transfer(to, context, remote, bytes, key);
    this.#again("get", progress, () => this.calls.readmsg(this.#side.ep, msg, FI.FI_COMPLETION));
  }

  /** Reads one completion, if there is one; an error is thrown. */
  poll(): Completion | undefined {
    const count = this.calls.cqRead(this.#side.cq, this.structure(ENTRY), 1n);
    return this.#completion(count, "complete an operation");
  }

  /** Waits for a completion in the library. */
  wait(timeoutMs: number): Completion | undefined {
    const count = this.calls.cqSread(this.#side.cq, this.structure(ENTRY), 1n, 0n, timeoutMs);
    return this.#completion(count, "wait for an operation");
  }

  #completion(count: number, action: string): Completion | undefined {
    if (count === -FI.FI_EAGAIN || count === -FI.FI_EINTR) return undefined;
    if (count === -FI.FI_EAVAIL) {
      for (let at = 0; at < FABRIC.fi_cq_err_entry.bytes; at++) this.#view.setUint8(ERROR + at, 0);
      const read = this.calls.cqReadErr(this.#side.cq, this.structure(ERROR), 0n);
      if (read !== 1) throw new Error(`cqReadErr gave ${read}`);
      throw this.calls.completionError(this.structure(ERROR), action);
    }
    if (count !== 1) throw new Error(`reading the queue gave ${count}`);
    const { fi_cq_msg_entry: entry } = FABRIC;
    return {
      context: this.#view.getBigUint64(ENTRY + entry.op_context, true),
      flags: this.#view.getBigUint64(ENTRY + entry.flags, true),
      bytes: Number(this.#view.getBigUint64(ENTRY + entry.len, true)),
    };
  }

  /** Polls until a completion comes, and lets others make progress meanwhile. */
  complete(progress: () => void): Completion {
    const end = performance.now() + LIMIT_MS;
    for (;;) {
      const completion = this.poll();
      if (completion !== undefined) return completion;
      if (performance.now() > end) throw new Error(`no completion in ${LIMIT_MS} ms`);
      progress();
    }
  }

  #again(what: string, progress: () => void, call: () => number): void {
    const end = performance.now() + LIMIT_MS;
    for (let code = call(); code !== 0; code = call()) {
      if (code !== -FI.FI_EAGAIN) throw new Error(`${what} gave ${code}`);
      if (performance.now() > end) throw new Error(`${what} asked to try again for ${LIMIT_MS} ms`);
      this.calls.cqRead(this.#side.cq, this.structure(ENTRY), 0n);
      progress();
    }
  }

  /** Lets the functions go. */
  [Symbol.dispose](): void {
    this.calls.close();
  }
}

/** An endpoint with memory and calls on this thread. */
export class Side implements Disposable {
  /** The endpoint. */
  readonly fabric: Fabric;
  /** For other threads. */
  readonly pointers: SidePointers;
  /** For this thread. */
  readonly own: SideCalls;

  constructor(provider: string, fast?: boolean, loopback = false) {
    this.fabric = openFabric({ provider, loopback });
    const buffer = new SharedArrayBuffer(SIDE_BYTES);
    this.pointers = {
      ep: this.fabric.ep,
      cq: this.fabric.cq,
      buffer,
      memory: this.fabric.share(baseAddress(buffer), BigInt(SIDE_BYTES)),
      desc: this.fabric.use(baseAddress(buffer), BigInt(SIDE_BYTES)),
      provider: this.fabric.provider,
    };
    this.own = new SideCalls(this.pointers, fast);
  }

  /** What another side names a byte of the memory by. */
  remote(offset: number): { remote: bigint; key: bigint } {
    const { base, key } = this.pointers.memory;
    return { remote: base + BigInt(offset), key };
  }

  /** Closes everything. */
  [Symbol.dispose](): void {
    this.own.calls.close();
    this.fabric.close();
  }
}
