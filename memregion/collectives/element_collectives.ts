/**
 * Collectives over elements: what a world, a team and regions call.
 *
 * @module
 */

import { type ElementOpInfo, identityOf, opsOf } from "../../internal/element_ops.ts";
import type { ElementInfo, TypedArrayClass } from "../../internal/elements.ts";
import {
  CollectiveHandle,
  type CollectiveKind,
  exchange,
  type PeGroup,
  prefix,
  reduction,
  spread,
  type Transfer,
  type Transfers,
} from "../../lamellae/mod.ts";
import { copyOf, type Elements, newElements, overlap, rangeOf, shapeOf } from "./elements.ts";
import { keepUsed } from "./keeping.ts";

/** Where a result goes: elements in memory, and what the user gets for them. */
interface Result {
  readonly elements: Elements;
  /** Gives the result, once it is complete. */
  readonly give: () => unknown;
}

/** The target that a user named. */
export interface Target {
  readonly elements: Elements;
  /** What the user gets when it is filled. */
  readonly value: unknown;
}

/** The collectives over elements of a group of PEs. */
export class ElementCollectives {
  readonly #transfers: Transfers;
  readonly #group: PeGroup;

  /**
   * @param transfers What moves the data.
   * @param group The PEs.
   */
  constructor(transfers: Transfers, group: PeGroup) {
    this.#transfers = transfers;
    this.#group = group;
  }

  /**
   * Combines what all PEs contribute, element by element.
   *
   * @param kind What the user called.
   * @param source What this PE contributes.
   * @param op The operation.
   * @param root The place that gets the result; all if left out.
   * @param target Where it goes; a new array if left out.
   * @returns A handle for the result; null on a PE that does not get it.
   */
  reduce(
    kind: CollectiveKind,
    source: Elements,
    op: ElementOpInfo,
    root?: number,
    target?: Target,
  ): CollectiveHandle<unknown> {
    const { me } = this.#group;
    const { info, length, bytes } = source;
    const gets = root === undefined || root === me;
    const same = target?.elements.bytes.byteOffset === bytes.byteOffset;
    const result = gets ? resultFor(info, length, target, same ? undefined : bytes) : undefined;
    const transfer = reduction(this.#transfers.lamella, {
      info,
      op,
      source: bytes,
      target: result?.elements.bytes,
      to: root ?? "all",
      me,
    });
    const args = `${op.reduction!.name}, ${shapeOf(source)}${placeText(root)}`;
    const used = [source, target?.elements];
    return this.#handle(kind, args, used, transfer, () => result ? result.give() : null);
  }

  /**
   * Combines what all PEs contribute, element by element, and gives each PE a range of the result.
   *
   * @param source What this PE contributes.
   * @param op The operation.
   * @param counts Elements of each range, in the order of the PEs.
   * @param target Where this PE's range goes; a new array if left out.
   * @returns A handle for the range.
   */
  reduceScatter(
    source: Elements,
    op: ElementOpInfo,
    counts: readonly number[],
    target?: Target,
  ): CollectiveHandle<unknown> {
    const { me } = this.#group;
    const { info, bytes } = source;
    const result = resultFor(info, counts[me]!, target, bytes);
    const transfer = reduction(this.#transfers.lamella, {
      info,
      op,
      source: bytes,
      target: result.elements.bytes,
      to: counts,
      me,
    });
    const args = `${op.reduction!.name}, ${shapeOf(source)}, counts ${counts.join(" ")}`;
    return this.#handle("reduceScatter", args, [source, target?.elements], transfer, result.give);
  }

  /**
   * Combines what the PEs up to this one contribute, element by element.
   *
   * @param kind `scan` with this PE, `exscan` without it.
   * @param source What this PE contributes.
   * @param op The operation.
   * @param target Where the result goes; a new array if left out.
   * @returns A handle for the result; what changes nothing where there is no PE to combine.
   */
  scan(
    kind: "scan" | "exscan",
    source: Elements,
    op: ElementOpInfo,
    target?: Target,
  ): CollectiveHandle<unknown> {
    const { me } = this.#group;
    const { info, length, bytes } = source;
    const upTo = kind === "scan" ? me : me - 1;
    const result = resultFor(info, length, target, bytes);
    const transfer = prefix(this.#transfers.lamella, {
      info,
      op,
      source: bytes,
      target: result.elements.bytes,
      upTo,
    });
    const args = `${op.reduction!.name}, ${shapeOf(source)}`;
    return this.#handle(kind, args, [source, target?.elements], transfer, () => {
      if (upTo < 0) fillWith(result.elements, identityOf(op, info));
      return result.give();
    });
  }

  /**
   * Copies what one PE has to all others, in place.
   *
   * @param elements What the root gives and the others get.
   * @param root The place that has it.
   * @returns A handle.
   */
  broadcast(elements: Elements, root: number): CollectiveHandle<void> {
    const { me } = this.#group;
    const { bytes } = elements;
    const transfer = spread({
      source: me === root ? bytes : new Uint8Array(0),
      meaning: 0,
      reader: undefined,
      me,
      targetOf: (place) => place === root && me !== root ? bytes : undefined,
    });
    const args = `${shapeOf(elements)}${placeText(root)}`;
    return this.#handle("broadcast", args, [elements], transfer, () => {});
  }

  /**
   * Collects what all PEs contribute, of the same length, in the order of the PEs.
   *
   * @param kind What the user called.
   * @param source What this PE contributes.
   * @param root The place that gets it; all if left out.
   * @param target Where it goes; a new array if left out.
   * @returns A handle for the result; null on a PE that does not get it.
   */
  gather(
    kind: "gather" | "allGather",
    source: Elements,
    root?: number,
    target?: Target,
  ): CollectiveHandle<unknown> {
    const { me, pes } = this.#group;
    const { info, length, bytes } = source;
    const result = root === undefined || root === me
      ? resultFor(info, length * pes.length, target, bytes)
      : undefined;
    const transfer = spread({
      source: bytes,
      meaning: 0,
      reader: root,
      me,
      targetOf: (place) => rangeOf(result!.elements, place * length, length).bytes,
    });
    const args = `${shapeOf(source)}${placeText(root)}`;
    const used = [source, target?.elements];
    return this.#handle(kind, args, used, transfer, () => result ? result.give() : null);
  }

  /**
   * Gives each PE a part of what each PE contributes, all of the same length.
   *
   * @param kind What the user called.
   * @param source What this PE contributes: a part for each PE.
   * @param root The only place that contributes; all if left out.
   * @param target Where what this PE gets goes; a new array if left out.
   * @returns A handle for what this PE gets, in the order of the PEs.
   */
  exchange(
    kind: "scatter" | "allToAll",
    source: Elements,
    root?: number,
    target?: Target,
  ): CollectiveHandle<unknown> {
    const { me, pes } = this.#group;
    const count = source.length / pes.length;
    const result = resultFor(
      source.info,
      root === undefined ? source.length : count,
      target,
      source.bytes,
    );
    const gives = root === undefined || root === me;
    const transfer = exchange({
      parts: gives ? pes.map((_, place) => rangeOf(source, place * count, count).bytes) : undefined,
      meaning: 0,
      me,
      targetOf(place) {
        if (root === undefined) return rangeOf(result.elements, place * count, count).bytes;
        return place === root ? result.elements.bytes : new Uint8Array(0);
      },
    });
    const args = `${shapeOf(source)}${placeText(root)}`;
    return this.#handle(kind, args, [source, target?.elements], transfer, result.give);
  }

  #handle<T>(
    kind: CollectiveKind,
    args: string,
    used: readonly (Elements | undefined)[],
    transfer: Transfer,
    finish: () => T,
  ): CollectiveHandle<T> {
    const collective = this.#transfers.call(this.#group, kind, args, transfer);
    const handle = new CollectiveHandle(collective, finish);
    const giveBack = keepUsed(used);
    // What is filled may be gone by the time that the program looks at the result.
    return giveBack ? handle.eagerly(giveBack) : handle;
  }
}

