/**
 * Combining rows of elements by an operation. The order is always the same: first the PEs of each
 * host in the order of the group, then the hosts. So results have the same bits in every run, and
 * on every PE, if the number of PEs, where they are and the length are the same.
 *
 * @module
 */

import { SCRATCH_LANE_BYTES } from "../../internal/collective_area.ts";
import type { ElementOpInfo } from "../../internal/element_ops.ts";
import type { ElementInfo } from "../../internal/elements.ts";
import type { RowKernel } from "../../internal/kernels_element.ts";
import type { Lamella } from "../lamella.ts";
import type { Hosts } from "./hosts.ts";

const known = new WeakMap<Lamella, Map<string, Folding>>();

/**
 * @param lamella The memory.
 * @param info The element type.
 * @param op A reduction that the type has.
 * @returns What combines such elements.
 */
export function foldingOf(lamella: Lamella, info: ElementInfo, op: ElementOpInfo): Folding {
  let all = known.get(lamella);
  if (!all) known.set(lamella, all = new Map());
  const name = `${op.name} ${info.memory}`;
  let folding = all.get(name);
  if (!folding) all.set(name, folding = new Folding(lamella, info, op));
  return folding;
}

/** Combines elements of one type by one operation. */
export class Folding {
  /** Bytes of an element. */
  readonly elementBytes: number;
  readonly #lamella: Lamella;
  readonly #row: RowKernel;

  /**
   * @param lamella The memory.
   * @param info The element type.
   * @param op A reduction that the type has.
   */
  constructor(lamella: Lamella, info: ElementInfo, op: ElementOpInfo) {
    this.elementBytes = info.bytes;
    this.#lamella = lamella;
    const kernels = lamella.kernels.of(info.memory) as unknown as Record<string, RowKernel>;
    this.#row = kernels[op.reduction!.kernel]!;
  }

  /**
   * Combines rows in their order.
   *
   * @param to The address of the result; that of the first row is allowed.
   * @param rows The addresses of the rows.
   * @param count Elements of each.
   */
  fold(to: number, rows: readonly number[], count: number): void {
    const [first, second] = rows;
    if (second === undefined) {
      if (to !== first) this.#lamella.kernels.copy(to, first!, count * this.elementBytes);
      return;
    }
    this.#row(to, first!, second, count);
    for (let i = 2; i < rows.length; i++) this.#row(to, to, rows[i]!, count);
  }

  /**
   * Combines what all PEs contribute, in memory of its own.
   *
   * @param all What each place contributes; all have the same length.
   * @param hosts Which places share a host; undefined to combine all in their order.
   * @returns The result.
   */
  reduceHere(all: readonly Uint8Array[], hosts: Hosts | undefined): Uint8Array {
    const result = new Uint8Array(all[0]!.length);
    const { collectiveOffset, pe, views } = this.#lamella;
    const total = this.#lamella.address(pe, collectiveOffset);
    const groups = hosts?.all ?? [all.map((_, place) => place)];
    for (let at = 0; at < result.length; at += SCRATCH_LANE_BYTES) {
      const end = Math.min(result.length, at + SCRATCH_LANE_BYTES);
      groups.forEach((places, i) => {
        const partial = i === 0 ? total : total + SCRATCH_LANE_BYTES;
        places.forEach((place, j) =>
          this.#include(partial, all[place]!.subarray(at, end), j === 0)
        );
        if (i > 0) this.#row(total, total, partial, (end - at) / this.elementBytes);
      });
      result.set(views.u8.subarray(total, total + end - at), at);
    }
    return result;
  }

  #include(to: number, bytes: Uint8Array, isFirst: boolean): void {
    const { collectiveOffset, pe, views } = this.#lamella;
    const operand = this.#lamella.address(pe, collectiveOffset) + 2 * SCRATCH_LANE_BYTES;
    views.u8.set(bytes, isFirst ? to : operand);
    if (!isFirst) this.#row(to, to, operand, bytes.length / this.elementBytes);
  }
}
