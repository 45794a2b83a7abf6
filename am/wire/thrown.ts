/**
 * What handlers throw, on the wire. A caller gets the same whichever PE the handler ran on: a
 * `RemoteError` whose cause has the name, message and stack of what was thrown, its cause, and the
 * errors of an `AggregateError`. Programs throw anything, also what throws when it is looked at.
 *
 * @module
 */

import { nodePlace } from "../../internal/node_names.ts";
import { foldFrames } from "../../internal/stacks.ts";
import { ProtocolError, RemoteError } from "../../internal/errors.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { makeError } from "../msgpack/types.ts";

/** Most text of one error and of all that hang on it, in UTF-16 units; what is longer is cut. */
const TEXT_MAX = 1 << 20;
/** Most text of all failures that are told together. */
const FAILURES_TEXT_MAX = 1 << 22;
/** Most text of the name of what failed. */
const OP_MAX = 1000;
/** What an error within another counts beside its text: many small ones take room, too. */
const ERROR_TEXT = 100;
/** Longest message of an error whose further properties are shown in its stack. */
const INSPECTED_MAX = 10_000;
/** How deep causes and errors of errors are followed. */
const DEPTH_MAX = 8;
/** How many errors of an `AggregateError` travel. */
const ERRORS_MAX = 1000;

/** An error as it travels. */
interface WireError {
  /** Empty for what is not an error. */
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly cause?: WireError;
  readonly errors?: readonly WireError[];
}

/**
 * @param error What a handler threw.
 * @returns It as UTF-8 text.
 */
export function encodeError(error: unknown): Uint8Array {
  // JSON escapes lone surrogates, so that they arrive.
  return new TextEncoder().encode(JSON.stringify(new Writer().write(error, 0)));
}

/** A failure of an AM or a task as it travels, when it is not the answer to one. */
interface WireFailure {
  readonly op: string;
  readonly pe: number;
  readonly message: string;
  readonly cause: WireError;
}

/** Failures as they travel. */
interface WireFailures {
  readonly failures: readonly WireFailure[];
  /** How many there were besides. */
  readonly further: number;
}

/**
 * What a failure is for the caller of a finish, whoever failed: programs throw anything.
 *
 * @param op What failed, if it is not known to be an AM, such as `a task`.
 * @param pe This PE.
 * @param numPes Number of PEs: a client is none of them.
 * @param error What it failed with.
 * @returns The error.
 */
export function failureOf(op: string, pe: number, numPes: number, error: unknown): RemoteError {
  if (read(() => error instanceof RemoteError) === true) return error as RemoteError;
  return remoteError(op, pe, error, undefined, nodePlace(pe, numPes));
}

/**
 * @param pe This PE.
 * @param errors What AMs and tasks failed with.
 * @param further How many failed besides.
 * @returns It as UTF-8 text, of no length if nothing failed.
 */
export function encodeFailures(
  pe: number,
  errors: readonly RemoteError[],
  further: number,
): Uint8Array {
  if (errors.length === 0) return new Uint8Array();
  const textMax = Math.floor(FAILURES_TEXT_MAX / errors.length);
  const failures = errors.map((error): WireFailure => {
    // A message leaves room for the stack.
    const writer = new Writer(textMax, textMax / 4);
    const op = writer.text(() => error.op ?? "", OP_MAX);
    const message = writer.text(() => error.message, textMax / 4);
    const where = read(() => error.pe);
    const cause = writer.write(read(() => error.cause), 0);
    return { op, pe: isCount(where) ? where : pe, message, cause };
  });
  return new TextEncoder().encode(JSON.stringify({ failures, further } satisfies WireFailures));
}

/**
 * Makes the errors of failures that another PE tells of.
 *
 * @param bytes What it tells.
 * @returns The errors, and how many there were besides.
 * @throws {ProtocolError} If it is not such a list.
 */
export function decodeFailures(
  bytes: Uint8Array,
): { readonly errors: RemoteError[]; readonly further: number } {
  if (bytes.length === 0) return { errors: [], further: 0 };
  let wire: Partial<WireFailures> | null;
  try {
    wire = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new ProtocolError("a list of failures that is not JSON", { cause });
  }
  const { failures, further } = wire ?? {};
  if (!Array.isArray(failures) || !failures.every(isWireFailure) || !isCount(further)) {
    throw new ProtocolError("a list of failures that lacks a field");
  }
  const errors = failures.map(({ cause, message, op, pe }) => {
    return new RemoteError(message, { pe, op, cause: errorOf(cause) });
  });
  return { errors, further };
}

