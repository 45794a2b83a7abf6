/**
 * Reading and writing the elements of regions of one type.
 *
 * A call site that sees several classes of typed arrays, or several WebAssembly functions, runs
 * several times slower than one that sees a single one. So the code is instantiated once for each
 * element type: `makeAccess` uses nothing but its parameter, and is compiled anew from its own
 * source for each type.
 *
 * @module
 */

import { unchecked } from "../../internal/checked_slice.ts";
import {
  ELEMENT_OPS,
  type ElementOp,
  type FetchOp,
  type OpDomain,
  type Operand,
  operandOf,
  type UpdateOp,
} from "../../internal/element_ops.ts";
import type { Kernels } from "../../internal/kernels.ts";
import type {
  AtomicUpdate,
  ElementKernels,
  IntegerKernels,
} from "../../internal/kernels_element.ts";
import { lengthGetter } from "../../internal/typed_arrays.ts";
import type { Lamella } from "../../lamellae/mod.ts";
import type { ElementInfo, TypedArrayClass, TypedArrayLike } from "../../internal/elements.ts";
import * as copies from "./copies.ts";
import { FarElements } from "./far.ts";
import { type ExchangeNaN, exchangeNaNOf } from "./float_bits.ts";
import * as refusals from "../memory/refusals.ts";
import {
  type Access,
  type FetchUpdate,
  type Given,
  MEMORY,
  type RegionHost,
  type RegionMemory,
  type Rest,
  type Update,
} from "../memory/region_memory.ts";

/** An operation of the table, as a type has it. */
interface AccessOp<V> {
  readonly name: ElementOp;
  readonly fetchName: string;
  readonly domain: OpDomain;
  /** None where the type has no such operation. */
  readonly kernel: AtomicUpdate<V> | undefined;
  readonly operand: Operand | undefined;
}

/** What `makeAccess` is made from. */
export interface AccessTools<V, X> {
  readonly info: ElementInfo;
  readonly arrayClass: TypedArrayClass<X>;
  readonly view: TypedArrayLike<X>;
  readonly buffer: ArrayBufferLike;
  readonly bytes: number;
  readonly lamella: Lamella;
  readonly kernels: ElementKernels<V> & Partial<IntegerKernels<V>>;
  /** Whether values are numbers and elements BigInts, so that NaN means a number too large. */
  readonly exact: boolean;
  readonly accepts: (value: unknown) => value is V;
  readonly ops: readonly AccessOp<V>[];
  readonly regionKey: typeof MEMORY;
  readonly refusals: typeof refusals;
  readonly copies: typeof copies;
  readonly far: FarElements<V>;
  /** Compares and exchanges where NaN is expected; undefined for integers. */
  readonly exchangeNaN: ExchangeNaN<V> | undefined;
  /** How long an array is, whatever it says. */
  readonly lengthOf: (array: unknown) => number;
  /** The array behind a checked slice. */
  readonly unchecked: typeof unchecked;
}

/**
 * Makes the access to elements of a type. It uses its parameter only, as the head of this file
 * says; a test of closures finds out whether it does.
 *
 * @param tools All that it uses.
 * @returns The access.
 */
