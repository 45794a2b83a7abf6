/**
 * One collective of the PEs of a world or a team: what it was called with becomes bytes or
 * elements, and what comes becomes values.
 *
 * @module
 */

import {
  type Collective,
  CollectiveHandle,
  type CollectiveKind,
  exchange,
  isOfNumbers,
  type PeGroup,
  reduceNumber,
  spread,
} from "../lamellae/mod.ts";
import {
  ElementCollectives,
  type Elements,
  elementsOf,
  keepUsed,
  MemoryRegion,
  operationFor,
  rangeOf,
  shapeOf,
  type Target,
} from "../memregion/mod.ts";
import {
  type Arrival,
  arrivalOf,
  type Contribution,
  contributionOf,
  contributionsOf,
  elementContribution,
  tellSent,
} from "./contributions.ts";
import type { WorldCore } from "./core.ts";
import {
  type Combine,
  foldInOrder,
  isLocating,
  locate,
  locateEach,
  type LocatingName,
  type OperatorName,
} from "./operators.ts";
import { reducibleOf } from "./reducible.ts";

/** Where a result goes. */
interface Into {
  readonly into?: unknown;
}

/** Makes the result of what has come. */
type Finish = (arrivals: readonly Arrival[]) => unknown;

/** A collective that is being called. */
export class CollectiveRun {
  /** This PE's place in the group. */
  readonly me: number;
  readonly #core: WorldCore;
  readonly #group: PeGroup;
  readonly #kind: CollectiveKind;

  /**
   * @param core What every object of the world shares.
   * @param group The PEs.
   * @param kind What the user called.
   */
  constructor(core: WorldCore, group: PeGroup, kind: CollectiveKind) {
    this.#core = core;
    this.#group = group;
    this.#kind = kind;
    this.me = group.me;
  }

  /**
   * What this PE has for each PE.
   *
   * @param values A list with a value for each, or an array to be cut.
   * @returns It, as bytes.
   * @throws {TypeError} If it is not a list, or a value cannot be sent.
   * @throws {RangeError} If there is not one for each PE.
   */
  parts(values: unknown): Contribution[] {
    const op = this.#kind;
    const { length } = this.#group.pes;
    const elements = elementsOf(values, op);
    if (elements) return cut(elements, length, op).map(elementContribution);
    if (!Array.isArray(values)) {
      throw new TypeError(`Cannot call ${op}: it takes a list with a value for each PE`);
    }
    if (values.length === length) return contributionsOf(values, op);
    throw new RangeError(`Cannot call ${op} with ${values.length} values for ${length} PEs`);
  }

  /**
   * Everybody, or one PE, gets what each PE contributes.
   *
   * @param args The arguments as text.
   * @param mine What this PE contributes, if it does.
   * @param reader The place that gets it; undefined if all do.
   * @param finish Makes the result.
   * @returns A handle for the result; null on a PE that gets nothing.
   */
  spread<T>(
    args: string,
    mine: Contribution | undefined,
    reader: number | undefined,
    finish: Finish,
  ): CollectiveHandle<T> {
    const { pes } = this.#group;
    const arrivals: Arrival[] = [];
    if (mine) this.#tell(mine, reader === undefined ? pes : [pes[reader]!]);
    const transfer = spread({
      source: mine?.bytes ?? new Uint8Array(0),
      meaning: mine?.meaning ?? 0,
      reader,
      me: this.me,
      targetOf: (place, length, meaning) => this.#arrive(arrivals, place, length, meaning),
    });
    const collective = this.#transfers.call(this.#group, this.#kind, args, transfer);
    const gets = reader === undefined || reader === this.me;
    keepUntilOver(collective, [mine]);
    return new CollectiveHandle(collective, () => (gets ? finish(arrivals) : null) as T);
  }

  #tell(contribution: Contribution, pes: readonly number[]): void {
    tellSent(contribution, pes, this.#core.lamella.session);
  }

