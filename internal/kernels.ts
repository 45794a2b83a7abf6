/**
 * The WebAssembly kernels: what JavaScript is slow at, done over the shared memory of a process.
 * Their source is in `kernels/`, from which `scripts/build_kernels.ts` makes `kernels_bytes.ts`.
 *
 * Addresses are byte offsets in that memory, as ordinary numbers, in both variants. The kernels
 * check no bounds but those of the memory itself (a `WebAssembly.RuntimeError`): callers check
 * theirs first.
 *
 * @module
 */

import { KERNELS_BASE64 } from "./kernels_bytes.ts";
import type { MemoryType } from "./elements.ts";
import { opsOf } from "./element_ops.ts";
import type { BooleanKernels, IntegerKernels, KernelsOf } from "./kernels_element.ts";
import { SCRATCH_SPREAD, writeSingleSpread } from "./kernels_spread.ts";

/** What a kernel that waits returns. */
export const WaitCode = {
  /** The time was over and nothing had happened. */
  timeout: 0,
  /** `barrier` only: all rounds are done. */
  done: 1,
  /** The abort word is no longer 0. */
  abort: 2,
  /** The event counter is no longer the one the caller had seen. */
  event: 3,
  /** `waitFlag` only: the flag reached the expected number. */
  reached: 4,
  /** `barrier` only: the flag of this round holds something else than expected. */
  mismatch: 5,
} as const;

/** Kernels for words, doorbells, rings, waiting, barriers and for moving bytes. */
export interface CoreKernels {
  /** Loads an `i32`, sequentially consistent like all atomics here. */
  load32(at: number): number;
  /** Stores an `i32`. */
  store32(at: number, value: number): void;
  /** Adds to an `i32` and returns what it was. */
  add32(at: number, value: number): number;
  /** Replaces an `i32` and returns what it was. */
  xchg32(at: number, value: number): number;
  /** Sets bits of an `i32` and returns what it was. */
  or32(at: number, value: number): number;
  /** Keeps only the given bits of an `i32` and returns what it was. */
  and32(at: number, value: number): number;
  /** Replaces an `i32` if it is what was expected, and returns what it was. */
  cas32(at: number, expected: number, desired: number): number;
  /**
   * Announces an event: adds 1 to the counter at `bell + 4`, and wakes the owner of the bell if the
   * word at `bell` says that it sleeps.
   */
  wake(bell: number): void;
  /** Stores the tail of a byte ring, then wakes the consumer. */
  publish(tailAt: number, tail: number, bell: number): void;
  /** Stores the head of a byte ring; clears a 1 the producer left at `wantAt`, and wakes it. */
  release(headAt: number, head: number, wantAt: number, bell: number): void;
  /**
   * Looks for a ring that is not empty: source `s` has its tail at `tails + s * stride` and its
   * head at `heads + s * stride`.
   *
   * @returns The first such source from `start` on, round the end, or -1.
   */
  poll(tails: number, heads: number, stride: number, n: number, start: number): number;
  /**
   * Waits for an event: `spins` looks, then asleep in the futex. Read `seen` from `bell + 4` before
   * looking at what the events are about.
   *
   * @returns {@linkcode WaitCode}: timeout, abort or event.
   */
  wait(bell: number, abort: number, seen: number, spins: number, timeoutNs: number): number;
  /**
   * Waits until the low 32 bits of the 64-bit flag reach `lo`, in the order of sequence numbers.
   * Barrier signals of others do not end it.
   *
   * @returns {@linkcode WaitCode}: timeout, abort, event or reached.
   */
  waitFlag(
    flag: number,
    lo: number,
    bell: number,
    abort: number,
    seen: number,
    spins: number,
    timeoutNs: number,
  ): number;
  /** Stores `hi` and `lo` as one 64-bit flag and wakes the partner, as a barrier signal. */
  barrierSignal(flag: number, hi: number, lo: number, bell: number): void;
  /**
   * Runs a dissemination barrier from `round` on.
   *
   * Each PE has two sets of flags, `rounds` 64-bit words each, the first for even `lo`. The table
   * holds two 64-bit words a round: the address of the partner's first-set flag of that round, and
   * of the partner's bell (`writeAddress` in `kernels_spread.ts`). Call it again with the round it
   * returned and `signalled` 1 to go on after an event or a timeout.
   *
   * @returns `round << 3 | code`, the code of {@linkcode WaitCode}: timeout, done, abort, event or
   * mismatch.
   */
  barrier(
    flags: number,
    table: number,
    rounds: number,
    round: number,
    signalled: number,
    hi: number,
    lo: number,
    bell: number,
    abort: number,
    seen: number,
    spins: number,
    timeoutNs: number,
  ): number;
  /** Copies bytes; the two blocks may overlap. */
  copy(dst: number, src: number, bytes: number): void;
  /** Sets bytes. */
  fill(dst: number, byte: number, bytes: number): void;
  /** Copies `n` elements of `bytes` each between two strides in bytes; these must not overlap. */
  stridedCopy(
    dst: number,
    dstStride: number,
    src: number,
    srcStride: number,
    bytes: number,
    n: number,
  ): void;
}