export function makeAccess<V, X>(tools: AccessTools<V, X>): Access<V> {
  const {
    info,
    arrayClass,
    view,
    buffer,
    bytes,
    lamella,
    kernels,
    exact,
    accepts,
    ops,
    regionKey,
    refusals,
    copies,
    far,
    exchangeNaN,
    lengthOf,
    unchecked,
  } = tools;
  // Whether a typed array gives and takes values as they are.
  const plain = !exact && info.kind !== "boolean";
  const cell = new arrayClass(buffer, lamella.staging, 1);
  // Asking an array for its buffer costs 8 ns, so the last one that was in the heap is remembered.
  let known: TypedArrayLike<X> | undefined;
  const inHeap = (array: TypedArrayLike<X>): boolean => {
    if (array === known) return true;
    if (array.buffer !== buffer || lengthOf(array) !== array.length) return false;
    known = array;
    return true;
  };
  const inexact = (
    memory: RegionMemory<V>,
    op: string,
    part: number,
    index: number,
    at: number,
  ): never => refusals.refuseInexact(memory, op, part, index, view[at / bytes] as bigint);
  // Memory compares bits: the two zeros of a float differ. Integers have one, numbers two.
  const sameBits = info.kind !== "float"
    ? (found: V, expected: V): boolean => found === expected
    : (found: V, expected: V): boolean =>
      Object.is(found, info.type === "f32" ? Math.fround(expected as number) : expected);
  const missing = (op: string, domain: OpDomain) => (memory: RegionMemory<V>): never =>
    refusals.refuseOperation(memory, op, domain);

  // Far parts have addresses below 0. What is done there is kept out of line, so that the functions
  // for near ones stay small enough to be inlined.
  type Memory = RegionMemory<V>;
  const farPut = (
    memory: Memory,
    part: number,
    at: number,
    source: unknown,
  ): Rest => {
    const array = source as TypedArrayLike<unknown>;
    refusals.checkLengthTold(memory, "put", "into", array);
    if (array.length === 0) refusals.checkEmpty(memory, "put", array);
    return far.put({ memory, op: "put", part, at }, array);
  };
  /** Puts an array that is not in the heap. */
  const putOutside = (memory: Memory, source: TypedArrayLike<X>, to: number): void => {
    const array = source as TypedArrayLike<unknown>;
    refusals.checkLengthTold(memory, "put", "into", array);
    if (array.length === 0) refusals.checkEmpty(memory, "put", array);
    view.set(source, to);
    memory.space.bytesPut += source.length * bytes;
  };
  const farPutValue = (memory: Memory, part: number, at: number, value: unknown): Rest =>
    far.put({ memory, op: "put", part, at }, far.arrayOf([value as V]));
  const farGet = (
    memory: Memory,
    part: number,
    at: number,
    target: unknown,
  ): Rest => {
    const array = target as TypedArrayLike<unknown>;
    refusals.checkLengthTold(memory, "get", "from", array);
    return far.get<void>({ memory, op: "get", part, at }, array, () => {}) as Rest;
  };
  const farRead = (memory: Memory, part: number, at: number): Given<V> =>
    far.read({ memory, op: "get", part, at });

  function update(name: UpdateOp, kernel: AtomicUpdate<V>, operand?: Operand): Update<V> {
    return (memory, part, index, value) => {
      const at = memory.address(name, part, index, 1);
      if (!accepts(value)) refusals.refuseValue(memory, name, value);
      if (operand !== undefined) refusals.checkOperand(memory, name, operand, value);
      if (at < 0) return far.update({ memory, op: name, part, at }, name, value);
      kernel(at, value);
      memory.allocation.written(part);
      return undefined;
    };
  }

  function fetch(
    op: string,
    name: FetchOp,
    kernel: AtomicUpdate<V>,
    operand?: Operand,
  ): FetchUpdate<V> {
    return (memory, part, index, value) => {
      const at = memory.address(op, part, index, 1);
      if (!accepts(value)) refusals.refuseValue(memory, op, value);
      if (operand !== undefined) refusals.checkOperand(memory, op, operand, value);
      if (at < 0) return far.fetch({ memory, op, part, at }, name, value);
      const before = kernel(at, value);
      memory.allocation.written(part);
      if (exact && Number.isNaN(before)) refusals.refuseInexact(memory, op, part, index);
      return before;
    };
  }

  const updates: Partial<Record<ElementOp, Update<V>>> = {};
  const fetches: Partial<Record<ElementOp, FetchUpdate<V>>> = {};
  for (const { domain, name, fetchName, kernel, operand } of ops) {
    updates[name] = kernel ? update(name as UpdateOp, kernel, operand) : missing(name, domain);
    fetches[name] = kernel
      ? fetch(fetchName, name as FetchOp, kernel, operand)
      : missing(fetchName, domain);
  }

  return {
    info,
    kernels,
    accepts,
    put(memory, part, index, source): Rest {
      if (typeof source !== "object" || source === null) {
        const at = memory.address("put", part, index, 1);
        if (!accepts(source)) refusals.refuseValue(memory, "put", source);
        if (at < 0) return farPutValue(memory, part, at, source);
        if (!plain) kernels.store(at, source as V);
        else view[at / bytes] = source as unknown as X;
        memory.wrote(part, 1);
        return undefined;
      }
      // A test for a region before `instanceof`, which would walk the region's whole prototype
      // chain.
      const from = (source as { [regionKey]?: RegionMemory<V> })[regionKey];
      if (from !== undefined) return copies.putRegion(memory, part, index, from);
      if (!(source instanceof arrayClass)) return copies.putOther(memory, part, index, source);
      const array = unchecked(source);
      const count = array.length;
      const at = memory.position("put", part, index, count);
      const { allocation } = memory;
      if (allocation.hasFar && allocation.addresses[part]! < 0) {
        return farPut(memory, part, allocation.addresses[part]! + at, array);
      }
      if (inHeap(array)) {
        const pe = allocation.pes[part]!;
        lamella.put(pe, allocation.offsets[part]! + at, array.byteOffset, count * bytes);
      } else putOutside(memory, array, (allocation.addresses[part]! + at) / bytes);
      allocation.written(part);
      return undefined;
    },
    get(memory, part, index, target): Rest {
      const into = (target as { [regionKey]?: RegionMemory<V> } | null)?.[regionKey];
      if (into !== undefined) return copies.getRegion(memory, part, index, into);
      if (!(target instanceof arrayClass)) {
        return copies.getOther(memory, part, index, target);
      }
      const array = unchecked(target);
      const count = array.length;
      const at = memory.position("get", part, index, count);
      if (count === 0) refusals.checkEmpty(memory, "get", array as TypedArrayLike<unknown>);
      const { allocation } = memory;
      if (allocation.hasFar && allocation.addresses[part]! < 0) {
        return farGet(memory, part, allocation.addresses[part]! + at, array);
      }
      if (inHeap(array)) {
        const pe = allocation.pes[part]!;
        lamella.get(pe, allocation.offsets[part]! + at, array.byteOffset, count * bytes);
      } else {
        const from = (allocation.addresses[part]! + at) / bytes;
        array.set(view.subarray(from, from + count));
      }
      return undefined;
    },
    getBuffer(memory, part, index, count): Given<TypedArrayLike<unknown>> {
      const at = memory.address("get", part, index, count);
      if (!Number.isSafeInteger(count) || count < 0) memory.refuse("get", part, index, count);
      if (exact) return copies.getNumbers(memory, part, index, count);
      const target = new arrayClass(count);
      if (at < 0) {
        return far.get(
          { memory, op: "get", part, at },
          target,
          () => target as TypedArrayLike<unknown>,
        );
      }
      const from = at / bytes;
      target.set(view.subarray(from, from + count));
      return target as TypedArrayLike<unknown>;
    },
    read(memory, part, index): Given<V> {
      const at = memory.address("get", part, index, 1);
      if (at < 0) return farRead(memory, part, at);
      if (plain) return view[at / bytes] as unknown as V;
      const value = kernels.load(at);
      if (exact && Number.isNaN(value)) inexact(memory, "get", part, index, at);
      return value;
    },
    write(at, value): void {
      if (!plain) kernels.store(at, value);
      else view[at / bytes] = value as unknown as X;
    },
    putStrided(at, { block, count, step, stride }, source): void {
      const from = source as TypedArrayLike<X>;
      if (inHeap(from)) {
        const { stridedCopy } = lamella.kernels;
        stridedCopy(at, stride * bytes, from.byteOffset, step * bytes, block * bytes, count);
        return;
      }
      let to = at / bytes;
      for (let i = 0; i < count; i++, to += stride) {
        for (let j = 0; j < block; j++) view[to + j] = from[i * step + j]!;
      }
    },
    getStrided(at, { block, count, step, stride }, target): void {
      const to = target as TypedArrayLike<X>;
      if (inHeap(to)) {
        const { stridedCopy } = lamella.kernels;
        stridedCopy(to.byteOffset, step * bytes, at, stride * bytes, block * bytes, count);
        return;
      }
      let from = at / bytes;
      for (let i = 0; i < count; i++, from += stride) {
        for (let j = 0; j < block; j++) to[i * step + j] = view[from + j]!;
      }
    },
    load(memory, part, index): Given<V> {
      const at = memory.address("load", part, index, 1);
      if (at < 0) return far.load({ memory, op: "load", part, at });
      const value = kernels.atomicLoad(at);
      if (exact && Number.isNaN(value)) inexact(memory, "load", part, index, at);
      return value;
    },
    update: updates as Record<UpdateOp, Update<V>>,
    fetch: fetches as Record<FetchOp, FetchUpdate<V>>,
    compareExchange(
      memory,
      part,
      index,
      expected,
      replacement,
    ): Given<{ ok: boolean; value: V }> {
      const at = memory.address("compareExchange", part, index, 1);
      if (!accepts(expected)) refusals.refuseValue(memory, "compareExchange", expected);
      if (!accepts(replacement)) refusals.refuseValue(memory, "compareExchange", replacement);
      if (at < 0) {
        const place = { memory, op: "compareExchange", part, at };
        return far.compareExchange(place, expected, replacement);
      }
      if (exchangeNaN !== undefined && Number.isNaN(expected)) {
        const result = exchangeNaN(at, expected, replacement);
        memory.allocation.written(part);
        return result;
      }
      const value = kernels.cas(at, expected, replacement);
      memory.allocation.written(part);
      if (exact && Number.isNaN(value)) {
        refusals.refuseInexact(memory, "compareExchange", part, index);
      }
      return { ok: sameBits(value, expected), value };
    },
    cellOf(value): TypedArrayLike<unknown> {
      cell[0] = far.elementOf(value) as X;
      return cell as TypedArrayLike<unknown>;
    },
    far,
    test: (at, code, value) => kernels.test(at, code, value) === 1,
  };
}

