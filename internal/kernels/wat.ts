/**
 * From the kernels' source text to plain WebAssembly text.
 *
 * The sources are WAT with one addition, so that one text serves both memory sizes: the pseudo-type
 * `addr`, an `i32` over a 32-bit memory and an `i64` over a 64-bit one. What it needs beside the
 * ordinary operators (`addr.add`, `addr.const`, …) are some conversions:
 *
 * - `addr.of_i32 X` and `addr.of_i64 X`, an unsigned number as an address,
 * - `i32.of_addr X` and `i64.of_addr X`, an address as an unsigned number,
 * - `addr.load_word A`, an address stored in memory as a 64-bit word.
 *
 * JavaScript passes every address as a number. Over a 64-bit memory an exported function therefore
 * takes each `addr` parameter as an `f64` and converts it on entry; over a 32-bit memory the number
 * wraps to an `i32` by itself.
 *
 * @module
 */

/** What the address of a memory is: 32 bits wide, or 64. */
export type AddressWidth = 32 | 64;

/** An exported function up to its body: its name, and its parameters, result and locals. */
const EXPORTED_HEAD = /\(func \(export "(\w+)"\)((?:\s*\((?:param|result|local)\b[^()]*\))*)/g;

/**
 * Makes WebAssembly text for one address width.
 *
 * @param source Kernel source: a sequence of `func` and `global` fields.
 * @param width The address width of the memory.
 * @returns The text of a module that imports the memory as `env.memory`.
 */
export function lower(source: string, width: AddressWidth): string {
  // An import accepts every memory whose maximum is at most the one named here: what V8 allows.
  // The minimum of one page saves a comparison in every bounds check of a small offset.
  const memory = width === 64 ? "i64 1 0x40000 shared" : "1 65536 shared";
  const fields = width === 64 ? source.replace(EXPORTED_HEAD, convertParameters) : source;
  return `(module (import "env" "memory" (memory ${memory}))\n${lowerAddresses(fields, width)})`;
}

/** Takes `addr` parameters as `f64` and adds the conversion to the top of the function. */
function convertParameters(_match: string, name: string, head: string): string {
  const locals: string[] = [];
  const conversions: string[] = [];
  const taken = head.replace(/\(param \$(\w+) addr\)/g, (_param, parameter: string) => {
    locals.push(`(local $${parameter} i64)`);
    conversions.push(
      `(local.set $${parameter} (i64.trunc_f64_s (local.get $${parameter}_number)))`,
    );
    return `(param $${parameter}_number f64)`;
  });
  return `(func (export "${name}")${taken} ${locals.join(" ")}\n  ${conversions.join("\n  ")}`;
}

/** Replaces the pseudo-type. A block is the operator that does nothing. */
function lowerAddresses(text: string, width: AddressWidth): string {
  const same = `block (result i${width})`;
  const to64 = width === 64 ? same : "i64.extend_i32_u";
  const to32 = width === 64 ? "i32.wrap_i64" : same;
  return text
    .replaceAll("addr.of_i32", width === 64 ? "i64.extend_i32_u" : same)
    .replaceAll("addr.of_i64", width === 64 ? same : "i32.wrap_i64")
    .replaceAll("i64.of_addr", to64)
    .replaceAll("i32.of_addr", to32)
    .replaceAll("addr.load_word", width === 64 ? "i64.load" : "i32.load")
    .replace(/\baddr\b/g, `i${width}`);
}
