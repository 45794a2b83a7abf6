/**
 * What generated codecs do with one value of an element type: where it is, and how it is checked.
 *
 * @module
 */

import type { ElementInfo } from "../../internal/elements.ts";
import type { Width } from "./layout.ts";
import type { Source } from "./source.ts";

/**
 * @param to The source in the making.
 * @param info The element type, no exact one.
 * @param offset Where it is in the section at hand.
 * @returns The element of a view that holds it.
 */
export function cellOf(to: Source, { bytes, memory }: ElementInfo, offset: number): string {
  return to.cell(memory, bytes as Width, offset);
}

/**
 * An exact integer is two halves, as no view gives a number of 64 bits.
 *
 * @param info Its element type.
 * @returns The view that holds the upper one.
 */
export function viewOfHigh({ min }: ElementInfo): "u32" | "i32" {
  return min < 0 ? "i32" : "u32";
}

/**
 * @param info An element type.
 * @returns What a field of it accepts, for error messages.
 */
export function wantedOf({ kind, max, min, type }: ElementInfo): string {
  const article = /^[aeif]/.test(type) ? "an" : "a";
  switch (kind) {
    case "float":
      return `${article} ${type} (a number)`;
    case "boolean":
      return `${article} ${type} (true or false)`;
    case "bigint":
      return `${article} ${type} (${min}n to ${max}n)`;
    default:
      return `${article} ${type} (${min} to ${max})`;
  }
}

/**
 * @param info An element type.
 * @param v Source text of a value.
 * @returns Source text that tells whether it has to be refused.
 */
export function refusalOf(info: ElementInfo, v: string): string {
  const { bytes, kind, max, min } = info;
  switch (kind) {
    case "integer": {
      const unused = 32 - 8 * bytes;
      const unsigned = bytes === 4 ? `${v} >>> 0` : `${v} & ${max}`;
      const signed = bytes === 4 ? `${v} | 0` : `${v} << ${unused} >> ${unused}`;
      return `typeof ${v} !== "number" || ${v} !== (${min < 0 ? signed : unsigned})`;
    }
    case "exact":
      return `!Number.isSafeInteger(${v})${min < 0 ? "" : ` || ${v} < 0`}`;
    case "bigint": {
      const cut = min < 0 ? "asIntN" : "asUintN";
      return `typeof ${v} !== "bigint" || ${v} !== BigInt.${cut}(64, ${v})`;
    }
    case "boolean":
      return `${v} !== true && ${v} !== false`;
    case "float":
      return `typeof ${v} !== "number"`;
  }
}
