/**
 * Random calls of region operations, right and wrong ones. A call is made from random numbers
 * alone, so that it can be made again: for memory of this PE and for that of another, to see
 * whether the two do the same.
 *
 * @module
 */

import { ELEMENT_OPS } from "../../internal/element_ops.ts";
import type {
  ElementType,
  OneSidedMemoryRegion,
  RmaHandle,
  SharedMemoryRegion,
} from "../../mod.ts";
import { show } from "./shown.ts";
import { randomNumbers } from "../../internal/random_test_numbers.ts";

// deno-lint-ignore no-explicit-any -- calls are wrong on purpose
type Any = any;

/** Elements of each region that is called. */
export const LENGTH = 24;

/** What a call is made for. */
export interface Target {
  readonly region: SharedMemoryRegion<ElementType> | OneSidedMemoryRegion<ElementType>;
  /** The PE to name; undefined where the region belongs to one. */
  readonly pe: number | undefined;
  /** The PE whose memory it is. */
  readonly owner: number;
  /** A region on the same PE, for signals. */
  readonly flags: Any;
}

/** What all calls may take from. */
export interface Surroundings {
  readonly numPes: number;
  /** A shared region of the same type, of which this PE's part is used. */
  readonly other: SharedMemoryRegion<ElementType>;
  /** A region of another type. */
  readonly strange: Any;
  /** A region that was disposed. */
  readonly gone: Any;
  /** Shared regions of indices. */
  readonly u32: SharedMemoryRegion<"u32">;
  readonly u64: SharedMemoryRegion<"bigu64">;
}

/** How a call ended. */
export interface Outcome {
  /** The call, as text. */
  readonly call: string;
  /** What it threw or gave, and its arrays afterwards. */
  readonly seen: string;
}

const CLASSES: Readonly<Record<ElementType, Any>> = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  bigu64: BigUint64Array,
  bigi64: BigInt64Array,
  bool: Uint8Array,
};

const ODD: readonly Any[] = [
  undefined,
  null,
  true,
  "1",
  "",
  {},
  [1],
  () => 1,
  Symbol.iterator,
  1n,
  0n,
  -1n,
  2n ** 63n,
  2n ** 64n,
  -(2n ** 63n) - 1n,
  NaN,
  -0,
  0.5,
  Infinity,
  -Infinity,
  -1,
  2 ** 31,
  2 ** 32,
  2 ** 51,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 64,
  1e300,
  { length: 1, 0: 1 },
  new Date(0),
  { valueOf: () => 1 },
];

/** Makes the arguments of one call. */
class Maker {
  readonly #random: () => number;
  readonly #type: ElementType;
  readonly #around: Surroundings;
  /** The arrays and lists of the call, to be looked at afterwards. */
  readonly arrays: Any[] = [];

  constructor(seed: number, type: ElementType, around: Surroundings) {
    this.#random = randomNumbers(seed);
    this.#type = type;
    this.#around = around;
  }

  below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** One of the odd values, seldom; else what is given. */
  mostly<T>(value: T, share = 0.93): T {
    return this.chance(share) ? value : this.of(ODD);
  }

  pe(target: Target): Any {
    const { numPes } = this.#around;
    return this.chance(0.97)
      ? target.pe
      : this.of([numPes, -1, 0.5, NaN, "0", 0n, null, 2 ** 32, 2 ** 53, {}, undefined]);
  }

  index(): Any {
    if (this.chance(0.85)) return this.below(LENGTH);
    return this.chance(0.5) ? this.of([LENGTH - 1, LENGTH, LENGTH + 1, -0]) : this.of(ODD);
  }

  value(): Any {
    const big = this.#type.startsWith("big");
    if (this.#type === "bool" && this.chance(0.9)) return this.chance(0.5);
    if (this.chance(0.7)) return big ? BigInt(this.below(100)) : this.below(100);
    const limits: readonly Any[] = big
      ? [2n ** 64n - 1n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), -1n, 2n ** 53n]
      : [127, 128, 255, 256, -128, -129, 65535, 65536, 2 ** 31 - 1, 2 ** 32 - 1, 2 ** 53 - 1];
    return this.chance(0.6) ? this.of(limits) : this.of(ODD);
  }

