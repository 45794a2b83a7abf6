/**
 * Source of the kernels that work on many elements of a type through a list of indices. Each
 * returns how many items it did: all of them, or those before the first index out of range.
 *
 * Changes are atomic element by element. `gather`, `scatter` and the indexed forms of get and put,
 * which name one part instead of a spread, are plain loads and stores.
 *
 * @module
 */

import { BLOCK } from "../kernels_spread.ts";
import { compareAndSwap, update, type UpdateName, updatesOf } from "./element.ts";
import { atomicStoreBits, type ElementType, load, store, toBits } from "./types.ts";
import type { AddressWidth } from "./wat.ts";

/** A kernel over a list of indices: what it takes beside the list, and what it does. */
interface BatchKernel {
  name: string;
  /** Whether it takes a spread, or the base and length of one part. */
  over: "spread" | "single";
  /** Parameters beside the region, the indices and `$n`. */
  parameters: string;
  /** What is done with the element at `$at`. */
  step: (at: string) => string;
  /** The same with two elements, where that is faster. */
  pair?: (first: string, second: string) => string;
  /** The same as `step` with `$one`, the only value, where the step between values is 0. */
  stepOfOne?: (at: string) => string;
  /** Whether it is atomic. */
  atomic: boolean;
}

/** The bodies of the hottest loops are repeated this often, so that the loop itself costs less. */
const UNROLLED = 4;

/** Moves a pointer to the next item. */
function advance(pointer: string, bytes: string): string {
  return `(local.set ${pointer} (addr.add (local.get ${pointer}) ${bytes}))`;
}

function batchKernel(kernel: BatchKernel, type: ElementType, width: AddressWidth): string {
  const addressBytes = width / 8;
  const { stepOfOne } = kernel;
  const at = (i: number): string => `(addr.load offset=${i * addressBytes} (local.get $p))`;
  const several = (count: number, step: (at: string) => string): string => {
    const { pair } = kernel;
    const even = Array.from({ length: count / 2 }, (_, i) => i * 2);
    return pair !== undefined && count % 2 === 0
      ? even.map((i) => pair(at(i), at(i + 1))).join("\n          ")
      : Array.from({ length: count }, (_, i) => step(at(i))).join("\n          ");
  };
  const [region, use] = kernel.over === "spread"
    ? ["(param $spread addr)", "(call $useSpread (local.get $spread))"]
    : [
      "(param $base addr) (param $length addr)",
      `(call $useSingle (local.get $base) (local.get $length) (addr.const ${type.bytes}))`,
    ];
  const loop = (count: number, step = kernel.step): string => `
      (block $few
        (loop $next
          (br_if $few (addr.gt_u
            (addr.add (local.get $p) (addr.const ${count * addressBytes})) (local.get $end)))
          ${several(count, step)}
          ${advance("$p", `(addr.const ${count * addressBytes})`)}
          (br $next)))`;
  return `
(func (export "${kernel.name}")
  ${region} (param $idx addr) (param $width i32) ${kernel.parameters} (param $n i32) (result i32)
  (local $done i32) (local $asked i32) (local $got i32) (local $p addr) (local $end addr)
  ${stepOfOne === undefined ? "" : `(local $one ${type.compute})`}
  ${use}
  (block $stop
    (loop $block
      (local.set $asked (i32.sub (local.get $n) (local.get $done)))
      (br_if $stop (i32.eqz (local.get $asked)))
      (if (i32.gt_u (local.get $asked) (i32.const ${BLOCK}))
        (then (local.set $asked (i32.const ${BLOCK}))))
      (local.set $got
        (call $translate (local.get $idx) (local.get $width) (local.get $asked)
          (i32.const ${kernel.atomic ? 1 : 0})))
      (local.set $p (global.get $scratch))
      (local.set $end (addr.add (local.get $p)
        (addr.of_i32 (i32.mul (local.get $got) (i32.const ${addressBytes})))))
      ${
    stepOfOne === undefined ? "" : `
      (if (addr.eqz (local.get $step))
        (then
          (local.set $one ${load(type, "(local.get $values)")})
          ${loop(UNROLLED, stepOfOne)}
          ${loop(1, stepOfOne)}))`
  }
      ${kernel.atomic ? "" : loop(UNROLLED)}
      ${loop(1)}
      (local.set $done (i32.add (local.get $done) (local.get $got)))
      (br_if $stop (i32.ne (local.get $got) (local.get $asked)))
      ${advance("$idx", "(addr.of_i32 (i32.mul (local.get $got) (local.get $width)))")}
      (br $block)))
  (local.get $done))`;
}

