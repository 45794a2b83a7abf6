/**
 * The shmem lamella: PEs of several processes share one memory, as those of one do on the local
 * lamella. What differs is how they sleep and are woken: a PE that blocks sleeps in futex(2), where
 * any process can wake it; one that rests in its event loop can only be woken from inside, so
 * others have the supervisor of its process do that.
 *
 * @module
 */

import { baseAddress, Futex } from "../../ffi/host.ts";
import { atomicCompareExchange, atomicNotifyAll } from "../../internal/atomics.ts";
import type { Kernels } from "../../internal/kernels.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import { ASLEEP, BLOCK, blockOf, HEADER, isOwn, type Layout } from "../local/layout.ts";
import { LocalLamella, type Ringer } from "../local/local_lamella.ts";
import { HOST, hostWordOf } from "./host_words.ts";

/** Longest sleep of a PE: who ends the job need not know where it sleeps. */
const SLEEP_MS = 100;

/** What an ordinary event adds to a counter, and a barrier signal: see `kernels/sync.ts`. */
const EVENT = 1;
const SIGNAL = 1 << 24;

/**
 * Makes the lamella of a PE.
 *
 * @param layout Where everything lies.
 * @param memory The memory of all processes.
 * @param kernels Kernels over it.
 * @param pe This PE.
 * @param offer Offers the core to other threads, where the system lets us.
 * @returns The lamella.
 */
export function shmemLamella(
  layout: Layout,
  memory: WebAssembly.Memory,
  kernels: Kernels,
  pe: number,
  offer: (() => void) | undefined,
): LocalLamella {
  const futex = Futex.open()!;
  const base = baseAddress(memory.buffer);
  const views = memoryViews(memory.buffer);
  const bell = blockOf(layout, pe) + BLOCK.bell;
  const bellAddress = base + BigInt(bell);
  return new LocalLamella(layout, memory, kernels, pe, {
    offer,
    ringerOf: (other) => new ShmemRinger(layout, views, kernels, futex, base, other),
    sleep(seen, timeoutMs) {
      kernels.store32(bell, ASLEEP.outside);
      if (kernels.load32(bell + 4) === seen && kernels.load32(HEADER.abort) === 0) {
        futex.wait(bellAddress, ASLEEP.outside, Math.min(timeoutMs, SLEEP_MS));
      }
      kernels.store32(bell, 0);
    },
  });
}

/** Announces to one PE what another has for it, and wakes it wherever it sleeps. */
export class ShmemRinger implements Ringer {
  readonly #kernels: Kernels;
  readonly #views: MemoryViews;
  readonly #futex: Futex;
  readonly #own: boolean;
  readonly #bellAddress: bigint;
  readonly #supervisor: number;
  readonly #supervisorAddress: bigint;

  /**
   * @param layout Where everything lies.
   * @param views The memory of all processes.
   * @param kernels Kernels over it.
   * @param futex Wakes threads of other processes.
   * @param base The address of the memory's first byte in this process.
   * @param pe The PE.
   */
  constructor(
    layout: Layout,
    views: MemoryViews,
    kernels: Kernels,
    futex: Futex,
    base: bigint,
    pe: number,
  ) {
    this.#kernels = kernels;
    this.#views = views;
    this.#futex = futex;
    this.#own = isOwn(layout, pe);
    this.#bellAddress = base + BigInt(blockOf(layout, pe) + BLOCK.bell);
    this.#supervisor = hostWordOf(layout, Math.floor(pe / layout.nearPes), HOST.asleep);
    this.#supervisorAddress = base + BigInt(this.#supervisor);
  }

  publish(tailAt: number, tail: number, bell: number): void {
    this.#kernels.store32(tailAt, tail);
    this.#announce(bell, EVENT);
  }

  release(headAt: number, head: number, wantAt: number, bell: number): void {
    const { load32, store32 } = this.#kernels;
    store32(headAt, head);
    if (load32(wantAt) === 0) return;
    store32(wantAt, 0);
    this.#announce(bell, EVENT);
  }

  ring(bell: number): void {
    this.#announce(bell, EVENT);
  }

  barrierSignal(flag: number, hi: number, lo: number, bell: number): void {
    // Whoever sees the number of the collective sees the tag that was stored before it.
    this.#kernels.store32(flag + 4, hi);
    this.#kernels.store32(flag, lo);
    this.#announce(bell, SIGNAL);
  }

  /** Counts an event, and only then looks whether the PE sleeps: it looks the other way round. */
  #announce(bell: number, amount: number): void {
    this.#kernels.add32(bell + 4, amount);
    const asleep = this.#kernels.load32(bell);
    if (asleep !== 0) this.#wake(bell, asleep);
  }

  #wake(bell: number, asleep: number): void {
    const { cas32, store32 } = this.#kernels;
    if (asleep === ASLEEP.outside) {
      if (cas32(bell, asleep, 0) === asleep) this.#futex.wake(this.#bellAddress);
    } else if (this.#own) {
      const word = bell >>> 2;
      if (atomicCompareExchange(this.#views.i32, word, asleep, 0) !== asleep) return;
      atomicNotifyAll(this.#views.i32, word);
    } else {
      store32(bell + BLOCK.called - BLOCK.bell, 1);
      if (cas32(this.#supervisor, 1, 0) === 1) this.#futex.wake(this.#supervisorAddress);
    }
  }
}
