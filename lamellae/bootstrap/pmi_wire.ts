/**
 * The text of PMI-1, the protocol by which MPICH's launchers, Slurm's `--mpi=pmi2` and our own
 * launcher talk to the processes they started: lines of `cmd=name key=value key=value`.
 *
 * Nobody standardised it; this follows what MPICH's hydra and Slurm 22 to 24 do. Values hold
 * neither spaces nor `=`, so texts travel in hexadecimal digits, in chunks.
 *
 * @module
 */

import { HandshakeError } from "../../internal/errors.ts";
import { EXCHANGE_TEXT_BYTES_MAX } from "./bootstrap.ts";

/** Most digits of a value: Slurm cuts lines of more than about 1024 bytes, announced or not. */
export const VALUE_DIGITS_MAX = 512;

/** Fewest digits of a value that a launcher may allow: the head of a text has to fit. */
export const VALUE_DIGITS_MIN = 16;

/** Digits at the head of the first chunk, which give the length of the text in bytes. */
const HEAD_DIGITS = 8;

/** The fields of a line, `cmd` among them. */
export type PmiFields = ReadonlyMap<string, string>;

/**
 * Writes a line.
 *
 * @param fields Names and values, `cmd` first.
 * @returns The line, without its end.
 */
export function formatPmi(fields: Readonly<Record<string, string | number>>): string {
  return Object.entries(fields).map(([name, value]) => `${name}=${value}`).join(" ");
}

/**
 * Takes a line apart and checks that it is the answer that was waited for.
 *
 * @param line The line, without its end.
 * @param command What `cmd` has to be.
 * @returns The fields.
 * @throws {HandshakeError} If it is malformed, another answer, or a refusal.
 */
export function parsePmi(line: string, command: string): PmiFields {
  const fields = new Map<string, string>();
  for (const word of line.trim().split(/\s+/)) {
    const at = word.indexOf("=");
    if (at <= 0) throw malformed(line, `${shown(word)} is not a field`);
    const name = word.slice(0, at);
    if (fields.has(name)) throw malformed(line, `it has ${shown(name)} twice`);
    fields.set(name, word.slice(at + 1));
  }
  const found = fields.get("cmd");
  if (found !== command) throw malformed(line, `cmd=${command} was expected`);
  const rc = fields.get("rc") ?? "0";
  if (rc !== "0") {
    throw new HandshakeError(
      `The launcher refused: cmd=${command} rc=${rc} ${fields.get("msg") ?? ""}`.trim(),
      { op: "bootstrap" },
    );
  }
  return fields;
}

/**
 * Reads a whole number of a line.
 *
 * @param fields The fields of the line.
 * @param name Name of the field.
 * @param min The least it may be.
 * @returns The number.
 * @throws {HandshakeError} If it is missing, no whole number, or less than `min`.
 */
export function pmiNumber(fields: PmiFields, name: string, min: number): number {
  const text = fields.get(name) ?? "";
  const number = Number(text);
  if (/^-?\d{1,10}$/.test(text) && number >= min) return number;
  throw new HandshakeError(
    `The launcher sent ${name}=${shown(text)} in cmd=${fields.get("cmd")}: ` +
      `a whole number of at least ${min} was expected`,
    { op: "bootstrap" },
  );
}

/**
 * Cuts a text into values.
 *
 * @param bytes The text in UTF-8.
 * @param digitsMax Most digits of a value, at least {@linkcode VALUE_DIGITS_MIN}.
 * @returns The values: hexadecimal digits, of which the first eight are the length in bytes.
 */
export function toValues(bytes: Uint8Array, digitsMax: number): string[] {
  const digits = bytes.length.toString(16).padStart(HEAD_DIGITS, "0") + bytes.toHex();
  const values: string[] = [];
  for (let at = 0; at < digits.length; at += digitsMax) {
    values.push(digits.slice(at, at + digitsMax));
  }
  return values;
}

/**
 * How many values a text has.
 *
 * @param first The first of its values.
 * @param digitsMax Most digits of a value.
 * @returns How many there are with the first one.
 * @throws {HandshakeError} If the value is not one of ours.
 */
export function valueCount(first: string, digitsMax: number): number {
  return Math.ceil((HEAD_DIGITS + 2 * textBytes(first)) / digitsMax);
}

/**
 * Puts a text together.
 *
 * @param values Its values in order.
 * @returns The text.
 * @throws {HandshakeError} If they are not a text of this library.
 */
export function fromValues(values: readonly string[]): string {
  const digits = values.join("");
  const length = textBytes(digits);
  try {
    const bytes = Uint8Array.fromHex(digits.slice(HEAD_DIGITS));
    if (bytes.length !== length) throw new RangeError(`${bytes.length} bytes of ${length}`);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new HandshakeError(`A process put a text that cannot be read: ${shown(digits)}`, {
      op: "bootstrap",
      cause,
    });
  }
}

function textBytes(first: string): number {
  const head = first.slice(0, HEAD_DIGITS);
  const length = /^[0-9a-f]{8}$/.test(head) ? parseInt(head, 16) : Infinity;
  if (length <= EXCHANGE_TEXT_BYTES_MAX) return length;
  throw new HandshakeError(
    `A process put a value that is not a text of this library: ${shown(first)}`,
    {
      op: "bootstrap",
    },
  );
}

function malformed(line: string, why: string): HandshakeError {
  return new HandshakeError(`The launcher sent ${shown(line)}: ${why}`, { op: "bootstrap" });
}

/** A text that came from outside, in quotes and not too much of it. */
function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
