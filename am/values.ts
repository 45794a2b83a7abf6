/**
 * Results and errors on the wire: the commonest results need no codec at all.
 *
 * @module
 */

import { ProtocolError, RemoteError } from "../internal/errors.ts";
import type { MemoryViews } from "../internal/memory_views.ts";
import type { Codec } from "./codec.ts";
import { FORM } from "./frames.ts";
import { resultCodec } from "./value_codec.ts";

/**
 * Chooses how a result travels.
 *
 * @param value The result.
 * @param returns The codec the AM declared.
 * @returns A form of `FORM`.
 */
export function formOf(value: unknown, returns: Codec<unknown> | undefined): number {
  if (returns) return FORM.schema;
  if (typeof value === "number") return FORM.number;
  if (value === undefined) return FORM.undefined;
  if (value === null) return FORM.null;
  if (value === true) return FORM.true;
  if (value === false) return FORM.false;
  return FORM.value;
}

/**
 * @param form How the result travels.
 * @param value The result.
 * @param returns The codec the AM declared.
 * @returns Bytes of the payload.
 */
export function resultBytes(
  form: number,
  value: unknown,
  returns: Codec<unknown> | undefined,
): number {
  if (form === FORM.number) return 8;
  if (form === FORM.value) return resultCodec.size(value);
  if (form === FORM.schema) return returns!.size(value);
  return 0;
}

/**
 * Writes a result whose size was asked just before.
 *
 * @param form How it travels.
 * @param value The result.
 * @param returns The codec the AM declared.
 * @param views The memory.
 * @param at Where the payload begins.
 */
export function writeResult(
  form: number,
  value: unknown,
  returns: Codec<unknown> | undefined,
  views: MemoryViews,
  at: number,
): void {
  if (form === FORM.number) views.f64[at / 8] = value as number;
  else if (form === FORM.value) resultCodec.write(value, views, at);
  else if (form === FORM.schema) returns!.write(value, views, at);
}

/**
 * Reads a result.
 *
 * @param form How it travelled.
 * @param returns The codec the AM declared.
 * @param views The memory.
 * @param at Where the payload begins.
 * @param bytes Its length.
 * @param context For handles inside the value.
 * @returns The result.
 * @throws {ProtocolError} If the form is none or the payload does not fit it.
 */
export function readResult(
  form: number,
  returns: Codec<unknown> | undefined,
  views: MemoryViews,
  at: number,
  bytes: number,
  context: unknown,
): unknown {
  if (form < FORM.value && bytes !== (form === FORM.number ? 8 : 0)) {
    throw new ProtocolError(
      `Cannot read a result: form ${form} has ${form === FORM.number ? 8 : 0} bytes, got ${bytes}`,
    );
  }
  switch (form) {
    case FORM.undefined:
      return undefined;
    case FORM.number:
      return views.f64[at / 8];
    case FORM.true:
      return true;
    case FORM.false:
      return false;
    case FORM.null:
      return null;
    case FORM.value:
      return resultCodec.read(views, at, bytes, context);
    case FORM.schema:
      if (returns) return returns.read(views, at, bytes, context);
  }
  throw new ProtocolError(`Cannot read a result: its form is ${form}`);
}

/** An error as it travels. */
interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/**
 * @param error What a handler threw.
 * @returns Its name, message and stack as UTF-8 text.
 */
export function encodeError(error: unknown): Uint8Array {
  const wire: WireError = error instanceof Error
    ? {
      name: textOf(() => error.name),
      message: textOf(() => error.message),
      stack: textOf(() => Deno.inspect(error)),
    }
    : { name: "", message: textOf(() => Deno.inspect(error)), stack: "" };
  return new TextEncoder().encode(JSON.stringify(wire));
}

/** What programs throw may hold anything; whoever waits for it gets an error all the same. */
function textOf(read: () => unknown): string {
  try {
    return String(read());
  } catch {
    return "(no text)";
  }
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
 * @throws {ProtocolError} If the payload is no error.
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
  if (!isWireError(wire)) {
    throw new ProtocolError(`Cannot read an error from PE ${pe}: it lacks a field`, { pe });
  }
  const cause = new Error(wire.message);
  if (wire.name) cause.name = wire.name;
  if (wire.stack) cause.stack = wire.stack;
  return remoteError(op, pe, cause, wire.name ? `${wire.name}: ${wire.message}` : wire.message);
}

function isWireError(value: unknown): value is WireError {
  if (typeof value !== "object" || value === null) return false;
  const { name, message, stack } = value as Partial<WireError>;
  return typeof name === "string" && typeof message === "string" && typeof stack === "string";
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
  text: string = textOf(() =>
    cause instanceof Error ? `${cause.name}: ${cause.message}` : Deno.inspect(cause)
  ),
): RemoteError {
  return new RemoteError(`${op} failed on PE ${pe}: ${text}`, { pe, op, cause });
}