  /** What a typed array of the type may hold. */
  #element(): Any {
    const kind = this.#type;
    if (CLASSES[kind] === BigUint64Array) {
      return this.chance(0.8) ? BigInt(this.below(100)) : this.of([2n ** 64n - 1n, 2n ** 53n]);
    }
    if (CLASSES[kind] === BigInt64Array) {
      return this.chance(0.8) ? BigInt(this.below(100) - 50) : this.of([-(2n ** 63n), 2n ** 53n]);
    }
    if (kind === "bool") return this.below(2);
    if (kind.startsWith("f")) return this.chance(0.7) ? this.#random() : this.of([NaN, -0, 1e40]);
    return this.below(100);
  }

  count(): number {
    return this.chance(0.9) ? this.below(LENGTH / 2) : this.of([0, 1, LENGTH, LENGTH + 1, 40]);
  }

  /** A typed array: of the right class mostly, in the heap or not, sometimes one that is gone. */
  array(length = this.count()): Any {
    const kind = this.below(24);
    const around = this.#around;
    const from = this.below(4);
    if (kind === 0) return this.#keep(new (this.of(Object.values(CLASSES)))(length));
    if (kind === 1) return this.#detached(length);
    if (kind === 2) return this.#shrunk(length);
    if (kind === 3) return around.gone;
    if (kind === 4) return around.strange;
    if (kind === 5) return this.of([new DataView(new ArrayBuffer(8)), new Uint8ClampedArray(2)]);
    const end = Math.min(LENGTH, from + length);
    if (kind <= 8) return this.#keep(around.other.subRegion(from, end));
    if (kind <= 11) return this.#keep(around.other.asSlice().subarray(from, end));
    if (/^[ui]64$/.test(this.#type) && this.chance(0.5)) return this.#numbers(length);
    const arrayClass = CLASSES[this.#type];
    const bytes = arrayClass.BYTES_PER_ELEMENT * (length + 1);
    const buffer = kind === 12 ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
    const array = new arrayClass(buffer, arrayClass.BYTES_PER_ELEMENT, length);
    for (let i = 0; i < length; i++) array[i] = this.#element();
    return this.#keep(array);
  }

  /** Numbers that stand for 64-bit integers. */
  #numbers(length: number): Float64Array {
    const wrong = [0.5, NaN, 2 ** 53, -(2 ** 53), -1];
    return this.#keep(
      Float64Array.from({ length }, () => this.chance(0.98) ? this.below(100) : this.of(wrong)),
    );
  }

  #keep<T>(array: T): T {
    this.arrays.push(array);
    return array;
  }

  #detached(length: number): Any {
    const array = new (CLASSES[this.#type])(length);
    array.buffer.transfer();
    return array;
  }

  #shrunk(length: number): Any {
    const arrayClass = CLASSES[this.#type];
    const bytes = (length + 1) * arrayClass.BYTES_PER_ELEMENT;
    const buffer = new (ArrayBuffer as Any)(bytes, { maxByteLength: 2 * bytes });
    const array = this.chance(0.5)
      ? new arrayClass(buffer)
      : new arrayClass(buffer, arrayClass.BYTES_PER_ELEMENT);
    const fixed = new arrayClass(buffer, arrayClass.BYTES_PER_ELEMENT, length);
    buffer.resize(this.of([0, arrayClass.BYTES_PER_ELEMENT, 2 * bytes]));
    return this.#keep(this.chance(0.5) ? array : fixed);
  }

  list(length = this.count()): Any {
    return this.#keep(
      Array.from({ length }, () => this.chance(0.98) ? this.#plain() : this.value()),
    );
  }

  #plain(): Any {
    const n = this.below(100);
    if (this.#type === "bool") return n < 50;
    return this.#type.startsWith("big") ? BigInt(n) : n;
  }

  source(length?: number): Any {
    const kind = this.below(8);
    if (kind === 0) return this.mostly(this.value());
    return kind <= 2 ? this.list(length) : this.array(length);
  }

  indices(length = this.count()): Any {
    const { u32, u64 } = this.#around;
    const list = Array.from(
      { length },
      () => this.chance(0.97) ? this.below(LENGTH) : this.index(),
    );
    const whole = list.map((n) => typeof n === "number" && n >= 0 && n <= 2 ** 53 ? n : 99);
    const kind = this.below(13);
    // Wrong numbers too, but nothing that is none.
    const numbers = list.map((n) => typeof n === "number" ? n : NaN);
    if (kind === 12) return Float64Array.from(numbers);
    if (kind === 0) return Uint32Array.from(whole);
    if (kind === 1) return BigUint64Array.from(whole, (n) => BigInt(Math.floor(n)));
    if (kind === 2 || kind === 3) {
      const part = kind === 2 ? u32.asSlice() : u64.asSlice();
      const some = part.subarray(0, Math.min(length, part.length)) as Any;
      some.forEach((_: Any, i: number) =>
        some[i] = kind === 2 ? whole[i] : BigInt(Math.floor(whole[i]!))
      );
      return some;
    }
    if (kind === 4) return this.of([u32.subRegion(0, 3), u64.subRegion(0, 3), u32]);
    if (kind === 5) return this.of([...ODD, this.array(3)]);
    return this.#keep(list);
  }

  stride(): Any {
    return this.chance(0.8) ? 1 + this.below(4) : this.of([0, 40, 2 ** 51, 2 ** 53, ...ODD]);
  }
}

const UPDATES = ELEMENT_OPS.filter(({ updates }) => updates);
const FETCHES = ELEMENT_OPS.filter(({ fetches }) => fetches);
const SINGLES: readonly string[] = [
  ...UPDATES.map(({ name }) => name),
  ...FETCHES.map((op) => op.fetchName),
];
const BATCHES: readonly string[] = [...UPDATES.map((op) => op.batchName), "scatter"];
const BATCH_FETCHES: readonly string[] = FETCHES.map((op) => op.batchFetchName);

