/**
 * What all PEs of a session do together: closures on all PEs, and the making of what they share.
 * Each PE does one after the other, in the order in which the program asked, so that collectives
 * meet those that they belong to, however long a closure awaits other things in between.
 *
 * @module
 */

import { type AmContext, wrapClosure } from "../am/mod.ts";
import type { DarcKind } from "../darc/mod.ts";
import { LamellarError } from "../internal/errors.ts";
import type { LamellarWorld } from "../world/mod.ts";

/** Where the context of handlers has what a PE does for its session. */
export const AT_SERVICE: unique symbol = Symbol.for("lamellar.session");

/** The same as closures find it, whose arguments are `given`. */
const SERVICE = `given.at(-1)[Symbol.for("${AT_SERVICE.description}")]`;

/** What a PE does for its session, as handlers use it. */
export interface AtService {
  /** The world of the PE. */
  readonly world: LamellarWorld;
  /** Runs something in its turn. */
  inTurn<T>(run: () => T | PromiseLike<T>): Promise<T>;
  /** Makes a Darc in its turn; PE 0 gives it. */
  makeDarc(kind: DarcKind, request: number, value: () => unknown): Promise<unknown>;
}

/**
 * For handlers of AMs that `execAmAll` of a session launches: does what takes all PEs, such as
 * collectives, in its turn. Each PE of a session does one after the other what takes all of them,
 * in the order in which the program launched it, closures of `runAll` among it. Call it before the
 * handler awaits anything.
 *
 * @category Sessions
 * @param lamellar The context of the handler.
 * @param run What is done; it gets the world, with its collectives.
 * @returns What that returns.
 * @throws {LamellarError} If this PE is not at the service of a session (`ERR_NO_SESSION`).
 * @example
 * ```ts
 * import { am, inTurn, u32 } from "../mod.ts";
 *
 * // In a module of a session.
 * export const Total = am("docs.Total", { n: u32 }, ({ n }, lamellar) => {
 *   return inTurn(lamellar, (world) => world.allReduce(n * world.myPe, "sum"));
 * });
 * ```
 */
export async function inTurn<T>(
  lamellar: AmContext,
  run: (world: LamellarWorld) => T | PromiseLike<T>,
): Promise<T> {
  const service = (lamellar as { [AT_SERVICE]?: AtService })[AT_SERVICE];
  if (service) return await service.inTurn(() => run(service.world));
  throw new LamellarError(
    "ERR_NO_SESSION",
    "Cannot call inTurn: this PE is not at the service of a session; its program calls collectives",
    { pe: lamellar.currentPe, op: "inTurn" },
  );
}

/**
 * Makes of a closure one that waits for its turn.
 *
 * @param fn The closure.
 * @param captures How many captures it gets; its context comes after them.
 * @returns What is sent.
 * @throws {TypeError} If the function uses what its source does not carry.
 */
// deno-lint-ignore ban-types -- the signatures of the session check that the captures fit
export function turnTaking(fn: Function, captures: number): ReturnType<typeof wrapClosure> {
  const wrap = (source: string): string =>
    `(...given) => ${SERVICE}.inTurn(() => (${source})(...given))`;
  return wrapClosure(fn, wrap, captures);
}

/**
 * Makes of a closure one that makes a Darc of what it gives. Its captures are those of the closure,
 * and then the kind of the Darc and the number of the request.
 *
 * @param fn The closure.
 * @param captures How many captures it gets; its context comes after them.
 * @returns What is sent.
 * @throws {TypeError} If the function uses what its source does not carry.
 */
// deno-lint-ignore ban-types -- the signatures of the session check that the captures fit
export function makingDarc(fn: Function, captures: number): ReturnType<typeof wrapClosure> {
  const wrap = (source: string): string =>
    `(...given) => ${SERVICE}.makeDarc(...given.splice(-3, 2), ` +
    `() => (${source})(...given))`;
  return wrapClosure(fn, wrap, captures + 2);
}
