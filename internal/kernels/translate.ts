/**
 * Source of what all batched kernels begin with: turning a block of indices into addresses, which
 * go to a scratch area of the PE.
 *
 * A region spread over PEs is described by a *spread* in memory, 64-bit words written by
 * `writeSpread` in `kernels_spread.ts`. An index is one of a range; `first` added to it is the
 * number g of an element of the whole. With q = g / divisor and r = g % divisor the element
 * stands on PE q at offset r when the distribution is by blocks (divisor: the length of a block),
 * or on PE r at offset q when it is cyclic (divisor: the number of PEs). Where the PEs' parts lie
 * at equal distances, its address is `base + r * rBytes + q * qBytes` in both cases, which four
 * lanes of a vector compute at once; else the base comes from the table behind the words.
 *
 * Where the first `extras` blocks are longer by one, q = extras + (g - edge) / divisor2 from
 * g = `edge` on, and r = g - q * divisor2 - min(q, extras) everywhere; without such blocks that is
 * the remainder.
 *
 * Dividing is multiplying by `magic` and shifting, exact for g < 2^31 with
 * shift = 31 + ceil(log2(divisor)) and magic = ceil(2^shift / divisor) (Granlund and Montgomery,
 * "Division by invariant integers using multiplication", PLDI 1994).
 *
 * Translating first and operating afterwards pays twice: the vector does the arithmetic, and the
 * loop of memory operations has no arithmetic on which the processor would have to wait. Before
 * atomic operations on a 32-bit memory the elements are also touched by plain loads, whose cache
 * misses overlap while each atomic operation waits for its own. V8's optimised code makes every
 * atomic addition a compare-and-swap loop, so there is a floor under these kernels.
 *
 * @module
 */

import { SPREAD_FIELDS, SPREAD_TABLE, SpreadFlag } from "../kernels_spread.ts";
import type { AddressWidth } from "./wat.ts";

/** How often four indices are translated in one iteration. */
const FOURS_UNROLLED = 4;

/** The type of the global that each field of a spread is loaded to, where that is not `i64`. */
const FIELD_TYPES: Readonly<Partial<Record<typeof SPREAD_FIELDS[number], "i32" | "addr">>> = {
  shift: "i32",
  shift2: "i32",
  flags: "i32",
  base: "addr",
  rBytes: "addr",
  qBytes: "addr",
};

/** The fields of a spread, in the order of its words, and the type of each. */
const FIELDS: ReadonlyArray<[name: string, type: "i64" | "i32" | "addr"]> = SPREAD_FIELDS.map(
  (name) => [name, FIELD_TYPES[name] ?? "i64"],
);

function loadField(type: "i64" | "i32" | "addr", at: number): string {
  const load = type === "addr" ? "addr.load_word" : `${type}.load`;
  return `(${load} offset=${at} (local.get $spread))`;
}

const USE_SPREAD = `
(import "env" "scratch" (global $scratch addr))
${FIELDS.map(([name, type]) => `(global $${name} (mut ${type}) (${type}.const 0))`).join("\n")}
(global $bases (mut addr) (addr.const 0))
(global $sink (mut i32) (i32.const 0))

(func $useSpread (param $spread addr)
  ${FIELDS.map(([name, type], i) => `(global.set $${name} ${loadField(type, i * 8)})`).join("\n  ")}
  (global.set $bases (addr.add (local.get $spread) (addr.const ${SPREAD_TABLE}))))`;

/** Sets the vectors of addresses from the quotients and remainders of four indices. */
function addressesOfFour(width: AddressWidth): string {
  if (width === 32) {
    return `
      (local.set $a0
        (i32x4.add (local.get $vBase)
          (i32x4.add
            (i32x4.mul (local.get $r) (local.get $vRBytes))
            (i32x4.mul (local.get $q) (local.get $vQBytes)))))`;
  }
  return ["low", "high"].map((half, i) => `
      (local.set $a${i}
        (i64x2.add (local.get $vBase)
          (i64x2.add
            (i64x2.extmul_${half}_i32x4_u (local.get $r) (local.get $vRBytes))
            (i64x2.extmul_${half}_i32x4_u (local.get $q) (local.get $vQBytes)))))`).join("");
}

/** Writes them to the scratch area, and on demand touches the elements they name. */
function storeFour(width: AddressWidth): string {
  if (width === 64) {
    // Here touching was measured to cost more than it saves.
    return `
      (v128.store align=1 (local.get $to) (local.get $a0))
      (v128.store offset=16 align=1 (local.get $to) (local.get $a1))`;
  }
  const touches = [0, 1, 2, 3].map((lane) =>
    `(local.set $sink (i32.add (local.get $sink)
            (i32.load8_u (i32x4.extract_lane ${lane} (local.get $a0)))))`
  );
  return `
      (v128.store align=1 (local.get $to) (local.get $a0))
      (if (local.get $touch)
        (then
          ${touches.join("\n          ")}))`;
}

