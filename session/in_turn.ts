/**
 * What all PEs of a session do together: closures on all PEs, and the making of what they share.
 * Each PE does one after the other, in the order in which the program asked, so that collectives
 * meet those that they belong to, however long a closure awaits other things in between.
 *
 * @module
 */

import { wrapClosure } from "../am/mod.ts";

/** Where the context of handlers has what a PE does for its session. */
export const AT_SERVICE: unique symbol = Symbol.for("lamellar.session");

/** What a PE does for its session, as closures use it. */
export interface AtService {
  /** Runs something in its turn. */
  inTurn<T>(run: () => T | PromiseLike<T>): Promise<T>;
  /** Makes a Darc in its turn; PE 0 gives it. */
  makeDarc(kind: string, request: number, value: () => unknown): Promise<unknown>;
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
export function inTurn(fn: Function, captures: number): ReturnType<typeof wrapClosure> {
  const wrap = (source: string): string =>
    `(...given) => ${service("given")}.inTurn(() => (${source})(...given))`;
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
    `(...given) => ${service("given")}.makeDarc(...given.splice(-3, 2), ` +
    `() => (${source})(...given))`;
  return wrapClosure(fn, wrap, captures + 2);
}

function service(given: string): string {
  return `${given}.at(-1)[Symbol.for("${AT_SERVICE.description}")]`;
}
