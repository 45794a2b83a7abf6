/**
 * Turns the source of a closure into a function again, where it arrives.
 *
 * @module
 */

import { hashSource, SourceCache } from "./identity.ts";

/** A closure as it is called on the PE it was sent to: with its captures. */
export type CompiledClosure = (...args: unknown[]) => unknown;

const compiledSources = new SourceCache<CompiledClosure>();

/**
 * Evaluates the source of a closure, in the global scope and as strict code.
 *
 * @param source What `analyseClosure()` gave as `source`.
 * @returns The function; the same one each time the same source is given.
 * @throws {SyntaxError} If the source does not parse.
 * @throws {TypeError} If the source is not that of a function.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(compileClosure("(a, b)=>a + b")(1, 2), 3);
 * ```
 */
export function compileClosure(source: string): CompiledClosure {
  let compiled = compiledSources.get(source);
  if (compiled === undefined) {
    // The name is what stack traces show in place of "<anonymous>".
    const text = `"use strict";(${source}\n)\n//# sourceURL=closure-${hashSource(source).hash}`;
    // Called by another name, `eval` sees nothing of this module.
    const evaluate = eval;
    const value: unknown = evaluate(text);
    if (typeof value !== "function") {
      throw new TypeError(`Cannot compile the closure: its source gives ${typeof value}`);
    }
    compiled = value as CompiledClosure;
    compiledSources.add(source, compiled);
  }
  return compiled;
}
