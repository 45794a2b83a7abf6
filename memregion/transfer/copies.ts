/**
 * Copies between regions and what is not a typed array of their memory: lists of values, other
 * regions, and numbers that stand for 64-bit integers.
 *
 * @module
 */

import { unchecked } from "../../internal/checked_slice.ts";
import type { TypedArrayLike } from "../../internal/elements.ts";
import {
  checkEmpty,
  checkLengthTold,
  type Described,
  refuseClass,
  refuseElements,
  refuseInexactItem,
  refuseValue,
} from "../memory/refusals.ts";
import { type Given, type RegionMemory, regionOf, type Rest } from "../memory/region_memory.ts";
import { fromNumbers, toNumbers } from "./exact.ts";

/** What is filled: elements as memory has them, and what makes of them what was wanted. */
export interface Target {
  /** The elements. */
  readonly array: TypedArrayLike<unknown>;
  /** To be called once they are there; throws at an integer that no number holds exactly. */
  readonly finish: (() => void) | undefined;
}

/**
 * Puts something that is neither a value nor a typed array of the memory.
 *
 * @param memory The region.
 * @param part The part.
 * @param index Index of the first element.
 * @param source A list, or numbers that stand for 64-bit integers.
 * @returns What is left of it.
 * @throws {TypeError} If it is something else.
 */
export function putOther<V>(
  memory: RegionMemory<V>,
  part: number,
  index: number,
  source: object,
): Rest {
  const { access } = memory;
  if (!Array.isArray(source)) {
    return access.put(memory, part, index, sourceOf(memory, "put", source));
  }
  const values = checkedList(memory, "put", source);
  const at = memory.address("put", part, index, values.length);
  if (at < 0) return access.far.put({ memory, op: "put", part, at }, access.far.arrayOf(values));
  values.forEach((value, i) => access.write(at + i * access.info.bytes, value));
  memory.wrote(part, values.length);
  return undefined;
}

/**
 * Gets into something that is not a typed array of the memory.
 *
 * @param memory The region.
 * @param part The part.
 * @param index Index of the first element.
 * @param target Gets numbers that stand for 64-bit integers.
 * @returns What is left of it.
 * @throws {TypeError} If it is something else.
 */
export function getOther<V>(
  memory: RegionMemory<V>,
  part: number,
  index: number,
  target: unknown,
): Rest {
  const { array, finish } = targetOf(memory, "get", target);
  return finished(memory, memory.access.get(memory, part, index, array), finish);
}

/**
 * Gets 64-bit integers as numbers.
 *
 * @param memory The region.
 * @param part The part.
 * @param index Index of the first element.
 * @param count How many.
 * @returns A new array of them, or what gives it.
 */
export function getNumbers<V>(
  memory: RegionMemory<V>,
  part: number,
  index: number,
  count: number,
): Given<TypedArrayLike<unknown>> {
  const array = memory.access.far.newArray(count);
  const rest = memory.access.get(memory, part, index, array);
  return memory.space.far.after(rest, () => copyOf(memory, "get", array));
}

/**
 * Makes a copy of elements as users get it.
 *
 * @param memory The region they come from.
 * @param op What the user called.
 * @param array A copy as memory has them.
 * @returns The same, or numbers that stand for 64-bit integers.
 * @throws {RangeError} At an integer that no number holds exactly.
 */
export function copyOf<V>(
  memory: RegionMemory<V>,
  op: string,
  array: TypedArrayLike<unknown>,
): TypedArrayLike<unknown> {
  if (memory.access.info.kind !== "exact") return array;
  const numbers = new Float64Array(array.length);
  numbersOf(memory, op, array, numbers);
  return numbers as unknown as TypedArrayLike<unknown>;
}

/**
 * Puts this PE's part of a region.
 *
 * @param memory The region.
 * @param part The part.
 * @param index Index of the first element.
 * @param from The other region.
 * @returns What is left of it.
 * @throws {MemNotLocalError} If it has no data on this PE.
 */
export function putRegion<V>(
  memory: RegionMemory<V>,
  part: number,
  index: number,
  from: RegionMemory<V>,
): Rest {
  const { access, allocation } = memory;
  const position = memory.position("put", part, index, from.length);
  const source = localAddress(memory, "put", "into", from);
  const at = allocation.addresses[part]! + position;
  if (at < 0) return access.far.put({ memory, op: "put", part, at }, from.slice("put"));
  const bytes = from.length * access.info.bytes;
  const { lamella } = memory.space;
  lamella.put(allocation.pes[part]!, allocation.offsets[part]! + position, source, bytes);
  allocation.written(part);
  return undefined;
}

/**
 * Gets into this PE's part of a region.
 *
 * @param memory The region.
 * @param part The part.
 * @param index Index of the first element.
 * @param into The other region.
 * @returns What is left of it.
 * @throws {MemNotLocalError} If it has no data on this PE.
 */
export function getRegion<V>(
  memory: RegionMemory<V>,
  part: number,
  index: number,
  into: RegionMemory<V>,
): Rest {
  const { access, allocation } = memory;
  const position = memory.position("get", part, index, into.length);
  const target = localAddress(memory, "get", "from", into);
  const at = allocation.addresses[part]! + position;
  if (at < 0) {
    return access.far.get<void>(
      { memory, op: "get", part, at },
      into.slice("get"),
      () => {},
    ) as Rest;
  }
  const bytes = into.length * access.info.bytes;
  const { lamella } = memory.space;
  lamella.get(allocation.pes[part]!, allocation.offsets[part]! + position, target, bytes);
  return undefined;
}

