/**
 * Source of the kernels that work on one element: plain loads and stores, atomics, and the tests
 * of wait-until. Every changing operation returns what the element was before.
 *
 * JavaScript reads an `i32` result with a sign, so `u32` results travel as `f64`. 64-bit integers
 * come in two forms: as BigInt, and, with `Number` behind the name, as a number: NaN where the
 * integer is beyond what a number holds exactly.
 *
 * @module
 */

import { atomicName, type FetchOp, opsOf } from "../element_ops.ts";
import {
  atomicLoadBits,
  atomicRmwBits,
  atomicStoreBits,
  type ComputeType,
  fromBits,
  isNarrow,
  type KernelType,
  load,
  normalize,
  store,
  toBits,
} from "./types.ts";

/** The changing operations that a type has. */
export function changesOf(type: KernelType): readonly FetchOp[] {
  return opsOf(type.info).filter(({ fetches }) => fetches).map(({ name }) => name as FetchOp);
}

/** Whether one instruction does it; the others need a compare-and-swap loop. */
function isNative(type: KernelType, op: FetchOp): boolean {
  if (op === "swap") return true;
  return !type.float && NATIVE.has(op);
}

const NATIVE: ReadonlySet<FetchOp> = new Set(["add", "sub", "and", "or", "xor"]);

/** An expression that changes the element at `at` and leaves what it was. */
export function update(type: KernelType, op: FetchOp, at: string, value: string): string {
  if (!isNative(type, op)) return `(call $${op} ${at} ${value})`;
  const instruction = op === "swap" ? "xchg" : op;
  return fromBits(type, atomicRmwBits(type, instruction, at, toBits(type, value)));
}

/** An expression that swaps the element if it has the bits expected, and leaves what it was. */
export function compareAndSwap(
  type: KernelType,
  at: string,
  expected: string,
  desired: string,
): string {
  // The narrow instructions compare the whole i32 operand with the zero-extended element.
  const bits = isNarrow(type)
    ? `(i32.and ${expected} (i32.const ${2 ** (type.bytes * 8) - 1}))`
    : toBits(type, expected);
  return fromBits(type, atomicRmwBits(type, "cmpxchg", at, bits, toBits(type, desired)));
}

/**
 * The new value of an operation, of the locals `$old` and `$value`. Operands come over the wire,
 * too: none may make it trap.
 */
export function combine(type: KernelType, op: FetchOp): string {
  const { compute, float, signed } = type;
  const [old, value] = ["(local.get $old)", "(local.get $value)"];
  const sign = signed ? "s" : "u";
  switch (op) {
    case "min":
    case "max":
      if (float) break;
      return `(select ${old} ${value}
        (${compute}.${op === "min" ? "lt" : "gt"}_${sign} ${old} ${value}))`;
    case "div":
      if (float) break;
      return unlessZero(
        type,
        signed ? divideSigned(compute) : `(${compute}.div_u ${old} ${value})`,
      );
    case "rem":
      if (float) return remainder(compute);
      return unlessZero(type, `(${compute}.rem_${sign} ${old} ${value})`);
    case "shr":
      return `(${compute}.shr_${sign} ${old} ${value})`;
  }
  return `(${compute}.${op} ${old} ${value})`;
}

/** Divides by what is not 0, which callers refuse. */
function unlessZero({ compute }: KernelType, quotient: string): string {
  return `(if (result ${compute}) (${compute}.eqz (local.get $value))
      (then (local.get $old))
      (else ${quotient}))`;
}

/** The least integer by -1 is one more than the greatest: it wraps. */
function divideSigned(compute: ComputeType): string {
  return `(if (result ${compute}) (${compute}.eq (local.get $value) (${compute}.const -1))
        (then (${compute}.sub (${compute}.const 0) (local.get $old)))
        (else (${compute}.div_s (local.get $old) (local.get $value))))`;
}

/** WebAssembly has no remainder of floats, JavaScript has; that of two f32 is an f32. */
function remainder(compute: ComputeType): string {
  return compute === "f64"
    ? "(call $remainder (local.get $old) (local.get $value))"
    : `(f32.demote_f64 (call $remainder
        (f64.promote_f32 (local.get $old)) (f64.promote_f32 (local.get $value))))`;
}

/**
 * What the kernels of a type import from JavaScript; stands before everything else.
 *
 * @param type The element type.
 * @returns WAT.
 */
export function importSource({ float }: KernelType): string {
  if (!float) return "";
  return `(import "env" "remainder" (func $remainder (param f64 f64) (result f64)))`;
}

/** The compare-and-swap loop of one operation. */
function updateLoop(type: KernelType, op: FetchOp): string {
  const { compute, bits } = type;
  return `
(func $${op} (param $at addr) (param $value ${compute}) (result ${compute})
  (local $was ${bits}) (local $seen ${bits}) (local $old ${compute})
  (local.set $value ${normalize(type, "(local.get $value)")})
  (local.set $was ${atomicLoadBits(type, "(local.get $at)")})
  (loop $again
    (local.set $old ${fromBits(type, "(local.get $was)")})
    (local.set $seen ${
    atomicRmwBits(
      type,
      "cmpxchg",
      "(local.get $at)",
      "(local.get $was)",
      toBits(type, combine(type, op)),
    )
  })
    (if (${bits}.ne (local.get $seen) (local.get $was))
      (then
        (local.set $was (local.get $seen))
        (br $again))))
  (local.get $old))`;
}