function isWireFailure(value: unknown): value is WireFailure {
  if (typeof value !== "object" || value === null) return false;
  const { cause, message, op, pe } = value as Partial<WireFailure>;
  return typeof op === "string" && isCount(pe) && typeof message === "string" &&
    isWireError(cause, 0);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Takes apart errors. */
class Writer {
  #left: number;
  readonly #messageMax: number;

  constructor(textMax = TEXT_MAX, messageMax = Infinity) {
    this.#left = textMax;
    this.#messageMax = messageMax;
  }

  write(error: unknown, depth: number): WireError {
    if (depth > 0) this.#left = Math.max(0, this.#left - ERROR_TEXT);
    if (!isError(error)) {
      return { name: "", message: this.text(() => Deno.inspect(error)), stack: "" };
    }
    const cause = depth < DEPTH_MAX ? read(() => error.cause) : undefined;
    const errors = depth < DEPTH_MAX ? listOf(error) : undefined;
    const name = this.text(() => error.name);
    const message = this.text(() => error.message, this.#messageMax);
    // What travels as an error of its own need not be in the text, too; and a long text takes
    // `inspect` long.
    const plain = cause !== undefined || errors !== undefined || message.length > INSPECTED_MAX;
    const parts: { -readonly [K in keyof WireError]: WireError[K] } = {
      name,
      message,
      stack: this.text(() => foldFrames(String(plain ? error.stack : Deno.inspect(error)))),
    };
    if (cause !== undefined) parts.cause = this.write(cause, depth + 1);
    if (errors) parts.errors = this.#writeAll(errors, depth + 1);
    return parts;
  }

  /** As many as there is room for. */
  #writeAll(errors: readonly unknown[], depth: number): WireError[] {
    const written: WireError[] = [];
    for (const error of errors) {
      if (this.#left === 0) {
        const text = `${errors.length - written.length} more errors`;
        written.push({ name: "Error", message: text, stack: `Error: ${text}` });
        return written;
      }
      written.push(this.write(error, depth));
    }
    return written;
  }

  text(get: () => unknown, max = Infinity): string {
    const text = textOf(get);
    const room = Math.min(max, this.#left);
    const cut = text.length <= room ? text : `${text.slice(0, room)}…`;
    this.#left = Math.max(0, this.#left - cut.length);
    return cut;
  }
}

/** `instanceof` asks the value, which may throw. */
function isError(value: unknown): value is Error {
  return read(() => value instanceof Error) === true;
}

function read<T>(get: () => T): T | undefined {
  try {
    return get();
  } catch {
    return undefined;
  }
}

function textOf(get: () => unknown): string {
  try {
    return String(get());
  } catch {
    return "(no text)";
  }
}

/** The errors of an `AggregateError`. */
function listOf(error: Error): unknown[] | undefined {
  return read(() => {
    if (!(error instanceof AggregateError) || !Array.isArray(error.errors)) return undefined;
    const { length } = error.errors;
    const errors: unknown[] = error.errors.slice(0, ERRORS_MAX);
    if (length > ERRORS_MAX) errors.push(new Error(`${length - ERRORS_MAX} more errors`));
    return errors;
  });
}

/**
 * Makes the error a caller gets from what came back.
 *
 * @param op What failed, such as `AM "Add"`.
 * @param pe Where it failed.
 * @param views The memory.
 * @param at Where the payload begins.
 * @param bytes Its length.
 * @returns The error, with the remote one as its cause.
 * @throws {ProtocolError} If the payload is not an error.
 */
export function decodeError(
  op: string,
  pe: number,
  views: MemoryViews,
  at: number,
  bytes: number,
): RemoteError {
  const text = new TextDecoder().decode(views.u8.slice(at, at + bytes));
  let wire: unknown;
  try {
    wire = JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError(`Cannot read an error from PE ${pe}: it is not JSON`, { pe, cause });
  }
  if (!isWireError(wire, 0)) {
    throw new ProtocolError(`Cannot read an error from PE ${pe}: it lacks a field`, { pe });
  }
  const { name, message } = wire;
  return remoteError(op, pe, errorOf(wire), name ? `${name}: ${message}` : message);
}

function errorOf({ name, message, stack, cause, errors }: WireError): Error {
  const parts: unknown[] = [name || "Error", message, stack || `Error: ${message}`];
  if (cause || errors) parts.push(cause && errorOf(cause));
  if (errors) parts.push(errors.map(errorOf));
  return makeError(parts);
}

function isWireError(value: unknown, depth: number): value is WireError {
  if (typeof value !== "object" || value === null || depth > DEPTH_MAX) return false;
  const { name, message, stack, cause, errors } = value as Partial<WireError>;
  const isNext = (one: unknown): boolean => isWireError(one, depth + 1);
  return typeof name === "string" && typeof message === "string" && typeof stack === "string" &&
    (cause === undefined || isNext(cause)) &&
    (errors === undefined || Array.isArray(errors) && errors.every(isNext));
}

/**
 * @param error Anything that was thrown.
 * @returns A line of text for it.
 */
export function errorText(error: unknown): string {
  return textOf(() => isError(error) ? `${error.name}: ${error.message}` : Deno.inspect(error));
}

/**
 * @param error Anything that was thrown.
 * @returns Its message, or a text for what is not an error.
 */
export function messageOf(error: unknown): string {
  return textOf(() => isError(error) ? error.message : Deno.inspect(error));
}

/**
 * @param op What failed, such as `AM "Add"`.
 * @param pe Where it failed.
 * @param cause What was thrown there.
 * @param text How the message names it.
 * @returns The error a caller gets.
 */
export function remoteError(
  op: string,
  pe: number,
  cause: unknown,
  text: string = errorText(cause),
  place = `on PE ${pe}`,
): RemoteError {
  return new RemoteError(`${op} failed ${place}: ${text}`, { pe, op, cause });
}
