/**
 * Source of the kernels that reduce: they combine two rows of elements, one by one, into a third,
 * 16 bytes at a time where WebAssembly has an instruction for the type. The rows may be the same,
 * and must not overlap otherwise. They are not atomic.
 *
 * @module
 */

import { type ElementOpInfo, opsOf, type ReductionOp } from "../element_ops.ts";
import { combine } from "./element.ts";
import { type KernelType, load, store } from "./types.ts";

const ROWS = ["$to", "$a", "$b"];

/** The instruction for 16 bytes; none where there is none. */
function vectorInstruction({ bytes, float, signed }: KernelType, op: string): string | undefined {
  if (op === "and" || op === "or" || op === "xor") return `v128.${op}`;
  const shape = `${float ? "f" : "i"}${bytes * 8}x${16 / bytes}`;
  if (op === "mul" && bytes === 1) return undefined;
  if (float || op === "add" || op === "mul") return `${shape}.${op}`;
  return bytes === 8 ? undefined : `${shape}.${op}_${signed ? "s" : "u"}`;
}

function moveBy(bytes: number): string {
  return ROWS.map((row) => `(local.set ${row} (addr.add (local.get ${row}) (addr.const ${bytes})))`)
    .join(" ");
}

/** A loop over as many whole steps of so many elements as are left. */
function loop(elements: number, bytes: number, step: string): string {
  return `
  (block $few
    (loop $next
      (br_if $few (addr.lt_u (local.get $n) (addr.const ${elements})))
      ${step}
      ${moveBy(bytes)}
      (local.set $n (addr.sub (local.get $n) (addr.const ${elements})))
      (br $next)))`;
}

/** Two vectors a step: the loop itself costs as much as one. */
function vectors(type: KernelType, instruction: string): string {
  const lane = (row: string, offset: number): string =>
    `(v128.load offset=${offset} align=1 (local.get ${row}))`;
  const step = [0, 16].map((offset) => `
      (v128.store offset=${offset} align=1 (local.get $to)
        (${instruction} ${lane("$a", offset)} ${lane("$b", offset)}))`).join("");
  return loop(32 / type.bytes, 32, step);
}

function rowKernel(type: KernelType, { name, reduction }: ElementOpInfo): string {
  const vector = vectorInstruction(type, name);
  return `
(func (export "${reduction!.kernel}")
  (param $to addr) (param $a addr) (param $b addr) (param $n addr)
  (local $old ${type.compute}) (local $value ${type.compute})
  ${vector === undefined ? "" : vectors(type, vector)}
  ${
    loop(
      1,
      type.bytes,
      `(local.set $old ${load(type, "(local.get $a)")})
      (local.set $value ${load(type, "(local.get $b)")})
      ${store(type, "(local.get $to)", combine(type, name as ReductionOp))}`,
    )
  })`;
}

/**
 * Kernel source for the reductions of a type.
 *
 * @param type The element type.
 * @returns WAT with the pseudo-type `addr`.
 */
export function rowSource(type: KernelType): string {
  return opsOf(type.info)
    .filter(({ reduction }) => reduction !== undefined)
    .map((op) => rowKernel(type, op))
    .join("\n");
}
