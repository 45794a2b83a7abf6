/**
 * The shmem lamella: PEs of several processes share one memory, as those of one do on the local
 * lamella. The PEs of a host do so on the rofi lamella, too, where there are several hosts.
 *
 * What differs is how they sleep and are woken: a PE that blocks sleeps in futex(2), where any
 * process can wake it; one that rests in its event loop can only be woken from inside, so others
 * have the supervisor of its process do that.
 *
 * @module
 */

import { baseAddress, Futex } from "../../ffi/host.ts";
import { atomicCompareExchange, atomicNotifyAll } from "../../internal/atomics.ts";
import type { Kernels } from "../../internal/kernels.ts";
import { ASLEEP, BLOCK, blockOf, HEADER, isOwn, type Layout, ownPesOf } from "../local/layout.ts";
import { LocalLamella, type LocalOptions } from "../local/local_lamella.ts";
import type { Waker } from "../local/rings.ts";
import { HOST, hostWordOf } from "./host_words.ts";

/** Longest sleep of a PE: a PE that ends the job need not know where it sleeps. */
const SLEEP_MS = 100;
/** What it takes to wake a PE from its event loop: first its supervisor has to wake. */
const WAKE_MS = 0.1;

/** What an ordinary event adds to a counter, and a barrier signal: see `kernels/sync.ts`. */
const EVENT = 1;
const SIGNAL = 1 << 24;

/** The memory of processes that share it, as a thread of one of them has it. */
export interface Announcer {
  readonly layout: Layout;
  /** The memory of all processes. */
  readonly buffer: ArrayBufferLike;
  /** Kernels over it. */
  readonly kernels: Kernels;
}

/**
 * How a PE sleeps, and wakes others.
 *
 * @param one The memory.
 * @param pe The PE.
 * @returns What its lamella has to be told.
 */
export function sharingOptions(
  one: Announcer,
  pe: number,
): Pick<LocalOptions, "wakerOf" | "sleep" | "wakeMs"> {
  const { layout, buffer, kernels } = one;
  const futex = Futex.open()!;
  const bell = blockOf(layout, pe) + BLOCK.bell;
  const address = baseAddress(buffer) + BigInt(bell);
  return {
    wakeMs: WAKE_MS,
    wakerOf: (other) => new ShmemWaker(one, futex, other),
    sleep(seen, timeoutMs) {
      kernels.store32(bell, ASLEEP.outside);
      if (kernels.load32(bell + 4) === seen && kernels.load32(HEADER.abort) === 0) {
        futex.wait(address, ASLEEP.outside, Math.min(timeoutMs, SLEEP_MS));
      }
      kernels.store32(bell, 0);
    },
  };
}

/**
 * How any thread of a process announces to its PEs what comes for them.
 *
 * @param layout Where everything is.
 * @param kernels Kernels over the memory.
 * @param buffer The memory.
 * @returns By PE of this process; kernels do it where no memory is shared.
 */
export function wakersOf(layout: Layout, kernels: Kernels, buffer: ArrayBufferLike): Waker[] {
  const futex = layout.host && Futex.open()!;
  const from = { layout, kernels, buffer };
  return ownPesOf(layout).map((pe) => futex ? new ShmemWaker(from, futex, pe) : kernels);
}

/**
 * Makes the lamella of a PE of a job that is on one host.
 *
 * @param layout Where everything is.
 * @param memory The memory of all processes.
 * @param kernels Kernels over it.
 * @param pe The PE.
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
  const sharing = sharingOptions({ layout, buffer: memory.buffer, kernels }, pe);
  return new LocalLamella(layout, memory, kernels, pe, { ...sharing, name: "shmem", offer });
}

/** Announces to one PE what another has for it, and wakes it wherever it sleeps. */
export class ShmemWaker implements Waker {
  readonly #kernels: Kernels;
  readonly #words: Int32Array;
  readonly #futex: Futex;
  readonly #own: boolean;
  readonly #bellAddress: bigint;
  readonly #supervisor: number;
  readonly #supervisorAddress: bigint;

  /**
   * @param from The memory of the PE that announces.
   * @param futex Wakes threads of other processes.
   * @param pe The PE.
   */
  constructor({ layout, buffer, kernels }: Announcer, futex: Futex, pe: number) {
    const base = baseAddress(buffer);
    this.#kernels = kernels;
    this.#words = new Int32Array(buffer);
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
    this.#kernels.store32(headAt, head);
    if (this.#kernels.load32(wantAt) === 0) return;
    this.#kernels.store32(wantAt, 0);
    this.#announce(bell, EVENT);
  }

  wake(bell: number): void {
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
      if (atomicCompareExchange(this.#words, word, asleep, 0) !== asleep) return;
      atomicNotifyAll(this.#words, word);
    } else {
      store32(bell + BLOCK.called - BLOCK.bell, 1);
      if (cas32(this.#supervisor, 1, 0) === 1) this.#futex.wake(this.#supervisorAddress);
    }
  }
}