/** A list of values: one for all where the step is 0, else one for each. */
const VALUES = "(param $values addr) (param $step addr)";
const OUT = "(param $out addr)";

/** Loads two 64-bit elements and writes them with one store. */
function getPair(first: string, second: string): string {
  return `(v128.store align=1 (local.get $out)
            (v128.load64_lane align=1 1 ${second} (v128.load64_zero ${first})))
          ${advance("$out", "(addr.const 16)")}`;
}

/** The kernels of a type. */
function kernelsOf(type: ElementType): BatchKernel[] {
  const value = load(type, "(local.get $values)");
  const bytes = `(addr.const ${type.bytes})`;
  const nextValue = advance("$values", "(local.get $step)");
  const keep = (old: string): string =>
    `${store(type, "(local.get $out)", old)} ${advance("$out", bytes)}`;
  const change = (op: UpdateName): BatchKernel[] => {
    const name = op[0]!.toUpperCase() + op.slice(1);
    const fetch: BatchKernel = {
      name: `batchFetch${name}`,
      over: "spread",
      parameters: `${VALUES} ${OUT}`,
      step: (at) => `${keep(update(type, op, at, value))} ${nextValue}`,
      atomic: true,
    };
    // To exchange and forget is to store.
    if (op === "xchg") return [fetch];
    return [fetch, {
      name: `batch${name}`,
      over: "spread",
      parameters: VALUES,
      step: (at) => `(drop ${update(type, op, at, value)}) ${nextValue}`,
      stepOfOne: (at) => `(drop ${update(type, op, at, "(local.get $one)")})`,
      atomic: true,
    }];
  };
  const get = (name: string, over: "spread" | "single"): BatchKernel => ({
    name,
    over,
    parameters: OUT,
    step: (at) => keep(load(type, at)),
    ...(type.bytes === 8 ? { pair: getPair } : {}),
    atomic: false,
  });
  const put = (name: string, over: "spread" | "single"): BatchKernel => ({
    name,
    over,
    parameters: VALUES,
    step: (at) => `${store(type, at, value)} ${nextValue}`,
    atomic: false,
  });
  return [
    ...updatesOf(type).flatMap(change),
    {
      name: "batchStore",
      over: "spread",
      parameters: VALUES,
      step: (at) => `${atomicStoreBits(type, at, toBits(type, value))} ${nextValue}`,
      atomic: true,
    },
    {
      name: "batchCas",
      over: "spread",
      parameters: `(param $expected addr) (param $expectedStep addr) ${VALUES} ${OUT}`,
      step: (at) =>
        `${keep(compareAndSwap(type, at, load(type, "(local.get $expected)"), value))} ${
          advance("$expected", "(local.get $expectedStep)")
        } ${nextValue}`,
      atomic: true,
    },
    get("gather", "spread"),
    put("scatter", "spread"),
    get("indexedGet", "single"),
    put("indexedPut", "single"),
  ];
}

/**
 * Kernel source for lists of indices into elements of a type.
 *
 * @param type The element type.
 * @param width The address width of the memory.
 * @returns WAT with the pseudo-type `addr`.
 */
export function batchSource(type: ElementType, width: AddressWidth): string {
  return kernelsOf(type).map((kernel) => batchKernel(kernel, type, width)).join("\n");
}