  /**
   * Each PE gets a part of what each PE contributes.
   *
   * @param args The arguments as text.
   * @param parts What this PE has for each, if it has anything.
   * @param finish Makes the result.
   * @returns A handle for the result.
   */
  exchange<T>(
    args: string,
    parts: readonly Contribution[] | undefined,
    finish: Finish,
  ): CollectiveHandle<T> {
    const arrivals: Arrival[] = [];
    parts?.forEach((part, place) => this.#tell(part, [this.#group.pes[place]!]));
    const transfer = exchange({
      parts: parts?.map(({ bytes }) => bytes),
      meaning: parts?.[0]?.meaning ?? 0,
      me: this.me,
      targetOf: (place, length, meaning) => this.#arrive(arrivals, place, length, meaning),
    });
    const collective = this.#transfers.call(this.#group, this.#kind, args, transfer);
    keepUntilOver(collective, parts ?? []);
    return new CollectiveHandle(collective, () => finish(arrivals) as T);
  }

  /**
   * Combines what all PEs contribute.
   *
   * @param value What this PE contributes.
   * @param op The operator.
   * @param options Where the result goes.
   * @param root The place that gets it; undefined if all do.
   * @returns A handle for the result; null on a PE that does not get it.
   */
  reduce<T>(
    value: unknown,
    op: unknown,
    options: Into,
    root: number | undefined,
  ): CollectiveHandle<T> {
    const kind = this.#kind;
    if (typeof op === "function" || isLocating(op)) {
      return this.#reduceValues(value, op as Combine<unknown> | LocatingName, options, root);
    }
    if (typeof value === "number" && !options.into && isOfNumbers(op as string)) {
      return this.#reduceNumber(value, op as "sum", root) as CollectiveHandle<T>;
    }
    const { elements, give } = reducibleOf(value, op as OperatorName, kind);
    const operation = operationFor(op, elements.info, kind);
    const target = targetOf(options, elements.info.memory, elements.length, kind);
    return this.#elements.reduce(kind, elements, operation, root, target)
      .mapped((result) => (result === null ? null : give(result)) as T);
  }

  /** By a function, or so that the PE is told that has the value. */
  #reduceValues<T>(
    value: unknown,
    op: Combine<unknown> | LocatingName,
    options: Into,
    root: number | undefined,
  ): CollectiveHandle<T> {
    const kind = this.#kind;
    if (options.into !== undefined) {
      throw new TypeError(`Cannot call ${kind} into something but with "sum" and the like`);
    }
    const at = root === undefined ? "" : `, PE ${root}`;
    if (typeof op === "function") {
      const mine = contributionOf(value, kind);
      return this.spread(`a function${at}`, mine, root, (all) => foldInOrder(giveAll(all), op));
    }
    const { elements } = reducibleOf(value, "min", kind);
    operationFor("min", elements.info, kind);
    if (elements.info.kind === "bigint" || typeof value === "bigint") {
      throw new TypeError(`Cannot call ${kind} with "${op}" for ${elements.info.type}`);
    }
    const args = `${op}, ${shapeOf(elements)}${at}`;
    return this.spread(args, contributionOf(value, kind), root, (arrivals) => {
      const values = giveAll(arrivals);
      return elements.single
        ? locate(values as number[], op)
        : locateEach(values as Float64Array[], op);
    });
  }

