/**
 * Results on the wire: the commonest need no codec at all.
 *
 * @module
 */

import { ProtocolError } from "../../internal/errors.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import type { Codec } from "../codec.ts";
import { FORM, FRAME } from "./frames.ts";
import type { Outbox } from "./outbox.ts";
import { resultCodec } from "../msgpack/value_codec.ts";

/** Chooses how a result travels: a form of `FORM`. */
function formOf(value: unknown, returns: Codec<unknown> | undefined): number {
  if (returns) return FORM.schema;
  if (typeof value === "number") return FORM.number;
  if (value === undefined) return FORM.undefined;
  if (value === null) return FORM.null;
  if (value === true) return FORM.true;
  if (value === false) return FORM.false;
  return FORM.value;
}

/**
 * Sends a result.
 *
 * @param outbox Sends it.
 * @param pe Who launched the request.
 * @param number The number of the request.
 * @param value The result.
 * @param returns The codec the AM declared.
 * @throws {TypeError} If the value cannot be sent.
 */
export function sendResult(
  outbox: Outbox,
  pe: number,
  number: number,
  value: unknown,
  returns: Codec<unknown> | undefined,
): void {
  const form = formOf(value, returns);
  if (form === FORM.number) {
    const at = outbox.begin(pe, FRAME.result, form, 8);
    outbox.views.f64[at / 8] = value as number;
    return outbox.end(number);
  }
  if (form < FORM.value) return outbox.sendHead(pe, FRAME.result, form, number);
  const codec = form === FORM.schema ? returns! : resultCodec;
  outbox.send(pe, FRAME.result, form, number, codec, value);
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
 * @throws {ProtocolError} If there is no such form, or the payload does not fit it.
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