/** Four lanes of 32 bits, all of them the low half of a global. */
function splat(global: string, type: "i64" | "i32" | "addr"): string {
  return `(i32x4.splat (${
    type === "i64" ? "i32.wrap_i64" : "i32.of_addr"
  } (global.get $${global})))`;
}

/** Translates `count` times four indices an iteration, as long as so many are left. */
function loopOverFours(width: AddressWidth, count: number): string {
  return `
    (block $few
      (loop $next
        (br_if $few (i32.lt_u (local.get $left) (i32.const ${count})))
        ${nextFour(width).repeat(count)}
        (br $next)))`;
}

/** The quotients of four numbers by the first or the second divisor. */
function quotients(dividend: string, which: "" | "2"): string {
  const half = (name: string): string =>
    `(i64x2.shr_u (i64x2.extmul_${name}_i32x4_u (local.get ${dividend}) (local.get $vMagic${which}))
          (global.get $shift${which}))`;
  return `(i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27
        ${half("low")}
        ${half("high")})`;
}

/** Translates the next four indices, or leaves if one of them is out of range. */
function nextFour(width: AddressWidth): string {
  return `
      (local.set $g (v128.load align=1 (local.get $from)))
      (if (i32.eq (local.get $width) (i32.const 8))
        (then
          (local.set $r (v128.load offset=16 align=1 (local.get $from)))
          (local.set $bad (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
            (local.get $g) (local.get $r)))
          (local.set $g (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27
            (local.get $g) (local.get $r)))))
      (br_if $stop (v128.any_true
        (v128.or (local.get $bad) (i32x4.ge_u (local.get $g) (local.get $vTotal)))))
      (local.set $g (i32x4.add (local.get $g) (local.get $vFirst)))
      (local.set $q ${quotients("$g", "")})
      (if (local.get $uneven)
        (then
          (local.set $r (i32x4.sub (local.get $g) (local.get $vEdge)))
          (local.set $q
            (v128.bitselect
              (i32x4.add (local.get $vExtras) ${quotients("$r", "2")})
              (local.get $q)
              (i32x4.ge_u (local.get $g) (local.get $vEdge))))
          (local.set $r
            (i32x4.sub
              (i32x4.sub (local.get $g) (i32x4.mul (local.get $q) (local.get $vDivisor2)))
              (i32x4.min_u (local.get $q) (local.get $vExtras)))))
        (else
          (local.set $r
            (i32x4.sub (local.get $g) (i32x4.mul (local.get $q) (local.get $vDivisor2))))))
      ${addressesOfFour(width)}
      ${storeFour(width)}
      (local.set $from (addr.add (local.get $from) (local.get $step)))
      (local.set $to (addr.add (local.get $to) (addr.const ${width / 2})))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))`;
}

/** The part of `$translate` that takes four indices at a time, as long as all are in range. */
function translateFours(width: AddressWidth): string {
  const baseShape = width === 32 ? "i32x4" : "i64x2";
  return `
(func $translateFours
  (param $from addr) (param $width i32) (param $n i32) (param $touch i32) (result i32)
  (local $left i32) (local $to addr) (local $step addr) (local $sink i32)
  (local $a0 v128) (local $a1 v128)
  (local $g v128) (local $q v128) (local $r v128) (local $bad v128)
  (local $vTotal v128) (local $vFirst v128) (local $vMagic v128) (local $vBase v128)
  (local $vEdge v128) (local $vDivisor2 v128) (local $vMagic2 v128) (local $vExtras v128)
  (local $vRBytes v128) (local $vQBytes v128) (local $uneven i32)
  (local.set $uneven (i32.and (global.get $flags) (i32.const ${SpreadFlag.uneven})))
  (local.set $vTotal ${splat("total", "i64")})
  (local.set $vFirst ${splat("first", "i64")})
  (local.set $vMagic ${splat("magic", "i64")})
  (local.set $vEdge ${splat("edge", "i64")})
  (local.set $vDivisor2 ${splat("divisor2", "i64")})
  (local.set $vMagic2 ${splat("magic2", "i64")})
  (local.set $vExtras ${splat("extras", "i64")})
  (local.set $vRBytes ${splat("rBytes", "addr")})
  (local.set $vQBytes ${splat("qBytes", "addr")})
  (local.set $vBase (${baseShape}.splat (global.get $base)))
  (local.set $step (addr.of_i32 (i32.shl (local.get $width) (i32.const 2))))
  (local.set $to (global.get $scratch))
  (local.set $left (i32.shr_u (local.get $n) (i32.const 2)))
  (block $stop
    ${loopOverFours(width, FOURS_UNROLLED)}
    ${loopOverFours(width, 1)})
  ;; Loads whose result went nowhere would be left out.
  (global.set $sink (local.get $sink))
  (i32.sub (i32.shr_u (local.get $n) (i32.const 2)) (local.get $left)))`;
}