/** The kernels of one Worker over the memory of its process. */
export interface Kernels extends CoreKernels {
  /** The compiled core module, to be posted to other Workers. */
  readonly module: WebAssembly.Module;
  /**
   * Loads the kernels of an element type, at the first call for it.
   *
   * @param type The element type.
   * @returns Its kernels; the values of 64-bit integers are BigInt.
   * @throws {TypeError} If the kernels were instantiated without a scratch area.
   */
  of<T extends MemoryType>(type: T): KernelsOf<T>;
  /**
   * Loads the kernels of a 64-bit integer type, at the first call for it.
   *
   * @param type The element type.
   * @returns Its kernels with numbers for values: NaN for what no number holds exactly. Values
   * given have to be integers, which the kernels do not check.
   * @throws {TypeError} If the kernels were instantiated without a scratch area.
   */
  numbersOf(type: "u64" | "i64"): IntegerKernels<number>;
  /** Kernels that take and give booleans. */
  booleans(): BooleanKernels;
  /**
   * Writes a spread over one part, in the scratch area: it holds until the next call.
   *
   * @param base The address at which the part begins.
   * @param length How many elements it has.
   * @param elementBytes The size of an element in bytes.
   * @returns The address of the spread.
   * @throws {TypeError} If the kernels were instantiated without a scratch area.
   */
  spreadOver(base: number, length: number, elementBytes: number): number;
}

/** How to instantiate the kernels. */
export interface KernelsOptions {
  /** Whether the memory is addressed by 64 bits. */
  memory64: boolean;
  /** The core module as {@linkcode compileKernels} made it, here or in another Worker. */
  module?: WebAssembly.Module | undefined;
  /**
   * The address of `SCRATCH_BYTES` in `kernels_spread.ts`, a multiple of 16, that only this Worker
   * uses. The kernels of element types need it.
   */
  scratch?: number | undefined;
}

/**
 * Compiles the core kernels.
 *
 * @param memory64 Whether the memory is addressed by 64 bits.
 * @returns A module that can be instantiated here, or posted to a Worker.
 */
export function compileKernels(memory64: boolean): WebAssembly.Module {
  return compile("core", memory64);
}

/**
 * Instantiates the kernels over a shared memory.
 *
 * @param memory The memory of the process, at least one page.
 * @param options Its address width, and the module if it is compiled already.
 * @returns The kernels.
 */