/**
 * Looks up an operation.
 *
 * @param name Its name, as the user gave it.
 * @param info The element type.
 * @param kind What the user called.
 * @returns The operation.
 * @throws {TypeError} If there is none of the name, or the type does not have it.
 */
export function operationFor(name: unknown, info: ElementInfo, kind: string): ElementOpInfo {
  let ops = OPERATIONS.get(info);
  if (!ops) {
    const all = opsOf(info).filter(({ reduction }) => reduction);
    OPERATIONS.set(info, ops = new Map(all.map((op) => [op.reduction!.name, op])));
  }
  const op = ops.get(name);
  if (op) return op;
  const names = [...ops.keys()].map((name) => `"${name}"`);
  const given = typeof name === "string" ? `"${name}"` : typeof name;
  throw new TypeError(
    `Cannot call ${kind} with ${given} for ${info.type}: the operators are ${names.join(", ")}`,
  );
}

/** By element type, the reductions that it has, by the names that users give. */
const OPERATIONS = new Map<ElementInfo, Map<unknown, ElementOpInfo>>();

/** Where a result goes; not straight to the target if others read from that memory meanwhile. */
function resultFor(
  info: ElementInfo,
  length: number,
  target: Target | undefined,
  read: Uint8Array | undefined,
): Result {
  if (!target) {
    const elements = newElements(info, length);
    return { elements, give: () => copyOf(elements) };
  }
  const { elements, value } = target;
  if (!read || !overlap(elements.bytes, read)) return { elements, give: () => value };
  const aside = newElements(info, length);
  return {
    elements: aside,
    give() {
      elements.bytes.set(aside.bytes);
      return value;
    },
  };
}

function placeText(place: number | undefined): string {
  return place === undefined ? "" : `, PE ${place}`;
}

function fillWith({ info, length, bytes }: Elements, value: number | bigint): void {
  const arrayClass = info.arrayClass as TypedArrayClass<unknown>;
  const array = new arrayClass(bytes.buffer, bytes.byteOffset, length);
  const element = typeof new info.arrayClass(1)[0] === "bigint" ? BigInt(value) : Number(value);
  for (let i = 0; i < length; i++) array[i] = element;
}