/** The address of one index `$g` that is in range. */
const ONE_ADDRESS = (elementBytes: number): string => `
      (local.set $q
        (if (result i64) (i32.and (global.get $flags) (i32.const ${SpreadFlag.magic}))
          (then
            (i64.shr_u (i64.mul (local.get $g) (global.get $magic))
              (i64.extend_i32_u (global.get $shift))))
          (else (i64.div_u (local.get $g) (global.get $divisor)))))
      (if (i32.and (global.get $flags) (i32.const ${SpreadFlag.uneven}))
        (then
          (if (i64.ge_u (local.get $g) (global.get $edge))
            (then
              (local.set $r (i64.sub (local.get $g) (global.get $edge)))
              (local.set $q
                (i64.add (global.get $extras)
                  (if (result i64) (i32.and (global.get $flags) (i32.const ${SpreadFlag.magic}))
                    (then
                      (i64.shr_u (i64.mul (local.get $r) (global.get $magic2))
                        (i64.extend_i32_u (global.get $shift2))))
                    (else (i64.div_u (local.get $r) (global.get $divisor2))))))))))
      (local.set $r
        (i64.sub
          (i64.sub (local.get $g) (i64.mul (local.get $q) (global.get $divisor2)))
          (select (local.get $q) (global.get $extras)
            (i64.lt_u (local.get $q) (global.get $extras)))))
      (if (i32.and (global.get $flags) (i32.const ${SpreadFlag.equidistant}))
        (then
          (local.set $address
            (addr.add (global.get $base)
              (addr.add
                (addr.mul (addr.of_i64 (local.get $r)) (global.get $rBytes))
                (addr.mul (addr.of_i64 (local.get $q)) (global.get $qBytes))))))
        (else
          (if (i32.and (global.get $flags) (i32.const ${SpreadFlag.cyclic}))
            (then
              (local.set $g (local.get $q))
              (local.set $q (local.get $r))
              (local.set $r (local.get $g))))
          (local.set $address
            (addr.add
              (addr.load_word (addr.add (global.get $bases)
                (addr.shl (addr.of_i64 (local.get $q)) (addr.const 3))))
              (addr.mul (addr.of_i64 (local.get $r)) (addr.const ${elementBytes}))))))`;

/** Translates what the vector did not: the rest, and whatever has an index out of range in it. */
function translate(width: AddressWidth, elementBytes: number): string {
  const addressBytes = width / 8;
  return `
(func $translate
  (param $from addr) (param $width i32) (param $n i32) (param $touch i32) (result i32)
  (local $done i32) (local $to addr) (local $g i64) (local $q i64) (local $r i64)
  (local $address addr)
  (if (i32.and (global.get $flags) (i32.const ${SpreadFlag.vector}))
    (then
      (local.set $done (i32.shl
        (call $translateFours
          (local.get $from) (local.get $width) (local.get $n) (local.get $touch))
        (i32.const 2)))))
  (local.set $from (addr.add (local.get $from)
    (addr.of_i32 (i32.mul (local.get $done) (local.get $width)))))
  (local.set $to (addr.add (global.get $scratch)
    (addr.of_i32 (i32.mul (local.get $done) (i32.const ${addressBytes})))))
  (block $stop
    (loop $next
      (br_if $stop (i32.ge_u (local.get $done) (local.get $n)))
      (local.set $g
        (if (result i64) (i32.eq (local.get $width) (i32.const 8))
          (then (i64.load align=1 (local.get $from)))
          (else (i64.load32_u align=1 (local.get $from)))))
      (br_if $stop (i64.ge_u (local.get $g) (global.get $total)))
      (local.set $g (i64.add (local.get $g) (global.get $first)))
      ${ONE_ADDRESS(elementBytes)}
      (addr.store (local.get $to) (local.get $address))
      (local.set $from (addr.add (local.get $from) (addr.of_i32 (local.get $width))))
      (local.set $to (addr.add (local.get $to) (addr.const ${addressBytes})))
      (local.set $done (i32.add (local.get $done) (i32.const 1)))
      (br $next)))
  (local.get $done))`;
}

/**
 * Kernel source that turns indices into addresses: `$useSpread` first, then `$translate` for each
 * block, which returns how many indices it took before one out of range.
 *
 * @param width The address width of the memory.
 * @param elementBytes The size of an element.
 * @returns WAT with the pseudo-type `addr`.
 */
export function translateSource(width: AddressWidth, elementBytes: number): string {
  return [USE_SPREAD, translateFours(width), translate(width, elementBytes)].join("\n");
}
