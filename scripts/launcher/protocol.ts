/**
 * What the launcher and its agents say to each other: one JSON object a line, over the standard
 * input and output of the agent. Every line is checked before it is used.
 *
 * @module
 */

import { ProtocolError } from "../../internal/errors.ts";

/** Compared at the start; the two sides of a job may come from different versions. */
export const PROTOCOL = 2;

/** The longest line, in characters; longer ones are an error rather than a full memory. */
export const LINE_CHARACTERS_MAX = 8 * 1024 * 1024;

/** How often each side says that it is there, in milliseconds. */
export const BEAT_MS = 500;

/** So many beats of its own without a word from the other side mean that it is lost. */
export const BEATS_MISSED_MAX = 6;

/** How long processes have between SIGTERM and SIGKILL, in milliseconds. */
export const GRACE_MS = 2000;

/** A signal for all processes of a job. */
export type JobSignal = "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT";

/** A process to be started. */
export interface ProcessOrder {
  readonly rank: number;
  /** Variables of this process alone. */
  readonly env: Readonly<Record<string, string>>;
}

/** What the launcher says to an agent. */
export type ToAgent =
  | {
    readonly type: "start";
    /** The folder that the processes run in. */
    readonly cwd: string;
    /** Whether the agent's own Deno is put before the command. */
    readonly deno: boolean;
    readonly command: readonly string[];
    /** Variables of all processes, beside those that the agent has itself. */
    readonly env: Readonly<Record<string, string>>;
    readonly processes: readonly ProcessOrder[];
  }
  /** A line for the PMI connections of some processes. */
  | { readonly type: "pmi"; readonly ranks: readonly number[]; readonly line: string }
  /** What processes have put, so that agents can answer by themselves. */
  | { readonly type: "entries"; readonly entries: Readonly<Record<string, string>> }
  | { readonly type: "signal"; readonly signal: JobSignal }
  /** A piece of the standard input of rank 0 in base64; the empty one is its end. */
  | { readonly type: "input"; readonly base64: string }
  | { readonly type: "beat" };

/** What an agent says to the launcher. */
export type FromAgent =
  | {
    readonly type: "hello";
    readonly protocol: number;
    readonly version: string;
    readonly host: string;
  }
  /** A process cannot be started, or the order for it not be followed. */
  | { readonly type: "refused"; readonly rank: number; readonly why: string }
  /** Whole lines, or the beginning of one. */
  | {
    readonly type: "output";
    readonly rank: number;
    readonly isError: boolean;
    /** Whether the rest of the last line comes next; else somebody is to see what there is. */
    readonly more: boolean;
    readonly text: string;
  }
  /** The same if it is not text. */
  | {
    readonly type: "bytes";
    readonly rank: number;
    readonly isError: boolean;
    readonly more: boolean;
    readonly base64: string;
  }
  | { readonly type: "pmi"; readonly rank: number; readonly line: string }
  /** A process gives no sign of life in its start or at its end. */
  | { readonly type: "still"; readonly rank: number; readonly why: string }
  /** All that the process said came before this. */
  | {
    readonly type: "exit";
    readonly rank: number;
    readonly code: number;
    readonly signal: string;
  }
  /** The last piece of input has been taken; the next may come. */
  | { readonly type: "more" }
  | { readonly type: "beat" };

type Check = (value: unknown) => boolean;
type Shapes = Readonly<Record<string, Readonly<Record<string, Check>>>>;

const text: Check = (value) => typeof value === "string";
const flag: Check = (value) => typeof value === "boolean";
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const base64: Check = (value) => text(value) && /^[A-Za-z0-9+/]*={0,2}$/.test(value as string);
const list = (check: Check): Check => (value) => Array.isArray(value) && value.every(check);
const record: Check = (value) => isObject(value) && Object.values(value).every(text);
const order: Check = (value) => isObject(value) && count(value.rank) && record(value.env);
const jobSignal: Check = (value) => /^SIG(?:TERM|KILL|STOP|CONT)$/.test(String(value));

const TO_AGENT: Shapes = {
  start: {
    cwd: text,
    deno: flag,
    command: list(text),
    env: record,
    processes: list(order),
  },
  pmi: { ranks: list(count), line: text },
  entries: { entries: record },
  signal: { signal: jobSignal },
  input: { base64 },
  beat: {},
};

const FROM_AGENT: Shapes = {
  hello: { protocol: count, version: text, host: text },
  refused: { rank: count, why: text },
  still: { rank: count, why: text },
  output: { rank: count, isError: flag, more: flag, text },
  bytes: { rank: count, isError: flag, more: flag, base64 },
  pmi: { rank: count, line: text },
  exit: { rank: count, code: count, signal: text },
  more: {},
  beat: {},
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * @param message A message of either side.
 * @returns Its line, with the line feed.
 */
export function encodeMessage(message: ToAgent | FromAgent): string {
  return JSON.stringify(message) + "\n";
}

/**
 * Reads a line on the agent's side.
 *
 * @param line The line without its line feed.
 * @returns The message.
 * @throws {ProtocolError} If it is not a message.
 */
export function parseToAgent(line: string): ToAgent {
  return parse(line, TO_AGENT) as ToAgent;
}

/**
 * Reads a line on the launcher's side.
 *
 * @param line The line without its line feed.
 * @returns The message.
 * @throws {ProtocolError} If it is not a message.
 */
export function parseFromAgent(line: string): FromAgent {
  return parse(line, FROM_AGENT) as FromAgent;
}

function parse(line: string, shapes: Shapes): unknown {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new ProtocolError(`Cannot read ${shorten(line)}: it is not JSON`, { cause });
  }
  const type = isObject(value) ? value.type : undefined;
  if (!isObject(value) || typeof type !== "string" || !Object.hasOwn(shapes, type)) {
    throw new ProtocolError(`Cannot read ${shorten(line)}: it is not a message of this side`);
  }
  const shape = shapes[type]!;
  for (const [name, check] of Object.entries(shape)) {
    if (!check(value[name])) {
      throw new ProtocolError(`Cannot read ${shorten(line)}: "${name}" has a wrong value`);
    }
  }
  return value;
}

function shorten(line: string): string {
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}…` : line);
}