  #reduceNumber(
    value: number,
    operator: "sum" | "prod" | "min" | "max",
    root: number | undefined,
  ): CollectiveHandle<unknown> {
    const args = root === undefined ? `${operator}, f64` : `${operator}, f64, PE ${root}`;
    const reduction = { kind: this.#kind, args, operator, value };
    const handle = reduceNumber(this.#transfers, this.#group, reduction);
    return root === undefined || root === this.me ? handle : handle.mapped(() => null);
  }

  /**
   * Combines what all PEs contribute, and gives each PE a range of the result.
   *
   * @param value What this PE contributes.
   * @param op The operator.
   * @param options How many elements each PE gets, and where they go.
   * @returns A handle for the range of this PE.
   */
  reduceScatter<T>(
    value: unknown,
    op: OperatorName,
    options: { readonly counts?: readonly number[] } & Into,
  ): CollectiveHandle<T> {
    const kind = this.#kind;
    const { pes } = this.#group;
    const { elements } = reducibleOf(value, op, kind);
    const { length } = elements;
    const counts = options.counts ?? pes.map(() => length / pes.length);
    const fit = counts.length === pes.length &&
      counts.every((count) => Number.isSafeInteger(count) && count >= 0) &&
      counts.reduce((sum, count) => sum + count, 0) === length;
    if (!fit) {
      throw new RangeError(
        `Cannot call ${kind} for ${length} elements and ${pes.length} PEs with the counts ` +
          counts.join(", "),
      );
    }
    const operation = operationFor(op, elements.info, kind);
    const target = targetOf(options, elements.info.memory, counts[this.me]!, kind);
    return this.#elements.reduceScatter(elements, operation, counts, target) as never;
  }

  /**
   * Combines what the first PEs contribute.
   *
   * @param value What this PE contributes.
   * @param op The operator.
   * @param options Where the result goes.
   * @param count How many PEs.
   * @returns A handle for the result.
   */
  scan<T>(value: unknown, op: unknown, options: Into, count: number): CollectiveHandle<T> {
    const kind = this.#kind as "scan" | "exscan";
    if (typeof op === "function") {
      return this.spread("a function", contributionOf(value, kind), undefined, (arrivals) => {
        const values = giveAll(arrivals).slice(0, count);
        return values.length === 0 ? undefined : foldInOrder(values, op as Combine<unknown>);
      });
    }
    const { elements, give } = reducibleOf(value, op as OperatorName, kind);
    const operation = operationFor(op, elements.info, kind);
    const target = targetOf(options, elements.info.memory, elements.length, kind);
    return this.#elements.scan(kind, elements, operation, target)
      .mapped((result) => give(result) as T);
  }

  get #transfers(): WorldCore["groups"]["transfers"] {
    return this.#core.groups.transfers;
  }

  get #elements(): ElementCollectives {
    return new ElementCollectives(this.#transfers, this.#group);
  }

  #arrive(arrivals: Arrival[], place: number, length: number, meaning: number): Uint8Array {
    const arrival = arrivalOf(meaning, length, this.#core.engine);
    arrivals[place] = arrival;
    return arrival.bytes;
  }
}

/**
 * @param arrivals What has come.
 * @returns The values.
 */
export function giveAll(arrivals: readonly Arrival[]): unknown[] {
  return arrivals.map(({ give }) => give());
}

/** Keeps the regions that a collective reads, though the program may dispose of them before. */
function keepUntilOver(collective: Collective, used: readonly (Contribution | undefined)[]): void {
  const giveBack = keepUsed(used);
  if (giveBack) collective.onOver(giveBack);
}

/** Pieces of elements, all of the same length. */
function cut(elements: Elements, pieces: number, op: string): Elements[] {
  const length = elements.length / pieces;
  if (Number.isInteger(length)) {
    return Array.from({ length: pieces }, (_, i) => rangeOf(elements, i * length, length));
  }
  throw new RangeError(
    `Cannot call ${op} with ${elements.length} elements for ${pieces} PEs: all pieces have the ` +
      "same length",
  );
}

function targetOf(
  { into }: Into,
  type: string,
  length: number,
  op: string,
): Target | undefined {
  if (into === undefined) return undefined;
  const elements = elementsOf(into, op);
  if (elements?.info.memory !== type) {
    throw new TypeError(`Cannot call ${op} into what does not hold ${type}`);
  }
  if (elements.length === length) {
    return { elements, value: into instanceof MemoryRegion ? into.asSlice() : into };
  }
  throw new RangeError(
    `Cannot call ${op} into ${elements.length} elements: the result has ${length}`,
  );
}
