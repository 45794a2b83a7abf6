/**
 * Doorbells between processes of one host, for providers of libfabric that offer nothing to sleep
 * in: a word in a page that both processes have mapped, and futex(2). A bell belongs to a process,
 * one thread of which sleeps by it; a process that has sent that process something wakes it, which
 * costs no system call while nobody sleeps.
 *
 * @module
 */

import { atomicAdd, atomicCompareExchange, atomicLoad, atomicStore } from "../internal/atomics.ts";
import { Futex } from "./futex.ts";
import { MemoryFile } from "./memory_file.ts";
import { viewAt } from "./native.ts";

/** Bytes of a page with a bell. */
const PAGE_BYTES = 4096;

/** Words of a bell: whether the owner sleeps; in a page also whose it is, and how many map it. */
const WORD = { asleep: 0, tag: 1, mapped: 2 } as const;

/** A page with a bell, as the process that has mapped it knows it. It stays mapped. */
export interface BellPage {
  /** Where it is in this process. */
  readonly address: bigint;
  /** Where others find it, below /proc; they are too late once it was closed. */
  readonly path: string;
  /** How many other processes have mapped it. */
  mapped(): number;
  /** Lets nobody else map it any more. */
  close(): void;
}

/** Bytes of the words. */
const BELL_BYTES = 12;

function wordsAt(address: bigint): Int32Array {
  return new Int32Array(viewAt(address, BELL_BYTES).buffer);
}

/**
 * Makes a bell for this process.
 *
 * @param tag Tells the bells of one job from all others
 * @returns The bell; undefined where there can be none
 */
export function createBell(tag: number): BellPage | undefined {
  const file = Futex.open() && MemoryFile.create("lamellar_bell");
  const address = file?.resize(PAGE_BYTES) ? file.map() : 0n;
  if (!file || address === 0n) {
    file?.close();
    return undefined;
  }
  const words = wordsAt(address);
  atomicStore(words, WORD.tag, tag);
  return {
    address,
    path: file.path,
    mapped: () => atomicLoad(words, WORD.mapped),
    close: () => file.close(),
  };
}

/**
 * Maps the bell of another process.
 *
 * @param path Where it is
 * @param tag The tag of the job
 * @returns Its address in this process; 0n if it cannot be reached, or is not of this job
 */
export function openBell(path: string, tag: number): bigint {
  const file = MemoryFile.open(path);
  const address = file?.bytes === PAGE_BYTES ? file.map() : 0n;
  file?.close();
  if (address === 0n) return 0n;
  const words = wordsAt(address);
  if (atomicLoad(words, WORD.tag) !== tag) return 0n;
  atomicAdd(words, WORD.mapped, 1);
  return address;
}

/** The bells of a host, as one thread uses them. */
export class HostBells {
  readonly #addresses: readonly bigint[];
  readonly #words: readonly (Int32Array | undefined)[];
  readonly #futex: Futex;

  /**
   * @param addresses Where the bell of each process is in this one; 0n for those that have none
   */
  constructor(addresses: readonly bigint[]) {
    this.#addresses = addresses;
    this.#words = addresses.map((address) => address === 0n ? undefined : wordsAt(address));
    this.#futex = Futex.open()!;
  }

  /**
   * Wakes the thread that sleeps by the bell of a process, if one does. Whatever was written before
   * is seen by a thread that lies down now and looks.
   *
   * @param index The process
   */
  wake(index: number): void {
    const words = this.#words[index];
    // The exchange is also the fence between what was sent and the look at which threads sleep.
    if (!words || atomicCompareExchange(words, WORD.asleep, 1, 0) === 0) return;
    this.#futex.wake(this.#addresses[index]!);
  }

  /**
   * Prepares to sleep: a wake from now on ends the sleep, or keeps it from beginning.
   *
   * @param index This process
   */
  lieDown(index: number): void {
    atomicStore(this.#words[index]!, WORD.asleep, 1);
  }

  /**
   * Gets up without having slept.
   *
   * @param index This process
   */
  getUp(index: number): void {
    atomicStore(this.#words[index]!, WORD.asleep, 0);
  }

  /**
   * Sleeps until somebody wakes it, after `lieDown`.
   *
   * @param index This process
   * @param timeoutMs Longest sleep in milliseconds
   */
  sleep(index: number, timeoutMs: number): void {
    this.#futex.wait(this.#addresses[index]!, 1, timeoutMs);
    this.getUp(index);
  }
}
