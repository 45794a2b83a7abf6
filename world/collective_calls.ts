/**
 * The collectives of the PEs of a world or a team that move or combine values.
 *
 * @module
 */

import type { CollectiveHandle, CollectiveKind, PeGroup } from "../lamellae/mod.ts";
import type { ElementSlice, ElementType } from "../memregion/mod.ts";
import { IdError } from "./arch.ts";
import { CollectiveRun, giveAll } from "./collective_run.ts";
import { contributionOf } from "./contributions.ts";
import type { WorldCore } from "./core.ts";
import type { Combine, Located, LocatedEach, LocatingName, OperatorName } from "./operators.ts";
import type { Collected, Reducible, ReducibleArray, ReducibleRegion } from "./reducible.ts";
import type { TeamParent } from "./teams.ts";

/**
 * Which PE a collective begins or ends at.
 *
 * @category Collectives
 */
export interface RootOptions {
  /** The PE, by its number in the world or the team; 0 if left out. */
  readonly root?: number;
}

/**
 * Where the result of a reduction goes.
 *
 * @category Collectives
 */
export interface IntoOptions {
  /**
   * A typed array or a region of the same type and length, which is filled. The result is the
   * array, or the view of the region's elements. It may be what this PE contributes itself. If left
   * out, the result is a new array.
   */
  readonly into?: ElementSlice<ElementType> | ReducibleRegion;
}

/**
 * The collectives of the PEs of a world or of a team.
 *
 * @category Collectives
 */
export abstract class CollectiveCalls {
  /**
   * What every object of the world shares.
   *
   * @ignore
   */
  protected readonly core: WorldCore;
  /**
   * The PEs of the team.
   *
   * @ignore
   */
  protected readonly pes: TeamParent;

  /**
   * Programs get a world from a builder.
   *
   * @ignore
   * @param core What every object of the world shares.
   * @param pes The PEs of the team.
   */
  constructor(core: WorldCore, pes: TeamParent) {
    this.core = core;
    this.pes = pes;
  }

  /**
   * Gives every PE the value of one. Collective: all PEs call it, each as its next collective. Only
   * the root's value counts.
   *
   * A typed array arrives as one of its class, and a region as an array of its elements on the
   * root; any other value that MessagePack carries arrives as a copy, on the root too. To send the
   * handle of a region, put it into an object or a list.
   *
   * @param value The value on the root; ignored on other PEs.
   * @param options Which PE has the value.
   * @returns A handle for the value.
   * @throws {TypeError} If the value cannot be sent.
   * @throws {RangeError} If there is no such PE.
   */
  broadcast<T>(value: T, options: RootOptions = {}): CollectiveHandle<Collected<T>> {
    const run = this.#run("broadcast");
    const root = this.#root(options, "broadcast");
    const mine = run.me === root ? contributionOf(value, "broadcast") : undefined;
    return run.spread(`PE ${root}`, mine, undefined, (arrivals) => arrivals[root]!.give());
  }

  /**
   * Collects the values of all PEs on one PE. Collective. Values may be of any kind, as in
   * `broadcast`, and arrays of any lengths.
   *
   * @param value What this PE contributes.
   * @param options Which PE gets the values.
   * @returns A handle for the values in the order of the PEs; null on every other PE.
   * @throws {TypeError} If the value cannot be sent.
   * @throws {RangeError} If there is no such PE.
   */
  gather<T>(value: T, options: RootOptions = {}): CollectiveHandle<Collected<T>[] | null> {
    const run = this.#run("gather");
    const root = this.#root(options, "gather");
    return run.spread(`PE ${root}`, contributionOf(value, "gather"), root, giveAll);
  }

