/**
 * What the element kernels have to know of each element type: the WebAssembly type that computes
 * with it, the operators that load, store and change it, and how values pass to JavaScript.
 *
 * @module
 */

import { type ElementInfo, MEMORY_TYPES, type MemoryType } from "../elements.ts";

/** The type WebAssembly computes with. */
export type ComputeType = "i32" | "i64" | "f32" | "f64";

/** One element type, as WebAssembly computes with it. */
export interface KernelType {
  /** Its name, as in `"u16"`. */
  readonly name: MemoryType;
  /** Its size in bytes. */
  readonly bytes: 1 | 2 | 4 | 8;
  /** The type WebAssembly computes with. */
  readonly compute: ComputeType;
  /** The integer type of the same size class, which atomics work on. */
  readonly bits: "i32" | "i64";
  /** Whether it is an integer with a sign. */
  readonly signed: boolean;
  /** Whether it is a floating-point number. */
  readonly float: boolean;
  /** Its row of the table. */
  readonly info: ElementInfo;
}

/** All of them. */
export const KERNEL_TYPES: readonly KernelType[] = MEMORY_TYPES.map((info) => {
  const bytes = info.bytes as 1 | 2 | 4 | 8;
  const float = info.kind === "float";
  const bits = bytes === 8 ? "i64" : "i32";
  const compute = float ? info.memory as "f32" | "f64" : bits;
  return { name: info.memory, bytes, compute, bits, signed: info.min < 0, float, info };
});

/** Whether the type is narrower than what WebAssembly computes with. */
export function isNarrow(type: KernelType): boolean {
  return type.bytes < 4;
}

/** A plain load. */
export function load(type: KernelType, at: string): string {
  const suffix = isNarrow(type) ? `${type.bytes * 8}_${type.signed ? "s" : "u"}` : "";
  return `(${type.compute}.load${suffix} ${at})`;
}

/** A plain store. */
export function store(type: KernelType, at: string, value: string): string {
  return `(${type.compute}.store${isNarrow(type) ? type.bytes * 8 : ""} ${at} ${value})`;
}

/** The bits of a value. */
export function toBits(type: KernelType, value: string): string {
  return type.float ? `(${type.bits}.reinterpret_${type.compute} ${value})` : value;
}

/** The value that has these bits; signed narrow ones get their sign back. */
export function fromBits(type: KernelType, bits: string): string {
  if (type.float) return `(${type.compute}.reinterpret_${type.bits} ${bits})`;
  return type.signed && isNarrow(type) ? `(i32.extend${type.bytes * 8}_s ${bits})` : bits;
}

/** An atomic load of the bits. */
export function atomicLoadBits(type: KernelType, at: string): string {
  return `(${type.bits}.atomic.load${isNarrow(type) ? `${type.bytes * 8}_u` : ""} ${at})`;
}

/** An atomic store of bits. */
export function atomicStoreBits(type: KernelType, at: string, bits: string): string {
  return `(${type.bits}.atomic.store${isNarrow(type) ? type.bytes * 8 : ""} ${at} ${bits})`;
}

/** A native read-modify-write instruction on the bits. */
export function atomicRmwBits(type: KernelType, op: string, ...operands: string[]): string {
  const [width, suffix] = isNarrow(type) ? [type.bytes * 8, "_u"] : ["", ""];
  return `(${type.bits}.atomic.rmw${width}.${op}${suffix} ${operands.join(" ")})`;
}

/** Cuts a parameter from JavaScript to the range of a narrow type, so that it can be compared. */
export function normalize(type: KernelType, value: string): string {
  if (!isNarrow(type)) return value;
  if (type.signed) return `(i32.extend${type.bytes * 8}_s ${value})`;
  return `(i32.and ${value} (i32.const ${2 ** (type.bytes * 8) - 1}))`;
}