/** How values of a type cross between WebAssembly and JavaScript, in one of its forms. */
interface Crossing {
  /** What stands behind the name of the kernel. */
  suffix: string;
  /** Type of a parameter. */
  input: string;
  /** Type of a result. */
  output: string;
  /** From parameter to compute type. */
  enter: (value: string) => string;
  /** From compute type to result. */
  leave: (value: string) => string;
}

function crossings(type: KernelType): Crossing[] {
  const same = (value: string): string => value;
  const { compute } = type;
  const plain = { suffix: "", input: compute, output: compute, enter: same, leave: same };
  if (type.name === "u32") {
    return [{ ...plain, output: "f64", leave: (value) => `(f64.convert_i32_u ${value})` }];
  }
  if (compute !== "i64") return [plain];
  return [plain, {
    suffix: "Number",
    input: "f64",
    output: "f64",
    enter: (value) => `(i64.trunc_sat_f64_s ${value})`,
    leave: (value) => `(call $toNumber ${value})`,
  }];
}

function toNumber(type: KernelType): string {
  const [from, to] = type.signed
    ? ["-0x1fffffffffffff", "0x3fffffffffffff"]
    : ["0", "0x20000000000000"];
  return `
(func $toNumber (param $value i64) (result f64)
  (if (result f64)
    (i64.lt_u (i64.sub (local.get $value) (i64.const ${from})) (i64.const ${to}))
    (then (f64.convert_i64_${type.signed ? "s" : "u"} (local.get $value)))
    (else (f64.const nan))))`;
}

/** The tests of wait-until, in the order of their codes. */
const TESTS = ["eq", "ne", "gt", "ge", "lt", "le"];

function scalars(type: KernelType, crossing: Crossing): string {
  const { suffix, input, output, enter, leave } = crossing;
  const [at, value] = ["(local.get $at)", enter("(local.get $value)")];
  const sign = (op: string): string =>
    type.float || op === "eq" || op === "ne" ? "" : type.signed ? "_s" : "_u";
  const head = (name: string, parameters: string, result: string): string =>
    `(func (export "${name}${suffix}") (param $at addr) ${parameters} ${result}\n `;
  return `
${head("load", "", `(result ${output})`)} ${leave(load(type, at))})
${head("store", `(param $value ${input})`, "")} ${store(type, at, value)})
${head("atomicLoad", "", `(result ${output})`)}
  ${leave(fromBits(type, atomicLoadBits(type, at)))})
${head("atomicStore", `(param $value ${input})`, "")}
  ${atomicStoreBits(type, at, toBits(type, value))})
${
    changesOf(type).map((op) =>
      `${
        head(
          atomicName(op),
          `(param $value ${input})`,
          `(result ${output})`,
        )
      } ${leave(update(type, op, at, value))})`
    ).join("\n")
  }
${head("cas", `(param $expected ${input}) (param $desired ${input})`, `(result ${output})`)}
  ${
    leave(
      compareAndSwap(type, at, enter("(local.get $expected)"), enter("(local.get $desired)")),
    )
  })
${
    head(
      "test",
      `(param $code i32) (param $value ${input}) (result i32) (local $now ${type.compute})`,
      "",
    )
  } (local.set $now ${fromBits(type, atomicLoadBits(type, at))})
${
    TESTS.map((op, code) => `
  (if (i32.eq (local.get $code) (i32.const ${code}))
    (then (return (${type.compute}.${op}${sign(op)} (local.get $now)
      ${normalize(type, value)}))))`).join("")
  }
  (unreachable))`;
}

/** Sets `n` elements, 16 bytes at a time and the last few one by one. */
function fill(type: KernelType, crossing: Crossing): string {
  const lanes = 16 / type.bytes;
  const shape = `${type.float ? "f" : "i"}${type.bytes * 8}x${lanes}`;
  return `
(func (export "fill${crossing.suffix}")
  (param $at addr) (param $value ${crossing.input}) (param $n addr)
  (local $one ${type.compute}) (local $many v128)
  (local.set $one ${crossing.enter("(local.get $value)")})
  (local.set $many (${shape}.splat (local.get $one)))
  (block $few
    (loop $next
      (br_if $few (addr.lt_u (local.get $n) (addr.const ${lanes})))
      (v128.store align=1 (local.get $at) (local.get $many))
      (local.set $at (addr.add (local.get $at) (addr.const 16)))
      (local.set $n (addr.sub (local.get $n) (addr.const ${lanes})))
      (br $next)))
  (block $done
    (loop $next
      (br_if $done (addr.eqz (local.get $n)))
      ${store(type, "(local.get $at)", "(local.get $one)")}
      (local.set $at (addr.add (local.get $at) (addr.const ${type.bytes})))
      (local.set $n (addr.sub (local.get $n) (addr.const 1)))
      (br $next))))`;
}

/**
 * Kernel source for single elements of a type.
 *
 * @param type The element type.
 * @returns WAT with the pseudo-type `addr`.
 */
export function elementSource(type: KernelType): string {
  const loops = changesOf(type).filter((op) => !isNative(type, op));
  return [
    type.compute === "i64" ? toNumber(type) : "",
    ...loops.map((op) => updateLoop(type, op)),
    ...crossings(type).flatMap((crossing) => [scalars(type, crossing), fill(type, crossing)]),
  ].join("\n");
}
