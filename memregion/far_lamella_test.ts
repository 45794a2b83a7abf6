/** A lamella whose other processes are in the same thread, for the tests of this folder. */

import { assert } from "@std/assert";
import { LamellarError } from "../internal/errors.ts";
import type { Kernels } from "../internal/kernels.ts";
import { lanePlace } from "../internal/staging.ts";
import type { Layout } from "../lamellae/local/layout.ts";
import { LocalLamella } from "../lamellae/local/local_lamella.ts";
import {
  type FrameSink,
  replyWakes,
  serveOperation,
  WAIT_EVENT,
  WAIT_FAILED,
} from "../lamellae/mod.ts";

/** How a network between processes behaves. */
export interface NetworkOptions {
  /** PEs of a process. */
  readonly pesPerProcess: number;
  /** Decides when what is done. */
  readonly seed: number;
  /** Most bytes of a memory operation. */
  readonly operationBytesMax?: number;
}

/** Something that is under way. */
interface Transfer {
  readonly pe: number;
  /** Operations at a PE are done in their order. */
  readonly ordered: boolean;
  readonly run: () => void;
  state: "under way" | "done" | "noticed" | "failed";
}

/** What the lamellae of a world share. */
export class Network {
  readonly options: NetworkOptions;
  readonly lamellae: FarLamella[] = [];
  /** Nothing is done any more while this is set. */
  stuck = false;
  /** The share of what is started that fails. */
  failing = 0;
  #state: number;

  constructor(options: NetworkOptions) {
    this.options = options;
    this.#state = options.seed;
  }

  /** A number below 1. */
  random(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) | 0;
    return (this.#state >>> 0) / 2 ** 32;
  }
}

/** A PE: those of its process share its memory, all others are reached by tickets only. */
export class FarLamella extends LocalLamella {
  override readonly operationBytesMax: number;
  readonly #network: Network;
  readonly #open = new Map<number, Transfer>();
  #nextTicket = 1;
  /** The most that was under way at once. */
  most = 0;
  /** How many puts, gets and operations were started. */
  started = { put: 0, get: 0, operate: 0 };

  constructor(
    network: Network,
    layout: Layout,
    memory: WebAssembly.Memory,
    kernels: Kernels,
    pe: number,
  ) {
    super(layout, memory, kernels, pe);
    this.#network = network;
    this.operationBytesMax = network.options.operationBytesMax ?? 256;
    network.lamellae.push(this);
  }

  /** How many transfers nobody was told the end of. */
  get open(): number {
    return this.#open.size;
  }

  override isNear(pe: number): boolean {
    const { pesPerProcess } = this.#network.options;
    return Math.floor(pe / pesPerProcess) === Math.floor(this.pe / pesPerProcess);
  }

  override address(pe: number, offset: number): number {
    assert(this.isNear(pe), `PE ${this.pe} reaches into the memory of PE ${pe}`);
    return super.address(pe, offset);
  }

  #segment(pe: number): number {
    return super.address(pe, 0);
  }

  #start(pe: number, ordered: boolean, run: () => void): number {
    assert(!this.isNear(pe), `PE ${pe} is near PE ${this.pe}`);
    const ticket = this.#nextTicket++;
    this.#open.set(ticket, { pe, ordered, run, state: "under way" });
    this.most = Math.max(this.most, this.#open.size);
    return ticket;
  }

  override put(pe: number, offset: number, source: number, bytes: number): number {
    if (this.isNear(pe)) return super.put(pe, offset, source, bytes);
    return this.putBytes(pe, offset, this.views.u8.subarray(source, source + bytes));
  }

  override get(pe: number, offset: number, target: number, bytes: number): number {
    if (this.isNear(pe)) return super.get(pe, offset, target, bytes);
    return this.getBytes(pe, offset, this.views.u8.subarray(target, target + bytes));
  }

  override putBytes(pe: number, offset: number, source: Uint8Array): number {
    this.started.put++;
    assert(source.length > 0 && offset >= 0 && offset + source.length <= this.heap.capacity);
    return this.#start(pe, false, () => this.views.u8.set(source, this.#segment(pe) + offset));
  }

  override getBytes(pe: number, offset: number, target: Uint8Array): number {
    this.started.get++;
    assert(target.length > 0 && offset >= 0 && offset + target.length <= this.heap.capacity);
    const from = this.#segment(pe) + offset;
    return this.#start(
      pe,
      false,
      () => target.set(this.views.u8.subarray(from, from + target.length)),
    );
  }

  override operate(pe: number, request: Uint8Array, reply: Uint8Array): number {
    this.started.operate++;
    assert(Math.max(request.length, reply.length) <= this.operationBytesMax, "too many bytes");
    return this.#start(pe, true, () => {
      const { kernels, heap } = this.#network.lamellae[pe]!;
      const { numPes, staging, views } = this;
      const [from, to] = [staging + lanePlace(numPes, 0), staging + lanePlace(numPes, 2)];
      views.u8.set(request, from);
      const asked = { at: from, bytes: request.length };
      const given = { at: to, bytes: reply.length };
      serveOperation(kernels, views, this.#segment(pe), heap.capacity, asked, given);
      reply.set(views.u8.subarray(to, to + reply.length));
      if (replyWakes(reply, 0)) this.wake(pe);
    });
  }

  override isPending(ticket: number): boolean {
    const transfer = this.#open.get(ticket);
    assert(transfer, `ticket ${ticket} is not in use`);
    if (transfer.state !== "noticed" && transfer.state !== "failed") return true;
    this.#open.delete(ticket);
    if (transfer.state === "noticed") return false;
    throw new LamellarError("ERR_TRANSPORT", "Cannot write to the network: it is cut", {
      pe: transfer.pe,
    });
  }

  /** Does some of what is under way, and notices some of what is done, in any order. */
  #work(): void {
    const network = this.#network;
    if (network.stuck) return;
    const behind = new Set<number>();
    for (const transfer of this.#open.values()) {
      if (transfer.state === "under way") {
        if (network.random() < 0.5 || (transfer.ordered && behind.has(transfer.pe))) {
          if (transfer.ordered) behind.add(transfer.pe);
          continue;
        }
        if (network.random() < network.failing) {
          transfer.state = "failed";
          this.wake(this.pe);
          continue;
        }
        transfer.run();
        transfer.state = "done";
      } else if (transfer.state === "done" && network.random() < 0.5) {
        transfer.state = "noticed";
        this.wake(this.pe);
      }
    }
  }

  override poll(sink: FrameSink): number {
    this.#work();
    return super.poll(sink);
  }

  override wait(seen: number, spins: number, yields: number, timeoutMs: number): number {
    this.#work();
    // Nobody else would do it while this thread sleeps.
    const busy = !this.#network.stuck && this.#open.size > 0;
    const code = super.wait(seen, spins, yields, busy ? 0 : timeoutMs);
    return code === WAIT_FAILED || !busy ? code : WAIT_EVENT;
  }

  override waitAsync(seen: number): Promise<unknown> | null {
    return this.#open.size > 0 && !this.#network.stuck ? null : super.waitAsync(seen);
  }
}