/** The arguments of an operation behind the PE. */
function argumentsOf(name: string, make: Maker, target: Target): Any[] {
  if (BATCHES.includes(name) || name === "putIndexed") {
    const count = make.count();
    const length = make.chance(0.95) ? count : make.count();
    return [make.indices(count), make.source(length)];
  }
  if (SINGLES.includes(name)) return [make.index(), make.value()];
  if (BATCH_FETCHES.includes(name)) {
    const count = make.count();
    const target = make.chance(0.3) ? undefined : make.array(count);
    return [make.indices(count), make.source(count), target];
  }
  const some = (): Any => make.chance(0.3) ? undefined : make.array(make.count());
  switch (name) {
    case "gather":
    case "getIndexed": {
      const count = make.count();
      const indices = make.indices(count);
      return [indices, make.chance(0.3) ? undefined : make.array(count)];
    }
    case "put":
    case "blockingPut":
    case "putUnmanaged":
      return [make.index(), make.source()];
    case "putSignal": {
      const { flags } = target;
      const signal = {
        region: make.chance(0.9) ? flags : make.of([flags.subRegion(0, 1), flags.subRegion(1, 1)]),
        index: make.chance(0.9) ? 0 : make.index(),
        value: make.chance(0.8) ? make.below(200) : make.value(),
        op: make.of(["set", "add", undefined, make.mostly("set", 0.7)]),
      };
      return [make.index(), make.source(), signal];
    }
    case "get":
      return [make.index(), make.chance(0.3) ? make.mostly(make.count(), 0.8) : some()];
    case "getBuffer":
      return [make.index(), make.mostly(make.count(), 0.8)];
    case "blockingGet":
      return [make.index(), some()];
    case "getUnmanaged": {
      const into = make.array();
      // That a number does not hold an integer is told at once where it is near, and by waitAll()
      // where it is far.
      const exact = /^[ui]64$/.test(target.region.type) && into instanceof Float64Array;
      return [make.index(), exact ? new CLASSES[target.region.type](into.length) : into];
    }
    case "putStrided":
    case "getStrided":
      return [
        make.index(),
        make.stride(),
        make.array(make.below(8)),
        make.chance(0.5) ? undefined : make.stride(),
        make.chance(0.5) ? undefined : make.chance(0.9) ? 1 + make.below(3) : make.of(ODD),
      ];
    case "load":
    case "at":
      return [make.index()];
    case "compareExchange":
      return [make.index(), make.value(), make.value()];
    case "batchCompareExchange": {
      const count = make.count();
      return [make.indices(count), make.source(count), make.source(count)];
    }
    default:
      throw new TypeError(`Cannot call ${name}: its arguments are not known`);
  }
}

const NAMES = [
  "put",
  "put",
  "blockingPut",
  "putUnmanaged",
  "putSignal",
  "get",
  "get",
  "getBuffer",
  "blockingGet",
  "getUnmanaged",
  "putStrided",
  "getStrided",
  "putIndexed",
  "getIndexed",
  "load",
  "compareExchange",
  "at",
  ...SINGLES,
];
/** Also where indices run over one part. */
const ONE_SIDED_NAMES = [
  ...NAMES,
  ...BATCHES,
  ...BATCH_FETCHES,
  "gather",
  "gather",
  "batchCompareExchange",
  "batchCompareExchange",
];

/**
 * Makes a random call for a target and waits for its end.
 *
 * @param seed What it is made from.
 * @param target What it is made for.
 * @param around What it may take from.
 * @param quiet Completes what no handle stands for.
 * @returns How it ended, with the PE and the number of the region left out of texts.
 */
export async function callAt(
  seed: number,
  target: Target,
  around: Surroundings,
  quiet: () => RmaHandle<void>,
): Promise<Outcome> {
  const { region, pe, owner } = target;
  const make = new Maker(seed, region.type, around);
  const name = make.of(pe === undefined ? ONE_SIDED_NAMES : NAMES);
  const args = argumentsOf(name, make, target);
  // A call of `at` for another PE has two arguments: one alone has another meaning.
  if (name === "at" && pe !== undefined && args[0] === undefined) args[0] = 0;
  const own = pe === undefined ? args : [make.pe(target), ...args];
  const call = `${region.type} ${name}(${own.map((one) => show(one)).join(", ")})`;
  let result: string;
  try {
    const handle = (region as Any)[name](...own);
    result = `gives ${show(handle && typeof handle.block === "function" ? await handle : handle)}`;
  } catch (error) {
    const { name: kind, message } = error as Error;
    const text = message.replaceAll(/region \d+/g, "region N")
      .replaceAll(new RegExp(`PE ${owner}(?![.\\dn])`, "g"), "PE P");
    result = `throws ${kind}: ${text}`;
  }
  await quiet();
  const arrays = make.arrays.map(show).join(" ");
  return {
    call: call.replace(new RegExp(`^(\\S+ \\w+\\()${pe}(?![.\\d])`), "$1P"),
    seen: `${result}; ${arrays}`,
  };
}
