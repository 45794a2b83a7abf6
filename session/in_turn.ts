/**
 * What all PEs of a session do together: closures on all PEs, and the allocation of regions. Each
 * PE does one after the other, in the order in which the program asked, so that collectives meet
 * those that they belong to, however long a closure awaits other things in between.
 *
 * @module
 */

import { wrapClosure } from "../am/mod.ts";

/** Where the context of handlers has what runs a function in its turn. */
export const IN_TURN: unique symbol = Symbol.for("lamellar.inTurn");

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
    `(...given) => given.at(-1)[Symbol.for("${IN_TURN.description}")](() => (${source})(...given))`;
  return wrapClosure(fn, wrap, captures);
}
