/**
 * Source of the kernels that work on many elements of a type through a list of indices. Each
 * returns how many items it did: all of them, or those before the first index out of range.
 * All take the same: a spread, the indices and the bytes of each, the values and the bytes from one
 * to the next (0 where there is one for all), where results go, and how many items there are. What
 * a kernel does not need it does not look at.
 *
 * Changes are atomic element by element; `gather` and `scatter` are plain loads and stores.
 *
 * @module
 */

import { batchFetchName, batchName, type FetchOp } from "../element_ops.ts";
import { BLOCK } from "../kernels_spread.ts";
import { changesOf, compareAndSwap, update } from "./element.ts";
import { atomicStoreBits, type KernelType, load, store, toBits } from "./types.ts";
import type { AddressWidth } from "./wat.ts";

/** A kernel over a list of indices: what it takes beside the list, and what it does. */
interface BatchKernel {
  name: string;
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

function batchKernel(kernel: BatchKernel, type: KernelType, width: AddressWidth): string {
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
  (param $spread addr) (param $idx addr) (param $width i32)
  (param $values addr) (param $step addr) (param $out addr) (param $n i32) (result i32)
  (local $done i32) (local $asked i32) (local $got i32) (local $p addr) (local $end addr)
  ${stepOfOne === undefined ? "" : `(local $one ${type.compute})`}
  (call $useSpread (local.get $spread))
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

/** Loads two 64-bit elements and writes them with one store. */
function getPair(first: string, second: string): string {
  return `(v128.store align=1 (local.get $out)
            (v128.load64_lane align=1 1 ${second} (v128.load64_zero ${first})))
          ${advance("$out", "(addr.const 16)")}`;
}

/** The kernels of a type. */
function kernelsOf(type: KernelType): BatchKernel[] {
  const value = load(type, "(local.get $values)");
  // What is expected comes first, and behind it the replacement.
  const replacement = load(type, `(addr.add (local.get $values) (addr.const ${type.bytes}))`);
  const bytes = `(addr.const ${type.bytes})`;
  const nextValue = advance("$values", "(local.get $step)");
  const keep = (old: string): string =>
    `${store(type, "(local.get $out)", old)} ${advance("$out", bytes)}`;
  const change = (op: FetchOp): BatchKernel[] => {
    const fetch: BatchKernel = {
      name: batchFetchName(op),
      step: (at) => `${keep(update(type, op, at, value))} ${nextValue}`,
      atomic: true,
    };
    // To exchange and forget is to store.
    if (op === "swap") return [fetch];
    return [fetch, {
      name: batchName(op),
      step: (at) => `(drop ${update(type, op, at, value)}) ${nextValue}`,
      stepOfOne: (at) => `(drop ${update(type, op, at, "(local.get $one)")})`,
      atomic: true,
    }];
  };
  return [
    ...changesOf(type).flatMap(change),
    {
      name: "batchStore",
      step: (at) => `${atomicStoreBits(type, at, toBits(type, value))} ${nextValue}`,
      atomic: true,
    },
    {
      name: "batchCas",
      step: (at) => `${keep(compareAndSwap(type, at, value, replacement))} ${nextValue}`,
      atomic: true,
    },
    {
      name: "gather",
      step: (at) => keep(load(type, at)),
      ...(type.bytes === 8 ? { pair: getPair } : {}),
      atomic: false,
    },
    {
      name: "scatter",
      step: (at) => `${store(type, at, value)} ${nextValue}`,
      atomic: false,
    },
  ];
}

/**
 * Kernel source for lists of indices into elements of a type.
 *
 * @param type The element type.
 * @param width The address width of the memory.
 * @returns WAT with the pseudo-type `addr`.
 */
export function batchSource(type: KernelType, width: AddressWidth): string {
  return kernelsOf(type).map((kernel) => batchKernel(kernel, type, width)).join("\n");
}
