/**
 * What the region cases know of the element types.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type {
  ElementArray,
  ElementType,
  ElementValue,
  LamellarWorld,
  SharedMemoryRegion,
} from "../../../mod.ts";

/** The element types of numbers. */
export type NumberType = Exclude<ElementType, "bool">;

/** All of them. */
export const TYPES = [
  "u8",
  "i8",
  "u16",
  "i16",
  "u32",
  "i32",
  "f32",
  "f64",
  "u64",
  "i64",
  "bigu64",
  "bigi64",
] as const satisfies readonly NumberType[];

/** The element types that have bitwise operations. */
export const INTEGER_TYPES = TYPES.filter((type) => type !== "f32" && type !== "f64");

const SAFE = Number.MAX_SAFE_INTEGER;

/** The least and the greatest value of each type. */
export const LIMITS: { readonly [E in NumberType]: readonly ElementValue<E>[] } = {
  u8: [0, 255],
  i8: [-128, 127],
  u16: [0, 65535],
  i16: [-32768, 32767],
  u32: [0, 2 ** 32 - 1],
  i32: [-(2 ** 31), 2 ** 31 - 1],
  f32: [-Infinity, Math.fround(1e-45), NaN],
  f64: [-Number.MAX_VALUE, Number.MIN_VALUE, NaN, -0],
  u64: [0, SAFE],
  i64: [-SAFE, SAFE],
  bigu64: [0n, 2n ** 64n - 1n],
  bigi64: [-(2n ** 63n), 2n ** 63n - 1n],
};

/**
 * Makes a small value, one that every type has.
 *
 * @param type The type.
 * @param n A number from 0 to 127.
 * @returns The value.
 */
export function small<E extends NumberType>(type: E, n: number): ElementValue<E> {
  return (type.startsWith("big") ? BigInt(n) : n) as ElementValue<E>;
}

/**
 * Makes a typed array as regions of a type take it.
 *
 * @param type The type.
 * @param values Small values.
 * @returns The array.
 */
export function arrayOf<E extends NumberType>(
  type: E,
  values: readonly number[],
): ElementArray<E> {
  const classes = {
    u8: Uint8Array,
    i8: Int8Array,
    u16: Uint16Array,
    i16: Int16Array,
    u32: Uint32Array,
    i32: Int32Array,
    f32: Float32Array,
    f64: Float64Array,
    u64: Float64Array,
    i64: Float64Array,
  };
  const array = type === "bigu64"
    ? BigUint64Array.from(values, BigInt)
    : type === "bigi64"
    ? BigInt64Array.from(values, BigInt)
    : classes[type as keyof typeof classes].from(values);
  return array as ElementArray<E>;
}

/**
 * @param array A typed array of small values.
 * @returns The values as numbers.
 */
export function numbers(array: Iterable<number | bigint>): number[] {
  return Array.from(array, Number);
}

/** A region of some type. */
export type AnyRegion = SharedMemoryRegion<NumberType>;

/**
 * Runs a check with a shared region of every type, and frees it when every PE is through.
 *
 * @param world The world.
 * @param types Which types.
 * @param length Elements on each PE.
 * @param check What to do.
 */
export async function forTypes(
  world: LamellarWorld,
  types: readonly NumberType[],
  length: number,
  check: (region: AnyRegion, type: NumberType) => void | Promise<void>,
): Promise<void> {
  for (const type of types) {
    const region = await world.allocSharedMemRegion(type, length);
    assertEquals([region.type, region.length, region.numPes], [type, length, world.numPes]);
    try {
      await check(region, type);
    } catch (cause) {
      throw new Error(`with a region of ${type}: ${(cause as Error).message}`, { cause });
    }
    await world.asyncBarrier();
    region.dispose();
  }
}