/** The code of `makeAccess`, compiled for one type only. */
function specialise<V, X>(info: ElementInfo): (tools: AccessTools<V, X>) => Access<V> {
  // V8 keeps what it learns with the source: the comment makes it differ from type to type.
  return new Function(`return ${makeAccess};\n// ${info.type}`)() as typeof makeAccess<V, X>;
}

/**
 * Makes the access to elements of a type.
 *
 * @param info The type.
 * @param host The space of the regions.
 * @returns The access.
 */
export function accessOf(info: ElementInfo, { lamella, far }: RegionHost): Access<unknown> {
  const { views } = lamella;
  const kernels: Kernels = lamella.kernels;
  const exact = info.kind === "exact";
  const elementKernels =
    (exact
      ? kernels.numbersOf(info.memory as "u64")
      : info.kind === "boolean"
      ? kernels.booleans()
      : kernels.of(info.memory)) as
        & ElementKernels<unknown>
        & Partial<IntegerKernels<unknown>>;
  return specialise<unknown, unknown>(info)({
    info,
    arrayClass: info.arrayClass as TypedArrayClass<unknown>,
    view: views[info.memory] as unknown as TypedArrayLike<unknown>,
    buffer: views.buffer,
    bytes: info.bytes,
    lamella,
    kernels: elementKernels,
    exact,
    accepts: acceptor(info),
    ops: ELEMENT_OPS.map((op) => ({
      name: op.name,
      fetchName: op.fetchName,
      domain: op.domain,
      kernel: elementKernels[op.kernel],
      operand: operandOf(op, info),
    })),
    regionKey: MEMORY,
    refusals,
    copies,
    far: new FarElements<unknown>(info, far),
    exchangeNaN: exchangeNaNOf(info, kernels) as ExchangeNaN<unknown> | undefined,
    lengthOf: (array) => lengthGetter.call(array),
    unchecked,
  });
}

function acceptor(info: ElementInfo): (value: unknown) => value is unknown {
  const { kind } = info;
  if (kind === "boolean") return (value): value is boolean => typeof value === "boolean";
  if (kind === "float") return (value): value is number => typeof value === "number";
  if (kind === "integer" || kind === "exact") {
    const [min, max] = [info.min as number, info.max as number];
    return (value): value is number =>
      Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
  }
  const fits = info.memory === "u64" ? BigInt.asUintN : BigInt.asIntN;
  return (value): value is bigint => typeof value === "bigint" && fits(64, value) === value;
}
