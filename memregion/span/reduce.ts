/**
 * Reductions of the elements of a span: those of a part in fixed rows, and then what came of the
 * parts, always in the same order. So floats give the same bits whoever asks, and wherever parts
 * are.
 *
 * @module
 */

import { type ElementOpInfo, opsOf } from "../../internal/element_ops.ts";
import type { RowKernel } from "../../internal/kernels_element.ts";
import { lanePlace } from "../../internal/staging.ts";
import type { TypedArrayLike } from "../../internal/elements.ts";
import { refuseClosed, refuseOperation } from "../memory/refusals.ts";
import type { RegionMemory } from "../memory/region_memory.ts";

/** Elements of a row: it stays in a first-level cache while others are added to it. */
const ROW = 1024;
/** The lane of the staging area in which rows are reduced. */
const LANE = 2;

/** An element as memory has it. */
export type RawElement = number | bigint;

/** Reduces elements of a span by one operation. */
export class SpanReduction<V> {
  readonly #memory: RegionMemory<V>;
  readonly #row: RowKernel;
  /** Where rows are reduced. */
  readonly #at: number;
  readonly #name: string;

  /**
   * @param memory The memory of the span.
   * @param name What the reduction is called.
   * @param op The operation.
   * @throws {TypeError} If the element type does not have it.
   */
  constructor(memory: RegionMemory<V>, name: string, op: ElementOpInfo) {
    const { access: { info }, space: { lamella } } = memory;
    if (!opsOf(info).includes(op)) refuseOperation(memory, name, op.domain);
    const kernels = lamella.kernels.of(info.memory) as unknown as Record<string, RowKernel>;
    this.#memory = memory;
    this.#name = name;
    this.#row = kernels[op.reduction!.kernel]!;
    this.#at = lamella.staging + lanePlace(lamella.numPes, LANE);
  }

  /**
   * Reduces the elements of a near part.
   *
   * @param part The part.
   * @returns What comes of them; undefined if there are none.
   */
  part(part: number): RawElement | undefined {
    const { access: { info: { bytes } }, allocation, distribution, space, start } = this.#memory;
    if (allocation.closed) refuseClosed(this.#memory, `${this.#name} in`);
    const { place, count } = distribution.inPart(part);
    if (count === 0) return undefined;
    const from = allocation.addresses[part]! + (start + place) * bytes;
    const first = Math.min(ROW, count);
    space.lamella.kernels.copy(this.#at, from, first * bytes);
    for (let i = first; i < count; i += ROW) {
      this.#row(this.#at, this.#at, from + i * bytes, Math.min(ROW, count - i));
    }
    return this.#fold(first);
  }

  /**
   * Reduces what came of the parts.
   *
   * @param raws It, in the order of the parts.
   * @returns The result; undefined if there is nothing.
   * @throws {RangeError} If no number holds it exactly.
   */
  all(raws: readonly RawElement[]): V | undefined {
    if (raws.length === 0) return undefined;
    const { access } = this.#memory;
    const cells = access.far.arrayOver(
      this.#memory.space.lamella.views.u8,
      this.#at,
      ROW,
    ) as TypedArrayLike<RawElement>;
    let total = raws[0]!;
    for (let i = 1; i < raws.length; i += ROW - 1) {
      const some = raws.slice(i, i + ROW - 1);
      cells[0] = total;
      some.forEach((raw, at) => cells[at + 1] = raw);
      total = this.#fold(some.length + 1);
    }
    if (access.info.kind === "boolean") return (total !== 0) as V;
    if (access.info.kind !== "exact") return total as V;
    if (Number.isSafeInteger(Number(total))) return Number(total) as V;
    throw new RangeError(
      `Cannot ${this.#name} in ${
        this.#memory.shape!.label
      }: the result ${total} is beyond what a ` +
        `number holds exactly; use big${access.info.type}`,
    );
  }

  /** Halves the row until one element is left: a tree that depends on the length only. */
  #fold(count: number): RawElement {
    const { bytes } = this.#memory.access.info;
    for (let left = count; left > 1;) {
      const half = left >>> 1;
      left -= half;
      this.#row(this.#at, this.#at, this.#at + left * bytes, half);
    }
    const { lamella } = this.#memory.space;
    const view = lamella.views[this.#memory.access.info.memory] as unknown as TypedArrayLike<
      RawElement
    >;
    return view[this.#at / bytes]!;
  }
}
