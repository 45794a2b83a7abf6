/**
 * What the processes of a rendezvous say to each other: lines of JSON, and the proof that both
 * sides know the secret.
 *
 * A member sends a nonce, its rank and the size of the job; rank 0 answers with a nonce of its own
 * and a proof; the member checks it and answers with its proof. A proof is HMAC-SHA-256 (RFC 2104)
 * with the secret over the side that proves, the rank, the size, and both nonces: no proof can be
 * used twice, for another rank, or be sent back to its sender. What is said afterwards is neither
 * encrypted nor signed: the secret keeps strangers out of the job, not an attacker who can change
 * packets on the way.
 *
 * @module
 */

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { HandshakeError } from "../../internal/errors.ts";
import { EXCHANGE_TEXT_BYTES_MAX } from "./bootstrap.ts";

/** Number of this protocol; goes into the proofs. */
export const RENDEZVOUS_PROTOCOL = 2;

/** Fewest characters of a secret: a proof can be tried against guesses at leisure. */
export const SECRET_LENGTH_MIN = 16;

/** Most bytes of a line from a process that has proved nothing yet. */
export const STRANGER_LINE_BYTES_MAX = 1024;

/** Most bytes of a line: JSON can write a byte as six, and there is a little around the text. */
export const LINE_BYTES_MAX = 6 * EXCHANGE_TEXT_BYTES_MAX + 1024;

/** How long a process has to prove itself, in milliseconds. */
export const PROOF_MS = 10_000;

/** Where rank 0 listens. */
export interface Address {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** One message; what is in it is checked where it is read. */
export interface Message extends Readonly<Record<string, unknown>> {
  readonly t: string;
  readonly why?: unknown;
  readonly code?: unknown;
  readonly exchange?: unknown;
  readonly rank?: unknown;
  readonly text?: unknown;
  readonly phase?: unknown;
}

/** What a proof is about. */
export interface Claim {
  readonly rank: number;
  readonly size: number;
  /** Nonce of the member. */
  readonly memberNonce: string;
  /** Nonce of rank 0. */
  readonly hubNonce: string;
}

/**
 * Reads an address.
 *
 * @param text `host:port` or `[address]:port`.
 * @returns Host and port.
 * @throws {TypeError} If it is neither.
 */
export function parseAddress(text: string): Address {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^:[\]\s]+)):(\d{1,5})$/
    .exec(text.trim()) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host !== undefined && port >= 1 && port <= 65535) return { host, port };
  throw new TypeError(
    `LAMELLAR_RENDEZVOUS must be host:port or [address]:port, got ${JSON.stringify(text)}`,
  );
}

/**
 * Makes a nonce.
 *
 * @returns 32 random bytes in hexadecimal digits.
 */
export function makeNonce(): string {
  return randomBytes(32).toString("hex");
}

/**
 * Makes a proof.
 *
 * @param secret What both sides know.
 * @param side Whose proof it is.
 * @param claim What it is about.
 * @returns 32 bytes in hexadecimal digits.
 */
export function prove(secret: string, side: "hub" | "member", claim: Claim): string {
  const { rank, size, memberNonce, hubNonce } = claim;
  const about = ["lamellar", RENDEZVOUS_PROTOCOL, side, rank, size, memberNonce, hubNonce];
  return createHmac("sha256", secret).update(JSON.stringify(about)).digest("hex");
}

/**
 * Checks a proof, in a time that tells nothing.
 *
 * @param proof What came.
 * @param wanted What should have come.
 * @returns Whether they are the same.
 */
export function sameProof(proof: string, wanted: string): boolean {
  const [a, b] = [new TextEncoder().encode(proof), new TextEncoder().encode(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Reads a message.
 *
 * @param line The line.
 * @param peer Who sent it, for the error.
 * @returns The message; only its kind has been checked.
 * @throws {HandshakeError} If it is not a message.
 */
export function parseMessage(line: string, peer: string): Message {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw strange(line, peer, cause);
  }
  if (typeof value === "object" && value !== null && "t" in value && typeof value.t === "string") {
    return value as Message;
  }
  throw strange(line, peer);
}

/**
 * Reads a message of a certain kind.
 *
 * @param line The line.
 * @param peer Who sent it, for the error.
 * @param kind What `t` has to be.
 * @param fields The types of its other fields.
 * @returns The message, in which the fields are of those types.
 * @throws {HandshakeError} If it is another one, or says that this process is refused.
 */
export function expectMessage<F extends Readonly<Record<string, "string" | "number">>>(
  line: string,
  peer: string,
  kind: string,
  fields: F,
): { readonly [K in keyof F]: F[K] extends "string" ? string : number } {
  const message = parseMessage(line, peer);
  if (message.t === "refuse" && typeof message.why === "string") {
    throw new HandshakeError(`${peer} refused: ${message.why.slice(0, 500)}`, { op: "bootstrap" });
  }
  const fits = message.t === kind && hasFields(message, fields);
  if (fits) return message as unknown as ReturnType<typeof expectMessage<F>>;
  throw strange(line, peer);
}

/**
 * Checks the fields of a message.
 *
 * @param message The message.
 * @param fields Their types; a number has to be a whole one, not negative.
 * @returns Whether all are there.
 */
export function hasFields(
  message: Message,
  fields: Readonly<Record<string, "string" | "number">>,
): boolean {
  return Object.entries(fields).every(([name, type]) =>
    type === "string"
      ? typeof message[name] === "string"
      : Number.isSafeInteger(message[name]) && (message[name] as number) >= 0
  );
}

/**
 * The error of a line that is not of this protocol.
 *
 * @param line The line.
 * @param peer Who sent it.
 * @param cause Why it cannot be read.
 * @returns The error.
 */
export function strange(line: string, peer: string, cause?: unknown): HandshakeError {
  const text = JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}…` : line);
  return new HandshakeError(`${peer} sent ${text}, which is not a message of a rendezvous`, {
    op: "bootstrap",
    ...(cause === undefined ? {} : { cause }),
  });
}