export function instantiateKernels(memory: WebAssembly.Memory, options: KernelsOptions): Kernels {
  const { memory64, scratch } = options;
  const module = options.module ?? compileKernels(memory64);
  const core = new WebAssembly.Instance(module, { env: { memory } });
  const words = new Uint32Array(memory.buffer);
  const exports = new Map<MemoryType, WebAssembly.Exports>();
  const loadElement = (type: MemoryType): WebAssembly.Exports => {
    const loaded = exports.get(type);
    if (loaded !== undefined) return loaded;
    if (scratch === undefined) {
      throw new TypeError(`Cannot load the ${type} kernels: they were given no scratch area`);
    }
    const instance = new WebAssembly.Instance(compile(type, memory64), {
      env: { memory, scratch: scratchGlobal(scratch, memory64), remainder },
    });
    exports.set(type, instance.exports);
    return instance.exports;
  };
  const byType = new Map<MemoryType, unknown>();
  const byNumber = new Map<MemoryType, IntegerKernels<number>>();
  let booleans: BooleanKernels | undefined;
  return {
    ...core.exports as unknown as CoreKernels,
    module,
    of<T extends MemoryType>(type: T): KernelsOf<T> {
      if (!byType.has(type)) {
        const exports = loadElement(type);
        byType.set(type, type === "u64" ? unsignedForms(exports) : { ...exports });
      }
      return byType.get(type) as KernelsOf<T>;
    },
    numbersOf(type: "u64" | "i64"): IntegerKernels<number> {
      const known = byNumber.get(type);
      if (known !== undefined) return known;
      const kernels = numberForms(loadElement(type));
      byNumber.set(type, kernels);
      return kernels;
    },
    booleans(): BooleanKernels {
      return booleans ??= booleanForms(loadElement("u8"));
    },
    spreadOver(base: number, length: number, elementBytes: number): number {
      if (scratch === undefined) {
        throw new TypeError("Cannot write a spread: the kernels were given no scratch area");
      }
      writeSingleSpread(words, scratch + SCRATCH_SPREAD, base, length, elementBytes);
      return scratch + SCRATCH_SPREAD;
    },
  };
}

/** Puts the forms that end in `Number` in the place of those that take and return BigInt. */
function numberForms(exports: WebAssembly.Exports): IntegerKernels<number> {
  const kernels = { ...exports };
  for (const [name, kernel] of Object.entries(exports)) {
    if (name.endsWith("Number")) kernels[name.slice(0, -"Number".length)] = kernel;
  }
  return kernels as unknown as IntegerKernels<number>;
}

/** Lets kernels of one element take and give booleans; keeps those that booleans have. */
function booleanForms(exports: WebAssembly.Exports): BooleanKernels {
  const ops = opsOf({ kind: "boolean" });
  const singles = ["load", "store", "atomicLoad", "cas", ...ops.map(({ kernel }) => kernel)];
  const others = ["batchCas", "gather", "scatter"].concat(
    ops.flatMap(({ batchFetchName, batchName, fetches, updates }) => [
      ...updates ? [batchName] : [],
      ...fetches ? [batchFetchName] : [],
    ]),
  );
  const kernels: Record<string, unknown> = {};
  for (const name of others) kernels[name] = exports[name];
  for (const name of singles) {
    const kernel = exports[name] as (at: number, first: number, second: number) => number;
    kernels[name] = (at: number, first: boolean, second: boolean): boolean =>
      kernel(at, first ? 1 : 0, second ? 1 : 0) !== 0;
  }
  const { fill, test } = exports as unknown as IntegerKernels<number>;
  kernels["fill"] = (at: number, value: boolean, n: number): void => fill(at, value ? 1 : 0, n);
  kernels["test"] = (at: number, code: number, value: boolean): number =>
    test(at, code, value ? 1 : 0);
  return kernels as unknown as BooleanKernels;
}

/** Takes the sign off what kernels return as a 64-bit integer, which always arrives with one. */
function unsignedForms(exports: WebAssembly.Exports): IntegerKernels<bigint> {
  const kernels = { ...exports };
  for (const name of Object.keys(exports)) {
    if (!/^(load|cas|atomic(?!Store)\w+)(?<!Number)$/.test(name)) continue;
    const kernel = exports[name] as (at: number, first: bigint, second: bigint) => bigint;
    // All arguments that no kernel takes are ignored.
    kernels[name] = (at: number, first: bigint = 0n, second: bigint = 0n): bigint =>
      BigInt.asUintN(64, kernel(at, first, second));
  }
  return kernels as unknown as IntegerKernels<bigint>;
}

/** Compiles one module from its base64 text. */
function compile(name: "core" | MemoryType, memory64: boolean): WebAssembly.Module {
  const text = KERNELS_BASE64[`${name}_${memory64 ? 64 : 32}`];
  return new WebAssembly.Module(Uint8Array.fromBase64(text));
}

/** As C's `fmod`. */
function remainder(dividend: number, divisor: number): number {
  return dividend % divisor;
}

/** The address of the scratch area as an import. */
function scratchGlobal(scratch: number, memory64: boolean): WebAssembly.Global {
  return memory64
    ? new WebAssembly.Global({ value: "i64", mutable: false }, BigInt(scratch))
    : new WebAssembly.Global({ value: "i32", mutable: false }, scratch);
}
