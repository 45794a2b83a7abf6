/**
 * The source side of closure active messages: a function travels as its text.
 *
 * `analyseClosure()` makes sure, before anything is sent, that the text means the same on every PE:
 * all that the function uses is a parameter, a variable of its own, or a global of
 * every Worker. `compileClosure()` turns the text into a function again where it arrives.
 *
 * @module
 */

import { CLOSURE_GLOBALS } from "./globals.ts";
import { type FunctionNode, parseClosure, type ParsedClosure } from "./parser.ts";
import { hashSource, SourceCache, type SourceIdentity } from "./identity.ts";
import { type ClosureUses, findClosureUses } from "./scope.ts";

export { compileClosure, type CompiledClosure } from "./compile.ts";
export type { SourceIdentity } from "./identity.ts";
export { prepareClosureParser } from "./parser.ts";

/** A function as it travels: an expression for it, and what the expression is known by. */
export interface ClosureSource extends SourceIdentity {
  /** An expression that evaluates to the function anywhere. */
  readonly source: string;
  /** Which parameter gets the context if no capture does, -1 if none. */
  readonly contextAt: number;
}

const analysedFunctions = new WeakMap<object, ClosureSource>();
const analysedSources = new SourceCache<ClosureSource>();

/**
 * Checks that a function can be sent by its source, and gives that source.
 *
 * Functions, arrows, methods and generators pass, synchronous or not, as long as all they use is a
 * parameter, a variable of their own, or a global of every Deno Worker. A name that appears
 * only as the operand of `typeof` is not looked at. The function runs as strict code.
 *
 * @param fn The function to send; analysed once, as is every other function of the same text. What
 * {@linkcode wrapClosure} made passes as it is.
 * @returns Its source with an id and a hash that are the same on every PE.
 * @throws {TypeError} If the function uses what its source does not carry, naming all of it, or
 * if it has no source that could be sent.
 * @throws {LamellarError} If the parser cannot be loaded.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const { source } = analyseClosure((table: number[], i: number) => table[i]);
 * assertEquals(source, "(table, i)=>table[i]");
 * ```
 */
// deno-lint-ignore ban-types -- any function may come in; what it takes is the caller's matter
export function analyseClosure(fn: Function | ClosureSource): ClosureSource {
  const known = analysedFunctions.get(fn);
  if (known !== undefined) return known;
  if (typeof fn !== "function") {
    throw new TypeError(`${REFUSED}: it is of type ${typeof fn}, not a function`);
  }
  // Not `fn.toString()`, which a program may have replaced.
  const text = Function.prototype.toString.call(fn);
  let result = analysedSources.get(text);
  if (result === undefined) {
    result = analyseText(text);
    analysedSources.add(text, result);
  }
  analysedFunctions.set(fn, result);
  return result;
}

/**
 * Puts a function that can be sent into another one, which gets its arguments.
 *
 * @param fn The function.
 * @param wrap Makes the expression of the other function of the expression of this one.
 * @param contextAt Which parameter of the other one gets the context.
 * @returns The other function, ready to be sent.
 * @throws {TypeError} If the function uses what its source does not carry.
 */
export function wrapClosure(
  // deno-lint-ignore ban-types -- any function may come in; what it takes is the caller's matter
  fn: Function,
  wrap: (source: string) => string,
  contextAt: number,
): ClosureSource {
  const source = wrap(analyseClosure(fn).source);
  const wrapped = { source, contextAt, ...hashSource(source) };
  analysedFunctions.set(wrapped, wrapped);
  return wrapped;
}

const REFUSED = "Cannot send the closure";
const NATIVE = /\{\s*\[native code\]\s*\}\s*$/;
const ABSOLUTE = /^(npm|jsr|node|https?|file|data):/;

function analyseText(text: string): ClosureSource {
  if (NATIVE.test(text)) {
    throw new TypeError(
      `${REFUSED}: it is native, bound or a proxy, so its source is not available; ` +
        "call it in a function",
    );
  }
  let parsed: ParsedClosure;
  try {
    parsed = parseClosure(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    // The parser counts from the start of what it was wrapped in.
    const reason = cause.message.replace(/ \(\d+:\d+\)$/, "");
    throw new TypeError(`${REFUSED}: it does not parse as strict code: ${reason}`, { cause });
  }
  if (parsed.kind === "class") {
    const which = parsed.name === "" ? "an anonymous class" : `the class "${parsed.name}"`;
    throw new TypeError(`${REFUSED}: it is ${which}; define the class inside a function`);
  }
  if (parsed.kind !== "function") {
    throw new TypeError(
      `${REFUSED}: it is the ${parsed.kind} "${parsed.name}"; send a function that is called`,
    );
  }
  const problems = describeProblems(findClosureUses(parsed.node));
  if (problems.length > 0) throw new TypeError(`${REFUSED}: ${problems.join("; moreover, ")}`);
  const contextAt = contextParameter(parsed.node);
  return { source: parsed.source, contextAt, ...hashSource(parsed.source) };
}

/** The last parameter, unless it has a default or takes the rest: these are for captures. */
function contextParameter({ params }: FunctionNode): number {
  const last = params.at(-1)?.type;
  const free = last !== undefined && last !== "AssignmentPattern" && last !== "RestElement";
  return free ? params.length - 1 : -1;
}

/** One clause for each kind of thing that stays behind, with what to do instead. */
function describeProblems(uses: ClosureUses): string[] {
  const problems: string[] = [];
  const free = [...uses.variables].filter((name) => !CLOSURE_GLOBALS.has(name));
  if (free.length === 1) {
    problems.push(
      `it uses ${quote(free)}, which is neither captured nor global; pass it as a capture`,
    );
  } else if (free.length > 1) {
    problems.push(
      `it uses ${quote(free)}, which are neither captured nor global; pass them as captures`,
    );
  }
  for (const context of uses.contexts) {
    problems.push(`it uses "${context}", which is not sent; ${INSTEAD[context]}`);
  }
  if (uses.outerArguments) {
    problems.push(`it uses "arguments" of a function around it; take rest parameters`);
  }
  if (uses.privateNames.size > 0) {
    problems.push(`it uses ${quote([...uses.privateNames])} of a class around it; pass the values`);
  }
  const relative = [...uses.imports].filter((specifier) => !ABSOLUTE.test(specifier));
  if (relative.length > 0) {
    problems.push(`it imports ${quote(relative)}; write an absolute specifier such as "npm:name"`);
  }
  if (uses.computedImport) {
    problems.push(`it imports a computed specifier; write the specifier as a literal`);
  }
  return problems;
}

const INSTEAD: Readonly<Record<string, string>> = {
  "this": "pass what it needs as captures",
  "super": "pass what it needs as captures",
  "new.target": "pass what it needs as captures",
  "import.meta": "pass import.meta.url as a capture",
};

function quote(names: readonly string[]): string {
  const quoted = names.map((name) => JSON.stringify(name));
  const last = quoted.pop();
  return quoted.length > 0 ? `${quoted.join(", ")} and ${last}` : `${last}`;
}
