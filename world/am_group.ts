/**
 * Groups of AMs, which travel together.
 *
 * @module
 */

import {
  type AmCall,
  AmCollector,
  type AmDefinition,
  AmGroupHandle,
  type AmType,
  type CollectorHost,
  definitionOf,
  type LamellarEnv,
} from "../am/mod.ts";
import { ClosedError } from "../internal/errors.ts";
import type { Inside } from "./messaging.ts";
import { insideOfEnv } from "./group_messaging.ts";

/**
 * AMs that travel together: those for a PE share a message, and so do their results. With many
 * small AMs this is faster than to launch each by itself, and there is one handle for all.
 *
 * AMs are encoded when they are added. They may run from then on, because a message leaves when it
 * is full, so a group of any number of AMs takes little memory. `exec` sends what is left; in a
 * group that is never executed, this is lost. A program that adds faster than a PE receives waits
 * as it does when it launches.
 *
 * ```ts
 * import { am, AmGroup, LamellarWorldBuilder, u32 } from "../mod.ts";
 *
 * const Twice = am("docs.Twice", { n: u32 }, (self) => 2 * self.n);
 * const Where = am("docs.Where", {}, (_self, lamellar) => lamellar.currentPe);
 *
 * await using world = await new LamellarWorldBuilder().build();
 * const group = new AmGroup(world);
 * group.addAmPe(0, Twice({ n: 21 }));
 * group.addAmAll(Where({}));
 * const results = await group.exec();
 * console.log(results.length, results.at(0), results.at(1));
 * ```
 *
 * @category Groups
 */
export class AmGroup {
  readonly #members: Members;

  /**
   * Makes a group on this PE.
   *
   * @param env The world, team or task group in which it launches.
   * @throws {TypeError} If it is none of these.
   */
  constructor(env: LamellarEnv) {
    this.#members = new Members(env);
  }

  /** How many AMs were added; one for all PEs counts once. */
  get length(): number {
    return this.#members.collector.length;
  }

  /**
   * Adds an AM for one PE.
   *
   * @param pe Where it runs, 0 to `numPes - 1` of the world or team.
   * @param call The AM with its payload.
   * @throws {RangeError} If there is no such PE, or a field of the payload is out of range.
   * @throws {TypeError} If the payload cannot be sent.
   * @throws {ClosedError} If the group has been executed.
   */
  addAmPe(pe: number, call: AmCall<unknown>): void {
    this.#members.add(pe, call);
  }

  /**
   * Adds an AM for every PE of the world or team. Its payload is encoded once.
   *
   * @param call The AM with its payload.
   * @throws {RangeError} If a field of the payload is out of range.
   * @throws {TypeError} If the payload cannot be sent.
   * @throws {ClosedError} If the group has been executed.
   */
  addAmAll(call: AmCall<unknown>): void {
    this.#members.addAll(call);
  }

  /**
   * Sends what has not left yet. No AM can be added afterwards.
   *
   * @returns A handle for the results, in the order in which the AMs were added: await it, block on
   * it, or ignore it. An empty group has no results, and its handle is done.
   * @throws {ClosedError} If the group has been executed before.
   */
  exec(): AmGroupHandle<unknown> {
    return this.#members.exec();
  }
}

/**
 * As {@linkcode AmGroup}, for AMs of one type. Fields marked with {@linkcode staticField} travel
 * once in each message; all AMs of the group must give them the same value.
 *
 * @category Groups
 */
export class TypedAmGroup<T> {
  readonly #members: Members;

  /**
   * Programs get it from {@linkcode typedAmGroup}.
   *
   * @ignore
   * @param env The world, team or task group in which it launches.
   * @param definition What all AMs run.
   */
  constructor(env: LamellarEnv, definition: AmDefinition) {
    this.#members = new Members(env, definition);
  }

  /** How many AMs were added; one for all PEs counts once. */
  get length(): number {
    return this.#members.collector.length;
  }

  /**
   * Adds an AM for one PE.
   *
   * @param pe Where it runs, 0 to `numPes - 1` of the world or team.
   * @param call The AM with its payload.
   * @throws {RangeError} If there is no such PE, or a field of the payload is out of range.
   * @throws {TypeError} If it is another AM, the payload cannot be sent, or a static field has
   * another value than in the first AM.
   * @throws {ClosedError} If the group has been executed.
   */
  addAmPe(pe: number, call: AmCall<T>): void {
    this.#members.add(pe, call);
  }

