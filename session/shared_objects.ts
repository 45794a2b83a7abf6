/**
 * What the PEs of a session make for its program: regions, arrays and Darcs, of which the program
 * gets a handle. When it gives that back, the PEs give up theirs.
 *
 * @module
 */

import { MultiAmHandle } from "../am/mod.ts";
import {
  ARRAY_KINDS,
  type ArrayKind,
  type AtomicArray,
  checkDistribution,
  checkLength,
  type GlobalLockArray,
  type LocalLockArray,
  type ReadOnlyArray,
  receiveArray,
  recordTypeOf,
  type UnsafeArray,
} from "../array/mod.ts";
import {
  type Darc,
  DARC_KINDS,
  type GlobalRwDarc,
  type LocalRwDarc,
  referenceOf,
  spaceOf,
  type TeamObject,
} from "../darc/mod.ts";
import type { DistributionKind } from "../internal/distribution.ts";
import { elementInfo, type ElementType, type ElementTypeLike } from "../internal/elements.ts";
import type { AnyElement, SharedMemoryRegion } from "../memregion/mod.ts";
import { makingDarc } from "./in_turn.ts";
import type { SessionLink } from "./link.ts";

/**
 * The types of arrays by their names.
 *
 * @category Sessions
 */
export interface ArraysByName<E extends AnyElement> {
  /** Nothing protects its elements. */
  readonly UnsafeArray: UnsafeArray<E>;
  /** It is only read. */
  readonly ReadOnlyArray: ReadOnlyArray<E>;
  /** Its elements are used atomically. */
  readonly AtomicArray: AtomicArray<E>;
  /** It has a lock for the elements of each PE. */
  readonly LocalLockArray: LocalLockArray<E>;
  /** It has one lock. */
  readonly GlobalLockArray: GlobalLockArray<E>;
}

/**
 * The kinds of Darcs by their names.
 *
 * @category Sessions
 */
export interface DarcsByName<T> {
  /** Each PE uses its instance as it likes. */
  readonly Darc: Darc<T>;
  /** Each instance has a lock. */
  readonly LocalRwDarc: LocalRwDarc<T>;
  /** All instances have one lock. */
  readonly GlobalRwDarc: GlobalRwDarc<T>;
}

/** Has the PEs of a session make what they share with its program. */
export class SharedObjects {
  readonly #link: SessionLink;

  /**
   * @param link The link to the PEs.
   */
  constructor(link: SessionLink) {
    this.#link = link;
  }

  /**
   * @param type The element type.
   * @param length Elements on each PE.
   * @returns A region.
   */
  async region<E extends ElementType>(
    type: ElementTypeLike<E>,
    length: number,
  ): Promise<SharedMemoryRegion<E>> {
    this.#tellReleases();
    const { regions } = this.#link.core;
    const info = regions.check(type, length);
    const request = this.#link.nextRequest();
    const message = { kind: "allocate", request, type: info.type, length } as const;
    const numbers = await this.#link.ask("allocSharedMemRegion", request, message);
    const region = regions.adoptShared(numbers, () => this.#release(request));
    return region as unknown as SharedMemoryRegion<E>;
  }

  /**
   * @param kind The type of the array.
   * @param type The element type.
   * @param length Elements on all PEs.
   * @param distribution How they are distributed.
   * @returns An array.
   */
  async array<K extends ArrayKind, E extends AnyElement>(
    kind: K,
    type: ElementTypeLike<E>,
    length: number,
    distribution: DistributionKind,
  ): Promise<ArraysByName<E>[K]> {
    const op = "createArray";
    if (!ARRAY_KINDS.includes(kind)) refuseKind(op, kind, ARRAY_KINDS);
    checkLength(op, length);
    checkDistribution(op, distribution);
    this.#tellReleases();
    const records = recordTypeOf(type);
    const request = this.#link.nextRequest();
    const numbers = await this.#link.ask(op, request, {
      kind: "array",
      request,
      arrayKind: kind,
      type: records?.elementName ?? elementInfo(type as ElementTypeLike<ElementType>).type,
      isRecords: records !== undefined,
      length,
      distribution,
    });
    const array = receiveArray(this.#link.core, numbers);
    this.#releaseWith(array, request);
    return array as unknown as ArraysByName<E>[K];
  }

  /**
   * @param kind The kind of the Darc.
   * @param value A closure that gives the instance of a PE.
   * @param captures What it is called with.
   * @returns The Darc.
   */
  async darc(
    kind: keyof DarcsByName<unknown>,
    // deno-lint-ignore ban-types -- the session's signature checks that the captures fit
    value: Function,
    captures: readonly unknown[],
  ): Promise<unknown> {
    const op = "createDarc";
    const { core } = this.#link;
    this.#link.check(op, core.root.pes.length);
    if (!DARC_KINDS.includes(kind)) refuseKind(op, kind, DARC_KINDS);
    this.#link.checkClosures(op);
    if (typeof value !== "function") {
      throw new TypeError(
        `Cannot call createDarc with ${Deno.inspect(value)}: give a closure that makes the ` +
          "instance of a PE",
      );
    }
    if (!Array.isArray(captures)) {
      throw new TypeError("Cannot call createDarc: its captures must be an array");
    }
    this.#tellReleases();
    const request = this.#link.nextRequest();
    const given = [...captures, kind, request];
    const closure = makingDarc(value, captures.length);
    const made = core.engine.launchClosureAll(core.root.pes, closure, given);
    const all = new MultiAmHandle<unknown>(made);
    const [darc] = await this.#link.reportingSlow(op, all);
    this.#releaseWith(darc as TeamObject, request);
    return darc;
  }

  /**
   * Has the PEs give up what they made once this program has no handle of it any more.
   *
   * @param object A handle.
   * @param request The request by which they made it.
   */
  #releaseWith(object: TeamObject, request: number): void {
    const space = spaceOf(this.#link.core);
    space.whenLeft(referenceOf(object).record, () => this.#release(request));
  }

  /** What this program has given up makes room for what follows. */
  #tellReleases(): void {
    spaceOf(this.#link.core).step();
  }

  #release(request: number): void {
    if (this.#link.stopped === undefined) this.#link.tell({ kind: "release", request });
  }
}

/**
 * Refuses what is not one of the kinds that there are.
 *
 * @param op What the user called.
 * @param kind What was given.
 * @param kinds What there is.
 */
function refuseKind(op: string, kind: unknown, kinds: readonly string[]): never {
  throw new TypeError(
    `Cannot call ${op} for ${Deno.inspect(kind)}: there are ${
      kinds.map((one) => JSON.stringify(one)).join(", ")
    }`,
  );
}
