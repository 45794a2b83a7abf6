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

import type { Kernels } from "../internal/kernels.ts";
import type { AtomicUpdate, ElementKernels, IntegerKernels } from "../internal/kernels_element.ts";
import type { Lamella } from "../lamellae/mod.ts";
import type { ElementInfo, TypedArrayClass, TypedArrayLike } from "./element_types.ts";
import { FarElements } from "./far_elements.ts";
import * as refusals from "./refusals.ts";
import {
  type Access,
  type FetchUpdate,
  type Given,
  MEMORY,
  type RegionHost,
  type RegionMemory,
  type Rest,
  type Update,
  type UpdateName,
} from "./region_memory.ts";

/** What `makeAccess` is made from. */
interface AccessTools<V, X> {
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
  readonly regionKey: typeof MEMORY;
  readonly refusals: typeof refusals;
  readonly far: FarElements<V>;
}

/** Uses its parameter only: see the head of this file. */
function makeAccess<V, X>(tools: AccessTools<V, X>): Access<V> {
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
    regionKey,
    refusals,
    far,
  } = tools;
  // Asking an array for its buffer costs 8 ns, so the last one that was in the heap is remembered.
  let known: TypedArrayLike<X> | undefined;
  const inHeap = (array: TypedArrayLike<X>): boolean => {
    if (array === known) return true;
    if (array.buffer !== buffer) return false;
    known = array;
    return true;
  };
  const inexact = (memory: RegionMemory<V>, op: string, index: number, at: number): never =>
    refusals.refuseInexact(memory, op, index, view[at / bytes] as bigint);
  // Memory compares bits: two zeros differ, and NaN equals itself.
  const sameBits = (found: V, expected: V): boolean =>
    Object.is(found, info.type === "f32" ? Math.fround(expected as number) : expected);
  const missing = (op: string) => (memory: RegionMemory<V>): never =>
    refusals.refuseBitwise(memory, op);

  // Far parts have addresses below 0. What is done there is kept out of line, so that the functions
  // for near ones stay small enough to be inlined.
  type Memory = RegionMemory<V>;
  const farPut = (
    memory: Memory,
    part: number,
    at: number,
    source: unknown,
    inPlace?: boolean,
  ): Rest => far.put({ memory, op: "put", part, at }, source as TypedArrayLike<unknown>, inPlace);
  const farPutValue = (
    memory: Memory,
    part: number,
    at: number,
    value: unknown,
    inPlace?: boolean,
  ): Rest => far.putValues({ memory, op: "put", part, at }, [value as V], inPlace);
  const farGet = (
    memory: Memory,
    part: number,
    at: number,
    target: unknown,
    inPlace?: boolean,
  ): Rest => {
    const array = target as TypedArrayLike<unknown>;
    return far.get<void>({ memory, op: "get", part, at }, array, () => {}, inPlace) as Rest;
  };
  const farRead = (memory: Memory, part: number, at: number, inPlace?: boolean): Given<V> =>
    far.read({ memory, op: "get", part, at }, inPlace);

  function update(
    name: UpdateName,
    kernel: AtomicUpdate<V> | undefined,
  ): Update<V> {
    if (!kernel) return missing(name);
    return (memory, part, index, value) => {
      const at = memory.address(name, part, index, 1);
      if (!accepts(value)) refusals.refuseValue(memory, name, value);
      if (at < 0) return far.update({ memory, op: name, part, at }, name, value);
      kernel(at, value);
      memory.allocation.written(part);
      return undefined;
    };
  }

  function fetch(
    op: string,
    name: UpdateName | "swap",
    kernel: AtomicUpdate<V> | undefined,
  ): FetchUpdate<V> {
    if (!kernel) return missing(op);
    return (memory, part, index, value) => {
      const at = memory.address(op, part, index, 1);
      if (!accepts(value)) refusals.refuseValue(memory, op, value);
      if (at < 0) return far.fetch({ memory, op, part, at }, name, value);
      const before = kernel(at, value);
      memory.allocation.written(part);
      if (exact && Number.isNaN(before)) refusals.refuseInexact(memory, op, index);
      return before;
    };
  }

  return {
    info,
    kernels,
    accepts,
    put(memory, part, index, source, inPlace): Rest {
      if (typeof source !== "object" || source === null) {
        const at = memory.address("put", part, index, 1);
        if (!accepts(source)) refusals.refuseValue(memory, "put", source);
        if (at < 0) return farPutValue(memory, part, at, source, inPlace);
        if (exact) kernels.store(at, source as V);
        else view[at / bytes] = source as unknown as X;
        memory.wrote(part, 1);
        return undefined;
      }
      // Before the class of the array: to see that a region is none takes its prototype chain.
      const from = (source as { [regionKey]?: RegionMemory<V> })[regionKey];
      if (from !== undefined) return memory.putRegion(part, index, from, inPlace);
      if (!(source instanceof arrayClass)) return memory.putOther(part, index, source, inPlace);
      const count = source.length;
      const at = memory.position("put", part, index, count);
      const { allocation } = memory;
      if (allocation.hasFar && allocation.addresses[part]! < 0) {
        return farPut(memory, part, allocation.addresses[part]! + at, source, inPlace);
      }
      if (inHeap(source)) {
        const pe = allocation.firstPe + part;
        lamella.put(pe, allocation.offsets[part]! + at, source.byteOffset, count * bytes);
      } else {
        view.set(source, (allocation.addresses[part]! + at) / bytes);
        memory.space.bytesPut += count * bytes;
      }
      allocation.written(part);
      return undefined;
    },
    get(memory, part, index, target, inPlace): Rest {
      const into = (target as { [regionKey]?: RegionMemory<V> } | null)?.[regionKey];
      if (into !== undefined) return memory.getRegion(part, index, into, inPlace);
      if (!(target instanceof arrayClass)) {
        return refusals.refuseClass(memory, "get", "from", target);
      }
      const count = target.length;
      const at = memory.position("get", part, index, count);
      const { allocation } = memory;
      if (allocation.hasFar && allocation.addresses[part]! < 0) {
        return farGet(memory, part, allocation.addresses[part]! + at, target, inPlace);
      }
      if (inHeap(target)) {
        const pe = allocation.firstPe + part;
        lamella.get(pe, allocation.offsets[part]! + at, target.byteOffset, count * bytes);
      } else {
        const from = (allocation.addresses[part]! + at) / bytes;
        target.set(view.subarray(from, from + count));
      }
      return undefined;
    },
    getBuffer(memory, part, index, count): Given<TypedArrayLike<unknown>> {
      const at = memory.address("get", part, index, count);
      if (!Number.isSafeInteger(count) || count < 0) memory.refuse("get", part, index, count);
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
    read(memory, part, index, inPlace): Given<V> {
      const at = memory.address("get", part, index, 1);
      if (at < 0) return farRead(memory, part, at, inPlace);
      if (!exact) return view[at / bytes] as unknown as V;
      const value = kernels.load(at);
      if (Number.isNaN(value)) inexact(memory, "get", index, at);
      return value;
    },
    write(at, value): void {
      if (exact) kernels.store(at, value);
      else view[at / bytes] = value as unknown as X;
    },
    putStrided(at, stride, source, step, count): void {
      const from = source as TypedArrayLike<X>;
      if (inHeap(from)) {
        lamella.kernels.stridedCopy(
          at,
          stride * bytes,
          from.byteOffset,
          step * bytes,
          bytes,
          count,
        );
      } else {
        let to = at / bytes;
        for (let i = 0; i < count; i++, to += stride) view[to] = from[i * step]!;
      }
    },
    getStrided(at, stride, target, step, count): void {
      const to = target as TypedArrayLike<X>;
      if (inHeap(to)) {
        lamella.kernels.stridedCopy(to.byteOffset, step * bytes, at, stride * bytes, bytes, count);
      } else {
        let from = at / bytes;
        for (let i = 0; i < count; i++, from += stride) to[i * step] = view[from]!;
      }
    },
    viewOf: (address, length) => new arrayClass(buffer, address, length) as TypedArrayLike<unknown>,
    load(memory, part, index): Given<V> {
      const at = memory.address("load", part, index, 1);
      if (at < 0) return far.load({ memory, op: "load", part, at });
      const value = kernels.atomicLoad(at);
      if (exact && Number.isNaN(value)) inexact(memory, "load", index, at);
      return value;
    },
    store(memory, part, index, value): Rest {
      const at = memory.address("store", part, index, 1);
      if (!accepts(value)) refusals.refuseValue(memory, "store", value);
      if (at < 0) return far.update({ memory, op: "store", part, at }, "store", value);
      kernels.atomicStore(at, value);
      memory.allocation.written(part);
      return undefined;
    },
    swap: fetch("swap", "swap", kernels.atomicXchg),
    update: {
      add: update("add", kernels.atomicAdd),
      sub: update("sub", kernels.atomicSub),
      and: update("and", kernels.atomicAnd),
      or: update("or", kernels.atomicOr),
      xor: update("xor", kernels.atomicXor),
      min: update("min", kernels.atomicMin),
      max: update("max", kernels.atomicMax),
    },
    fetch: {
      add: fetch("fetchAdd", "add", kernels.atomicAdd),
      sub: fetch("fetchSub", "sub", kernels.atomicSub),
      and: fetch("fetchAnd", "and", kernels.atomicAnd),
      or: fetch("fetchOr", "or", kernels.atomicOr),
      xor: fetch("fetchXor", "xor", kernels.atomicXor),
      min: fetch("fetchMin", "min", kernels.atomicMin),
      max: fetch("fetchMax", "max", kernels.atomicMax),
    },
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
        return far.compareExchange(place, expected, replacement, sameBits);
      }
      const value = kernels.cas(at, expected, replacement);
      memory.allocation.written(part);
      if (exact && Number.isNaN(value)) refusals.refuseInexact(memory, "compareExchange", index);
      return { ok: sameBits(value, expected), value };
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
  return specialise<unknown, unknown>(info)({
    info,
    arrayClass: info.arrayClass as TypedArrayClass<unknown>,
    view: views[info.kernels] as unknown as TypedArrayLike<unknown>,
    buffer: views.buffer,
    bytes: info.bytes,
    lamella,
    kernels: (exact ? kernels.numbersOf(info.kernels as "u64") : kernels.of(info.kernels)) as
      & ElementKernels<unknown>
      & Partial<IntegerKernels<unknown>>,
    exact,
    accepts: acceptor(info),
    regionKey: MEMORY,
    refusals,
    far: new FarElements<unknown>(info, far),
  });
}

function acceptor(info: ElementInfo): (value: unknown) => value is unknown {
  const { kind } = info;
  if (kind === "float") return (value): value is number => typeof value === "number";
  if (kind === "integer" || kind === "exact") {
    const [min, max] = [info.min as number, info.max as number];
    return (value): value is number =>
      Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
  }
  const fits = info.kernels === "u64" ? BigInt.asUintN : BigInt.asIntN;
  return (value): value is bigint => typeof value === "bigint" && fits(64, value) === value;
}