/** Where the data of another region is on this PE. */
function localAddress<V>(
  memory: RegionMemory<V>,
  op: string,
  how: "into" | "from",
  other: RegionMemory<V>,
): number {
  if (other.access !== memory.access) checkElements(memory, op, how, other);
  const base = other.allocation.addresses[other.localPart];
  if (base === undefined) return other.address(op, other.own(op), 0, other.length);
  return base + other.start * memory.access.info.bytes;
}

function checkElements(
  memory: Described,
  op: string,
  how: "into" | "from",
  other: Described,
): void {
  if (other.access.info.memory !== memory.access.info.memory) {
    refuseElements(memory, op, how, other);
  }
}

/**
 * The elements of a bulk source.
 *
 * @param memory The region they go to.
 * @param op What the user called.
 * @param given A typed array, or a region with data on this PE.
 * @returns The elements as memory has them.
 * @throws {TypeError} If it is something else.
 * @throws {RangeError} If a number is not a value of the type.
 */
export function sourceOf<V>(
  memory: RegionMemory<V>,
  op: string,
  given: unknown,
): TypedArrayLike<unknown> {
  const numbers = numbersIn(memory, op, "into", given);
  return numbers ? integersOf(memory, op, numbers) : arrayOf(memory, op, "into", given);
}

/**
 * Makes integers of numbers.
 *
 * @param memory The region they go to.
 * @param op What the user called.
 * @param numbers The numbers.
 * @returns A new array as memory has them.
 * @throws {RangeError} If a number is not a value of the type.
 */
export function integersOf<V>(
  memory: RegionMemory<V>,
  op: string,
  numbers: Float64Array,
): TypedArrayLike<unknown> {
  const array = memory.access.far.newArray(numbers.length);
  const wrong = fromNumbers(memory.access.info, numbers, array);
  return wrong < 0 ? array : refuseValue(memory, op, numbers[wrong]);
}

/**
 * The elements of a bulk target.
 *
 * @param memory The region they come from.
 * @param op What the user called.
 * @param given A typed array, or a region with data on this PE.
 * @returns What is to be filled.
 * @throws {TypeError} If it is something else.
 */
export function targetOf<V>(
  memory: RegionMemory<V>,
  op: string,
  given: unknown,
): Target {
  const numbers = numbersIn(memory, op, "from", given);
  if (!numbers) return { array: arrayOf(memory, op, "from", given), finish: undefined };
  const array = memory.access.far.newArray(numbers.length);
  return { array, finish: () => numbersOf(memory, op, array, numbers) };
}

/**
 * Makes numbers of integers.
 *
 * @param memory The region they come from.
 * @param op What the user called.
 * @param array The integers as memory has them.
 * @param numbers Gets the numbers.
 * @throws {RangeError} At an integer that no number holds exactly; all others are there.
 */
export function numbersOf<V>(
  memory: RegionMemory<V>,
  op: string,
  array: TypedArrayLike<unknown>,
  numbers: Float64Array,
): void {
  const item = toNumbers(memory.access.info, array, numbers);
  if (item >= 0) refuseInexactItem(memory, op, item, array[item] as bigint);
}

/**
 * @param memory A region.
 * @param op What the user called.
 * @param how "into" or "from".
 * @param given A source or target.
 * @returns It, if it is numbers that stand for 64-bit integers.
 */
export function numbersIn<V>(
  memory: RegionMemory<V>,
  op: string,
  how: "into" | "from",
  given: unknown,
): Float64Array | undefined {
  if (memory.access.info.kind !== "exact" || !(given instanceof Float64Array)) return undefined;
  const array = unchecked(given);
  checkArray(memory, op, how, array as unknown as TypedArrayLike<unknown>);
  return array;
}

/**
 * @param memory A region.
 * @param op What the user called.
 * @param how "into" or "from".
 * @param given A source or target.
 * @returns The typed array that it is, or over the data of a region on this PE.
 * @throws {TypeError} If it is something else.
 */
export function arrayOf<V>(
  memory: RegionMemory<V>,
  op: string,
  how: "into" | "from",
  given: unknown,
): TypedArrayLike<unknown> {
  const region = regionOf<V>(given);
  if (region) {
    checkElements(memory, op, how, region);
    return region.slice(op);
  }
  if (!(given instanceof memory.access.info.arrayClass)) refuseClass(memory, op, how, given);
  const array = unchecked(given) as TypedArrayLike<unknown>;
  checkArray(memory, op, how, array);
  return array;
}

function checkArray(
  memory: Described,
  op: string,
  how: "into" | "from",
  array: TypedArrayLike<unknown>,
): void {
  checkLengthTold(memory, op, how, array);
  if (array.length === 0) checkEmpty(memory, op, array);
}

/**
 * Finishes a target once its elements are there.
 *
 * @param memory The region they come from.
 * @param rest What is left of filling it.
 * @param finish What is to be done then, if there is anything.
 * @returns What is left of both.
 */
export function finished<V>(
  memory: RegionMemory<V>,
  rest: Rest,
  finish: (() => void) | undefined,
): Rest {
  return finish ? memory.space.far.after(rest, finish) as Rest : rest;
}

/**
 * Checks a list of values.
 *
 * @param memory The region.
 * @param op What the user called.
 * @param list The list.
 * @returns A copy: a getter or a Proxy may give other values, and more of them, at a second look.
 * @throws {TypeError} If one is of the wrong type.
 * @throws {RangeError} If one is out of range.
 */
export function checkedList<V>(
  memory: RegionMemory<V>,
  op: string,
  list: readonly unknown[],
): readonly V[] {
  const copy = [...list];
  for (const value of copy) if (!memory.access.accepts(value)) refuseValue(memory, op, value);
  return copy as readonly V[];
}
