/**
 * Turns the source text of a function into a syntax tree.
 *
 * The parser is acorn, loaded on demand: a world without closures pays nothing for it.
 *
 * @module
 */

import type { AnyNode, ArrowFunctionExpression, FunctionExpression } from "npm:acorn@8.19.0";
import { NpmLibrary } from "../../internal/npm_library.ts";

export type { AnyNode, ClassBody, Function as FunctionNode, Pattern } from "npm:acorn@8.19.0";

/** What the source of a function turned out to be. */
export type ParsedClosure =
  | {
    kind: "function";
    node: ArrowFunctionExpression | FunctionExpression;
    /** The same function as an expression that can be evaluated anywhere. */
    source: string;
  }
  | { kind: "class" | "getter" | "setter"; name: string };

type Parser = typeof import("npm:acorn@8.19.0");

const parser = new NpmLibrary<Parser>(
  "closures need",
  "npm:acorn@8.19.0",
  "./acorn.js",
  () => import("npm:acorn@8.19.0"),
);

/**
 * Makes sure that closures can be analysed, whatever the permissions, if the parser can be had.
 *
 * @returns Settles when they can, or when it is known why they cannot.
 */
export async function prepareClosureParser(): Promise<void> {
  await parser.prepare();
}

// Around an expression or a class member, so that `super` and `new.target` parse
// and can be refused by a sentence of ours.
const EXPRESSION_PREFIX = "(class extends Object{constructor(){(";
const MEMBER_PREFIX = "(class extends Object{";

/**
 * Parses what `Function.prototype.toString` gave.
 *
 * @param source The text of a function expression, declaration, arrow, method, accessor or class.
 * @returns The function's tree and its source as an expression, or what it is instead.
 * @throws {LamellarError} If the parser cannot be loaded.
 * @throws {SyntaxError} If the text does not parse as strict code.
 */
export function parseClosure(source: string): ParsedClosure {
  try {
    return parseExpression(source);
  } catch (expressionError) {
    if (!(expressionError instanceof SyntaxError)) throw expressionError;
    try {
      return parseMember(source);
    } catch (memberError) {
      throw furthest(expressionError, memberError as SyntaxError);
    }
  }
}

function parseExpression(source: string): ParsedClosure {
  const constructor = parseMembers(`${EXPRESSION_PREFIX}${source}\n)}})`)[0];
  if (constructor?.type !== "MethodDefinition") throw new SyntaxError("Not an expression");
  const statement = constructor.value.body.body[0];
  if (statement?.type !== "ExpressionStatement") throw new SyntaxError("Not an expression");
  const node = statement.expression;
  switch (node.type) {
    case "ArrowFunctionExpression":
    case "FunctionExpression":
      return { kind: "function", node, source };
    case "ClassExpression":
      return { kind: "class", name: node.id?.name ?? "" };
    default:
      throw new SyntaxError("Not a function");
  }
}

function parseMember(source: string): ParsedClosure {
  const member = parseMembers(`${MEMBER_PREFIX}${source}\n})`)[0];
  if (member?.type !== "MethodDefinition") throw new SyntaxError("Not a method");
  const text = (node: { start: number; end: number }) =>
    source.slice(node.start - MEMBER_PREFIX.length, node.end - MEMBER_PREFIX.length);
  if (member.kind === "get") return { kind: "getter", name: text(member.key) };
  if (member.kind === "set") return { kind: "setter", name: text(member.key) };
  // Without its key, which may be computed or private: a method cannot call itself by it anyway.
  const node = member.value;
  const keyword = `${node.async ? "async " : ""}function${node.generator ? "*" : ""}`;
  return { kind: "function", node, source: `${keyword} ${text(node)}` };
}

function parseMembers(text: string): AnyNode[] {
  const program = parser.get().parse(text, {
    ecmaVersion: "latest",
    sourceType: "module",
    // A private name of a class around the closure is refused later, by name.
    checkPrivateFields: false,
  });
  const statement = program.body[0];
  if (
    program.body.length !== 1 || statement?.type !== "ExpressionStatement" ||
    statement.expression.type !== "ClassExpression"
  ) throw new SyntaxError("Not one function");
  const members = statement.expression.body.body;
  if (members.length !== 1) throw new SyntaxError("Not one function");
  return members;
}

/** Of two attempts, the error of the one that read more of the source says what is wrong. */
function furthest(expression: SyntaxError, member: SyntaxError): SyntaxError {
  const read = (error: SyntaxError, prefix: string) =>
    ((error as { pos?: number }).pos ?? 0) - prefix.length;
  return read(member, MEMBER_PREFIX) > read(expression, EXPRESSION_PREFIX) ? member : expression;
}