  /**
   * Collects the values of all PEs on every PE. Collective. Values may be of any kind, as in
   * `broadcast`, and arrays of any lengths.
   *
   * @param value What this PE contributes.
   * @returns A handle for the values in the order of the PEs.
   * @throws {TypeError} If the value cannot be sent.
   */
  allGather<T>(value: T): CollectiveHandle<Collected<T>[]> {
    return this.#run("allGather").spread(
      "",
      contributionOf(value, "allGather"),
      undefined,
      giveAll,
    );
  }

  /**
   * Gives each PE one of the values of one PE. Collective. Values may be of any kind, as in
   * `broadcast`, and arrays of any lengths.
   *
   * @param values A value for each PE in their order, on the root; ignored on other PEs. A typed
   * array or a region is cut into as many pieces of the same length.
   * @param options Which PE has the values.
   * @returns A handle for the value of this PE.
   * @throws {TypeError} If a value cannot be sent.
   * @throws {RangeError} If the number of values is wrong, or there is no such PE.
   */
  scatter<A extends ReducibleArray | ReducibleRegion>(
    values: A,
    options?: RootOptions,
  ): CollectiveHandle<Collected<A>>;
  /**
   * Gives each PE one of the values of one PE. Collective.
   *
   * @param values A value for each PE in their order, on the root; ignored on other PEs.
   * @param options Which PE has the values.
   * @returns A handle for the value of this PE.
   */
  scatter<T>(
    values: readonly T[] | undefined,
    options?: RootOptions,
  ): CollectiveHandle<Collected<T>>;
  scatter(values: unknown, options: RootOptions = {}): CollectiveHandle<unknown> {
    const run = this.#run("scatter");
    const root = this.#root(options, "scatter");
    const parts = run.me === root ? run.parts(values) : undefined;
    return run.exchange(`PE ${root}`, parts, (arrivals) => arrivals[root]!.give());
  }

  /**
   * Gives each PE one of the values of each PE. Collective. Values may be of any kind, as in
   * `broadcast`, and arrays of any lengths.
   *
   * @param values A value for each PE, in their order. A typed array or a region is cut into as
   * many pieces of the same length.
   * @returns A handle for the values that the PEs have for this one, in their order.
   * @throws {TypeError} If a value cannot be sent.
   * @throws {RangeError} If the number of values is wrong.
   */
  allToAll<A extends ReducibleArray | ReducibleRegion>(
    values: A,
  ): CollectiveHandle<Collected<A>[]>;
  /**
   * Gives each PE one of the values of each PE. Collective.
   *
   * @param values A value for each PE, in their order.
   * @returns A handle for the values that the PEs have for this one, in their order.
   */
  allToAll<T>(values: readonly T[]): CollectiveHandle<Collected<T>[]>;
  allToAll(values: unknown): CollectiveHandle<unknown> {
    const run = this.#run("allToAll");
    return run.exchange("", run.parts(values), giveAll);
  }

  /**
   * Combines the values of all PEs on one PE. Collective; see `allReduce`.
   *
   * @param value What this PE contributes.
   * @param op The operator.
   * @param options Which PE gets the result, and where it goes.
   * @returns A handle for the result; null on every other PE.
   */
  reduce<V extends Reducible>(
    value: V,
    op: OperatorName,
    options?: RootOptions & IntoOptions,
  ): CollectiveHandle<Collected<V> | null>;
  /**
   * Finds the least or greatest value, and the PE that has it, on one PE. Collective.
   *
   * @param value What this PE contributes.
   * @param op Which.
   * @param options Which PE gets the result.
   * @returns A handle for both; null on every other PE.
   */
  reduce(value: number, op: LocatingName, options?: RootOptions): CollectiveHandle<Located | null>;
  /**
   * Finds the least or greatest of each element, and the PEs that have them, on one PE. Collective.
   *
   * @param value What this PE contributes.
   * @param op Which.
   * @param options Which PE gets the result.
   * @returns A handle for both; null on every other PE.
   */
  reduce(
    value: ReducibleArray,
    op: LocatingName,
    options?: RootOptions,
  ): CollectiveHandle<LocatedEach | null>;
  /**
   * Combines values of any kind by a function, on one PE. Collective; see `allReduce`.
   *
   * @param value What this PE contributes.
   * @param op Combines two values.
   * @param options Which PE gets the result.
   * @returns A handle for the result; null on every other PE.
   */
  reduce<T>(
    value: T,
    op: Combine<Collected<T>>,
    options?: RootOptions,
  ): CollectiveHandle<Collected<T> | null>;
  reduce(
    value: unknown,
    op: unknown,
    options: RootOptions & IntoOptions = {},
  ): CollectiveHandle<unknown> {
    return this.#run("reduce").reduce(value, op, options, this.#root(options, "reduce"));
  }

  /**
   * Combines the values of all PEs, and gives every PE the result. Collective: all PEs call it with
   * the same operator, and arrays of the same type and length.
   *
   * A named operator combines numbers, BigInts of 64 bits and booleans, and typed arrays and
   * regions element by element. `"and"`, `"or"` and `"xor"` take integers and booleans. Integers
   * wrap; if one value is NaN, so is the result, and -0 is less than 0. `"minLoc"` and `"maxLoc"`
   * also tell which PE has the value: the lowest, if several have it.
   *
   * A function combines two values of any kind. It must be associative; it combines the values in
   * the order of the PEs, on every PE for itself when the result is taken, so it must give the same
   * everywhere. It cannot be async.
   *
   * Floats are combined in a fixed order: first those of each host in the order of the PEs, then
   * the hosts. The result has the same bits on every PE and in every run, if the number of PEs,
   * where they are and the length are the same.
   *
   * @param value What this PE contributes. An array or a region must not change until the handle is
   * done.
   * @param op The operator.
   * @param options Where the result goes.
   * @returns A handle for the result. It fails on every PE with a `CollectiveMismatchError` if one
   * of them calls something else.
   * @throws {TypeError} If the operator does not combine such a value.
   * @example
   * ```ts
   * import { LamellarWorldBuilder } from "../mod.ts";
   *
   * await using world = await new LamellarWorldBuilder().build();
   * const [x, y] = [new Float64Array(1000).fill(1), new Float64Array(1000).fill(2)];
   * const mine = x.reduce((sum, value, i) => sum + value * y[i]!, 0);
   * const dot = await world.allReduce(mine, "sum");
   * if (dot !== 2000 * world.numPes) throw new Error(`the dot product is ${dot}`);
   * const longest = await world.allReduce("ab".repeat(world.myPe), (a, b) =>
   *   b.length > a.length ? b : a);
   * if (longest.length !== 2 * (world.numPes - 1)) throw new Error(longest);
   * ```
   */
  allReduce<V extends Reducible>(
    value: V,
    op: OperatorName,
    options?: IntoOptions,
  ): CollectiveHandle<Collected<V>>;
  /**
   * Finds the least or greatest value, and the PE that has it. Collective.
   *
   * @param value What this PE contributes.
   * @param op Which.
   * @returns A handle for both.
   */
  allReduce(value: number, op: LocatingName): CollectiveHandle<Located>;
  /**
   * Finds the least or greatest of each element, and the PEs that have them. Collective.
   *
   * @param value What this PE contributes.
   * @param op Which.
   * @returns A handle for both.
   */
  allReduce(value: ReducibleArray, op: LocatingName): CollectiveHandle<LocatedEach>;
  /**
   * Combines values of any kind by a function. Collective.
   *
   * @param value What this PE contributes.
   * @param op Combines two values; it must be associative.
   * @returns A handle for the result.
   */
  allReduce<T>(value: T, op: Combine<Collected<T>>): CollectiveHandle<Collected<T>>;
  allReduce(value: unknown, op: unknown, options: IntoOptions = {}): CollectiveHandle<unknown> {
    return this.#run("allReduce").reduce(value, op, options, undefined);
  }

  /**
   * Combines the arrays of all PEs, and gives each PE a range of the result. Collective; see
   * `allReduce`.
   *
   * @param value What this PE contributes: a typed array or a region.
   * @param op The operator.
   * @param options How many elements each PE gets, in the order of the PEs, and where they go. If
   * the counts are left out, all ranges have the same length.
   * @returns A handle for the range of this PE.
   * @throws {RangeError} If the counts are not those of the whole array.
   * @throws {TypeError} If the operator does not combine such a value.
   */
  reduceScatter<V extends ReducibleArray>(
    value: V,
    op: OperatorName,
    options: { readonly counts?: readonly number[] } & IntoOptions = {},
  ): CollectiveHandle<Collected<V>> {
    return this.#run("reduceScatter").reduceScatter(value, op, options);
  }

  /**
   * Combines the values of the PEs up to this one. Collective; see `allReduce`. PEs are combined in
   * their order, whatever host they are on.
   *
   * @param value What this PE contributes.
   * @param op The operator.
   * @param options Where the result goes.
   * @returns A handle for the result.
   */
  scan<V extends Reducible>(
    value: V,
    op: OperatorName,
    options?: IntoOptions,
  ): CollectiveHandle<Collected<V>>;
  /**
   * Combines values of any kind by a function, up to this PE. Collective.
   *
   * @param value What this PE contributes.
   * @param op Combines two values; it must be associative.
   * @returns A handle for the result.
   */
  scan<T>(value: T, op: Combine<Collected<T>>): CollectiveHandle<Collected<T>>;
  scan(value: unknown, op: unknown, options: IntoOptions = {}): CollectiveHandle<unknown> {
    const run = this.#run("scan");
    return run.scan(value, op, options, run.me + 1);
  }

  /**
   * Combines the values of the PEs before this one. Collective; see `scan`.
   *
   * @param value What this PE contributes.
   * @param op The operator.
   * @param options Where the result goes.
   * @returns A handle for the result. On PE 0 a named operator gives what changes no other value,
   * such as 0 for `"sum"`, and a function gives undefined.
   */
  exscan<V extends Reducible>(
    value: V,
    op: OperatorName,
    options?: IntoOptions,
  ): CollectiveHandle<Collected<V>>;
  /**
   * Combines values of any kind by a function, before this PE. Collective.
   *
   * @param value What this PE contributes.
   * @param op Combines two values; it must be associative.
   * @returns A handle for the result; undefined on PE 0.
   */
  exscan<T>(value: T, op: Combine<Collected<T>>): CollectiveHandle<Collected<T> | undefined>;
  exscan(value: unknown, op: unknown, options: IntoOptions = {}): CollectiveHandle<unknown> {
    const run = this.#run("exscan");
    return run.scan(value, op, options, run.me);
  }

  /**
   * Checks that a collective may be called.
   *
   * @ignore
   * @param op What the user called.
   */
  protected abstract checkCollective(op: string): void;

  /**
   * The PEs that a collective is for.
   *
   * @ignore
   * @param op What the user called.
   * @returns Their group.
   * @throws {IdError} If this PE is not one of them.
   */
  protected collectiveGroup(op: string): PeGroup {
    this.checkCollective(op);
    const { group, name } = this.pes;
    const { pe } = this.core.lamella;
    if (!group) throw new IdError(`Cannot call ${op}: PE ${pe} is not a member of ${name}`, pe);
    this.core.engine.outbox.flush();
    return group;
  }

  #run(kind: CollectiveKind): CollectiveRun {
    return new CollectiveRun(this.core, this.collectiveGroup(kind), kind);
  }

  #root({ root = 0 }: RootOptions, op: string): number {
    const { length } = this.pes.pes;
    if (Number.isInteger(root) && root >= 0 && root < length) return root;
    throw new RangeError(
      `Cannot call ${op} with the root ${String(root)}: ${this.pes.name} has PEs 0 to ${
        length - 1
      }`,
    );
  }
}
