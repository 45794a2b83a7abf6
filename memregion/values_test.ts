/**
 * Values of element types, for the tests of regions.
 *
 * @module
 */

import { ELEMENTS, type ElementType } from "../internal/elements.ts";

// deno-lint-ignore no-explicit-any -- one table of cases for all element types
export type Any = any;

/** Small values of a type, as its regions take them. */
export function valuesOf(type: ElementType, ...values: number[]): Any[] {
  return type.startsWith("big") ? values.map(BigInt) : values;
}

/** As memory has them. */
export function arrayOf(type: ElementType, ...values: number[]): Any {
  const { arrayClass } = ELEMENTS.find((info) => info.type === type)!;
  return Object.assign(new (arrayClass as Any)(values.length), fill(type, values));
}

/** As copies come. */
export function copyOf(type: ElementType, ...values: number[]): Any {
  const { copyClass, kind } = ELEMENTS.find((info) => info.type === type)!;
  return new (copyClass as Any)(kind === "bigint" ? values.map(BigInt) : values);
}

function fill(type: ElementType, values: number[]): Any[] {
  return type.includes("64") && type !== "f64" ? values.map(BigInt) : values;
}
