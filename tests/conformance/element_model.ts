/**
 * What operations make of elements: a serial model, written anew from what the operations are.
 *
 * @module
 */

import { ELEMENT_OPS, type ElementOp, type ElementOpInfo } from "../../internal/element_ops.ts";
import type { ElementType } from "../../mod.ts";

/** A value of any element type. */
export type Value = number | bigint | boolean;

const FLOATS: Readonly<Partial<Record<ElementOp, (a: number, b: number) => number>>> = {
  store: (_a, b) => b,
  swap: (_a, b) => b,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  rem: (a, b) => a % b,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
};

const INTEGERS: Readonly<Record<ElementOp, (a: bigint, b: bigint) => bigint>> = {
  store: (_a, b) => b,
  swap: (_a, b) => b,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  rem: (a, b) => a % b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
  shr: (a, b) => a >> b,
  min: (a, b) => a < b ? a : b,
  max: (a, b) => a > b ? a : b,
};

const BITS: readonly ElementOp[] = ["and", "or", "xor", "shl", "shr"];
const OF_BOOLEANS: readonly ElementOp[] = ["store", "swap", "and", "or", "xor"];

function isFloat(type: ElementType): boolean {
  return type === "f32" || type === "f64";
}

function bitsOf(type: ElementType): number {
  return Number(/\d+/.exec(type)![0]);
}

/**
 * @param type An element type.
 * @param op An operation that it has.
 * @param a What an element is.
 * @param b The operand.
 * @returns What becomes of the element; undefined where a number does not hold it.
 */
export function after(type: ElementType, op: ElementOp, a: Value, b: Value): Value | undefined {
  if (isFloat(type)) {
    const result = FLOATS[op]!(a as number, b as number);
    return type === "f32" ? Math.fround(result) : result;
  }
  if (type === "bool") return INTEGERS[op](BigInt(a), BigInt(b)) !== 0n;
  const wrap = type.includes("u") ? BigInt.asUintN : BigInt.asIntN;
  const result = wrap(bitsOf(type), INTEGERS[op](BigInt(a), BigInt(b)));
  if (type.startsWith("big")) return result;
  return Number.isSafeInteger(Number(result)) ? Number(result) : undefined;
}

/**
 * @param op An operation.
 * @param type An element type that has it.
 * @param value A value of the type.
 * @returns Whether the operation takes the value.
 */
export function takes({ operand }: ElementOpInfo, type: ElementType, value: Value): boolean {
  if (operand === undefined || isFloat(type)) return true;
  if (operand === "divisor") return BigInt(value) !== 0n;
  return (value as number) >= 0 && (value as number) < bitsOf(type);
}

/**
 * @param type An element type.
 * @returns The operations that it has.
 */
export function opsOf(type: ElementType): readonly ElementOpInfo[] {
  if (type === "bool") return ELEMENT_OPS.filter(({ name }) => OF_BOOLEANS.includes(name));
  return ELEMENT_OPS.filter(({ name }) => !isFloat(type) || !BITS.includes(name));
}

/**
 * @param type An element type.
 * @param value A number as programs give it.
 * @returns What an element of the type holds of it.
 */
export function held(type: ElementType, value: Value): Value {
  return type === "f32" ? Math.fround(value as number) : value;
}

/**
 * @param a A value.
 * @param b Another one of the same type.
 * @returns Whether an element that holds one is as expected where the other is: by its bits.
 */
export function sameBits(a: Value, b: Value): boolean {
  return Object.is(a, b) || (typeof a === "bigint" && a === b);
}

const REDUCED = { sum: "add", prod: "mul", min: "min", max: "max" } as const;

/** What all elements together are reduced by. */
export type ReductionCall = keyof typeof REDUCED;

/** The calls. */
export const REDUCTION_CALLS = Object.keys(REDUCED) as ReductionCall[];

/**
 * @param type An element type of numbers.
 * @param call A reduction.
 * @param values What elements are.
 * @returns What comes of them; undefined if there are none; "inexact" if no number holds it.
 */
export function reduced(
  type: ElementType,
  call: ReductionCall,
  values: readonly Value[],
): Value | undefined | "inexact" {
  if (values.length === 0) return undefined;
  if (isFloat(type)) return values.reduce((a, b) => after(type, REDUCED[call], a, b)!);
  // Whatever lies between, integers wrap once.
  const total = values.map((value) => BigInt(value)).reduce((a, b) =>
    INTEGERS[REDUCED[call]](a, b)
  );
  const wrap = type.includes("u") ? BigInt.asUintN : BigInt.asIntN;
  const result = wrap(bitsOf(type), total);
  if (type.startsWith("big")) return result;
  return Number.isSafeInteger(Number(result)) ? Number(result) : "inexact";
}
