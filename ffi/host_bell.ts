/**
 * Doorbells between processes of one host, for providers of libfabric that offer nothing to sleep
 * in: a word in a page that both processes have mapped, and futex(2). A bell belongs to a process,
 * one thread of which sleeps by it; whoever has sent that process something rings it, which costs
 * no system call while nobody sleeps.
 *
 * @module
 */

import { atomicAdd, atomicCompareExchange, atomicLoad, atomicStore } from "../internal/atomics.ts";
import { openLibc } from "./libc.ts";
import { cString, libc, viewAt } from "./native.ts";

const PAGES = {
  // int ftruncate(int fd, off_t length)
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  // int open(const char *pathname, int flags)
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // off_t lseek(int fd, off_t offset, int whence)
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  // void *mmap(void addr[.length], size_t length, int prot, int flags, int fd, off_t offset)
  mmap: { parameters: ["u64", "usize", "i32", "i32", "i32", "i64"], result: "i64" },
} as const;

const FUTEX = {
  // long syscall(SYS_futex, uint32_t *uaddr, int futex_op, uint32_t val,
  //              const struct timespec *timeout, uint32_t *uaddr2, uint32_t val3)
  syscall: { parameters: ["i64", "u64", "i32", "u32", "buffer", "u64", "u32"], result: "i64" },
} as const;

const SYS_FUTEX = { x86_64: 202n, aarch64: 98n } as const;
const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const MFD_CLOEXEC = 1;
const O_RDWR_CLOEXEC = 0x80002;
const SEEK_END = 2;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

const PAGE_BYTES = 4096n;

/** Words of a page: whether the owner sleeps, whose it is, and how many others have mapped it. */
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

function wordsAt(address: bigint): Int32Array {
  return new Int32Array(viewAt(address, Number(PAGE_BYTES)).buffer);
}

function map(pages: Deno.DynamicLibrary<typeof PAGES>["symbols"], fd: number): bigint {
  // The size is looked at first: who touches what is not there is killed.
  if (pages.lseek(fd, 0n, SEEK_END) !== PAGE_BYTES) return 0n;
  const address = pages.mmap(0n, PAGE_BYTES, PROT_READ_WRITE, MAP_SHARED, fd, 0n);
  return address === -1n ? 0n : address;
}

/**
 * Makes a bell for this process.
 *
 * @param tag Tells the bells of one job from all others
 * @returns The bell; undefined where there can be none
 */
export function createBell(tag: number): BellPage | undefined {
  const { symbols: c } = libc("use libfabric");
  const pages = openLibc(PAGES)?.symbols;
  if (!pages || !(Deno.build.arch in SYS_FUTEX)) return undefined;
  // A file in memory leaves nothing behind, whatever happens to its process.
  const fd = c.memfd_create(cString("lamellar_bell"), MFD_CLOEXEC);
  const address = fd >= 0 && pages.ftruncate(fd, PAGE_BYTES) === 0 ? map(pages, fd) : 0n;
  if (address === 0n) {
    if (fd >= 0) c.close(fd);
    return undefined;
  }
  const words = wordsAt(address);
  atomicStore(words, WORD.tag, tag);
  return {
    address,
    path: `${Deno.pid}/fd/${fd}`,
    mapped: () => atomicLoad(words, WORD.mapped),
    close: () => void c.close(fd),
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
  const { symbols: c } = libc("use libfabric");
  const pages = openLibc(PAGES)?.symbols;
  const fd = pages?.open(cString(`/proc/${path}`), O_RDWR_CLOEXEC) ?? -1;
  if (!pages || fd < 0) return 0n;
  const address = map(pages, fd);
  c.close(fd);
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
  readonly #syscall: Deno.DynamicLibrary<typeof FUTEX>["symbols"]["syscall"];
  readonly #number: bigint;
  readonly #time = new BigInt64Array(2);

  /**
   * @param addresses Where the bell of each process is in this one; 0n for those that have none
   */
  constructor(addresses: readonly bigint[]) {
    this.#addresses = addresses;
    this.#words = addresses.map((address) => address === 0n ? undefined : wordsAt(address));
    this.#syscall = openLibc(FUTEX)!.symbols.syscall;
    this.#number = SYS_FUTEX[Deno.build.arch as keyof typeof SYS_FUTEX];
  }

  /**
   * Wakes the thread that sleeps by the bell of a process, if one does. Whatever was written before
   * is seen by a thread that lies down now and looks.
   *
   * @param index The process
   */
  ring(index: number): void {
    const words = this.#words[index];
    // The exchange is also the fence between what was sent and the look at who sleeps.
    if (!words || atomicCompareExchange(words, WORD.asleep, 1, 0) === 0) return;
    this.#syscall(this.#number, this.#addresses[index]!, FUTEX_WAKE, 1, null, 0n, 0);
  }

  /**
   * Lies down: whoever rings from now on ends the sleep, or keeps it from beginning.
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
   * Sleeps until the bell rings, after `lieDown`.
   *
   * @param index This process
   * @param timeoutMs Longest sleep in milliseconds
   */
  sleep(index: number, timeoutMs: number): void {
    this.#time[0] = BigInt(Math.floor(timeoutMs / 1000));
    this.#time[1] = BigInt(Math.round((timeoutMs % 1000) * 1e6));
    const time = new Uint8Array(this.#time.buffer);
    this.#syscall(this.#number, this.#addresses[index]!, FUTEX_WAIT, 1, time, 0n, 0);
    this.getUp(index);
  }
}