  /**
   * Adds an AM for every PE of the world or team. Its payload is encoded once.
   *
   * @param call The AM with its payload.
   * @throws {RangeError} If a field of the payload is out of range.
   * @throws {TypeError} If it is another AM, the payload cannot be sent, or a static field has
   * another value than in the first AM.
   * @throws {ClosedError} If the group has been executed.
   */
  addAmAll(call: AmCall<T>): void {
    this.#members.addAll(call);
  }

  /**
   * Sends what has not left yet. No AM can be added afterwards.
   *
   * @returns A handle for the results, in the order in which the AMs were added: await it, block on
   * it, or ignore it. An empty group has no results, and its handle is done.
   * @throws {ClosedError} If the group has been executed before.
   */
  exec(): AmGroupHandle<T> {
    return this.#members.exec() as AmGroupHandle<T>;
  }
}

/**
 * Makes a group of AMs of one type.
 *
 * @category Groups
 * @param type The AM, as `am` gave it.
 * @param env The world, team or task group in which the group launches.
 * @returns The group.
 * @throws {TypeError} If it is not an AM that travels, or neither a world nor a team.
 * @example
 * ```ts
 * import { am, LamellarWorldBuilder, typedAmGroup, u32 } from "../mod.ts";
 *
 * const Square = am("docs.Square", { n: u32 }, (self) => self.n * self.n);
 *
 * await using world = await new LamellarWorldBuilder().build();
 * const group = typedAmGroup(Square, world);
 * for (let n = 0; n < 1000; n++) group.addAmPe(n % world.numPes, Square({ n }));
 * const results = await group.exec();
 * const last = results.at(999);
 * console.log(last.kind === "pe" && last.value === 998001);
 * ```
 */
export function typedAmGroup<A, T>(type: AmType<A, T>, env: LamellarEnv): TypedAmGroup<T> {
  const make = type as unknown as (self: unknown) => unknown;
  const definition = typeof type === "function" && "amName" in type
    ? definitionOf(make(undefined))
    : undefined;
  if (definition?.codec === undefined) {
    const what = definition ? `the local AM "${definition.name}"` : Deno.inspect(type);
    throw new TypeError(`Cannot make a group of ${what}: it takes an AM that travels`);
  }
  return new TypedAmGroup<T>(env, definition);
}

/** The AMs of a group, and what holds it. */
class Members {
  readonly collector: AmCollector;
  readonly #inside: Inside;
  readonly #numPes: number;
  #executed = false;

  constructor(env: LamellarEnv, only?: AmDefinition) {
    const inside = this.#inside = insideOfEnv(env, "make a group of AMs");
    const { core, work } = inside;
    const { groups } = core.engine;
    const pes = inside.targets("addAmAll", undefined);
    this.#numPes = pes.length;
    const host: CollectorHost = {
      pe: groups.pe,
      session: groups.session,
      batchBytes: groups.batchBytes,
      numberOf: (definition) => groups.numberOf(definition),
      launchBatch(...batch) {
        inside.checkOpen("addAmPe");
        return groups.launchBatch(...batch);
      },
    };
    this.collector = new AmCollector(host, pes, work, only);
  }

  add(pe: number, call: AmCall<unknown>): void {
    if (this.#executed) this.#check("addAmPe");
    if (!(pe >= 0 && pe < this.#numPes && Number.isInteger(pe))) {
      this.#inside.target(pe, "addAmPe", undefined);
    }
    this.collector.add(pe, call);
  }

  addAll(call: AmCall<unknown>): void {
    this.#check("addAmAll");
    this.collector.addAll(call);
  }

  exec(): AmGroupHandle<unknown> {
    this.#check("exec");
    this.#inside.checkOpen("exec");
    this.#executed = true;
    const { batches, order } = this.collector.finish();
    return new AmGroupHandle(batches, order, this.#numPes);
  }

  #check(op: string): void {
    if (!this.#executed) return;
    const { pe } = this.#inside.core.lamella;
    throw new ClosedError(`Cannot call ${op}: the group has been executed`, { pe, op });
  }
}
