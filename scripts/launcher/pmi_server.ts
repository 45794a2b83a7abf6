/**
 * The server side of the PMI-1 wire protocol, by which the processes of a job find each other. It
 * is the protocol of MPICH's `simple` PMI client: lines of `cmd=…` and further `name=value`.
 *
 * It knows no sockets: lines come in, lines go out.
 *
 * @module
 */

import { exitStatus } from "../../internal/exit_code.ts";

/** What a line asks for that concerns the whole job. */
export type PmiVerdict =
  /** The process wants the job to end. */
  | { readonly kind: "abort"; readonly exitCode: number; readonly message: string }
  /** The line is against the protocol. */
  | { readonly kind: "refused"; readonly why: string };

/** How to serve a job. */
export interface PmiServerOptions {
  /** Number of processes. */
  readonly size: number;
  /** Name of the job's key-value space. */
  readonly name: string;
  /** Entries that are there from the start. */
  readonly entries: Readonly<Record<string, string>>;
  /** Sends a line, without its line feed, to processes. */
  readonly reply: (ranks: readonly number[], line: string) => void;
  /** Called before a barrier opens, with what was put since the last one. */
  readonly publish: (entries: Readonly<Record<string, string>>) => void;
}

/** The longest line that is taken, in characters. */
export const PMI_LINE_CHARACTERS_MAX = 1024 * 1024;

/** How many characters of keys and values are published at once. */
const PUBLISH_CHARACTERS = 256 * 1024;

/** How many characters of keys and values a job may store. */
const STORE_CHARACTERS_MAX = 256 * 1024 * 1024;

/** What is announced to clients. Longer values are taken too; these suit their fixed buffers. */
const MAXES = "kvsname_max=256 keylen_max=64 vallen_max=1024";

/** Serves the processes of one job. */
export class PmiServer {
  readonly #options: PmiServerOptions;
  readonly #store = new Map<string, string>();
  /** Keys that were put since the last barrier. */
  readonly #fresh = new Set<string>();
  readonly #initialised = new Set<number>();
  readonly #finalized = new Set<number>();
  readonly #inBarrier = new Set<number>();
  #characters = 0;

  /**
   * Makes the server.
   *
   * @param options The job.
   */
  constructor(options: PmiServerOptions) {
    this.#options = options;
    for (const [key, value] of Object.entries(options.entries)) this.#store.set(key, value);
  }

  /** Whether a process has begun to speak PMI. */
  hasInitialised(rank: number): boolean {
    return this.#initialised.has(rank);
  }

  /** Whether a process has said that it is done. */
  hasFinalized(rank: number): boolean {
    return this.#finalized.has(rank);
  }

  /** The first process that waits in a barrier; undefined if none does. */
  get waiting(): number | undefined {
    return this.#inBarrier.values().next().value;
  }

  /**
   * Serves a line.
   *
   * @param rank Who sent it.
   * @param line The line without its line feed.
   * @returns What concerns the whole job, or undefined.
   */
  receive(rank: number, line: string): PmiVerdict | undefined {
    const fields = parsePmiLine(line);
    const command = fields?.get("cmd");
    if (!fields || command === undefined) return refused(`it sent ${shorten(line)}`);
    if (command === "abort") return aborted(fields);
    if (command === "init") return this.#init(rank, fields);
    if (!this.#initialised.has(rank)) return refused(`it sent ${shorten(line)} before init`);
    if (this.#finalized.has(rank)) return refused(`it sent ${shorten(line)} after finalize`);
    return this.#serve(rank, command, fields);
  }

  #serve(rank: number, command: string, fields: PmiFields): PmiVerdict | undefined {
    const { name, size } = this.#options;
    switch (command) {
      case "get_maxes":
        return this.#answer(rank, `cmd=maxes rc=0 ${MAXES}`);
      case "get_my_kvsname":
        return this.#answer(rank, `cmd=my_kvsname rc=0 kvsname=${name}`);
      case "get_universe_size":
        return this.#answer(rank, `cmd=universe_size rc=0 size=${size}`);
      case "get_appnum":
        return this.#answer(rank, "cmd=appnum rc=0 appnum=0");
      case "put":
        return this.#put(rank, fields);
      case "get":
        return this.#get(rank, fields);
      case "barrier_in":
        return this.#barrier(rank);
      case "finalize":
        this.#finalized.add(rank);
        return this.#answer(rank, "cmd=finalize_ack rc=0");
      default:
        return refused(`it asked for "${command}", which this launcher does not offer`);
    }
  }

  #answer(rank: number, line: string): undefined {
    this.#options.reply([rank], line);
  }

  #init(rank: number, fields: PmiFields): PmiVerdict | undefined {
    if (this.#initialised.has(rank)) return refused("it initialised PMI twice");
    if (fields.get("pmi_version") !== "1") {
      return refused(`it speaks version ${fields.get("pmi_version")} of PMI instead of 1`);
    }
    this.#initialised.add(rank);
    return this.#answer(rank, "cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0");
  }

  #put(rank: number, fields: PmiFields): PmiVerdict | undefined {
    const [key, value] = [fields.get("key"), fields.get("value")];
    if (key === undefined || value === undefined) {
      return refused("it put something without a key and a value");
    }
    this.#characters += key.length + value.length;
    if (this.#characters > STORE_CHARACTERS_MAX) {
      return refused(`the job put more than ${STORE_CHARACTERS_MAX} characters`);
    }
    this.#store.set(key, value);
    this.#fresh.add(key);
    return this.#answer(rank, "cmd=put_result rc=0 msg=success");
  }

  #get(rank: number, fields: PmiFields): PmiVerdict | undefined {
    const key = fields.get("key");
    if (key === undefined) return refused("it asked for a value without a key");
    const value = this.#store.get(key);
    const answer = value === undefined
      ? "cmd=get_result rc=-1 msg=key_not_found value=unknown"
      : getResult(value);
    return this.#answer(rank, answer);
  }

  #barrier(rank: number): PmiVerdict | undefined {
    if (this.#inBarrier.has(rank)) return refused("it entered a barrier that it was in already");
    this.#inBarrier.add(rank);
    if (this.#inBarrier.size < this.#options.size) return undefined;
    this.#publish();
    const all = [...this.#inBarrier];
    this.#inBarrier.clear();
    this.#options.reply(all, "cmd=barrier_out rc=0");
    return undefined;
  }

  #publish(): void {
    let entries: Record<string, string> = {};
    let characters = 0;
    for (const key of this.#fresh) {
      const value = this.#store.get(key)!;
      entries[key] = value;
      characters += key.length + value.length;
      if (characters < PUBLISH_CHARACTERS) continue;
      this.#options.publish(entries);
      [entries, characters] = [{}, 0];
    }
    this.#fresh.clear();
    if (characters > 0) this.#options.publish(entries);
  }
}

/**
 * Answers a line from what is known, if it asks for a value.
 *
 * @param line The line without its line feed.
 * @param entries What is known.
 * @returns The answer without its line feed; undefined if the server has to answer.
 */
export function answerFrom(line: string, entries: ReadonlyMap<string, string>): string | undefined {
  if (!line.startsWith("cmd=get ")) return undefined;
  const value = entries.get(parsePmiLine(line)?.get("key") ?? "");
  return value === undefined ? undefined : getResult(value);
}

function getResult(value: string): string {
  return `cmd=get_result rc=0 msg=success value=${value}`;
}

/** The fields of a line by name. */
type PmiFields = ReadonlyMap<string, string>;

/** Fields that take the rest of the line, spaces included. */
const TAKE_REST: ReadonlySet<string> = new Set(["value"]);

/**
 * Takes a line apart.
 *
 * @param line `name=value` with spaces between; `value` goes on to the end.
 * @returns The fields, or undefined if it is not such a line.
 */
export function parsePmiLine(line: string): PmiFields | undefined {
  if (line.length > PMI_LINE_CHARACTERS_MAX) return undefined;
  const fields = new Map<string, string>();
  for (let at = 0; at < line.length;) {
    if (line[at] === " ") {
      at++;
      continue;
    }
    const equals = line.indexOf("=", at);
    if (equals <= at) return undefined;
    const name = line.slice(at, equals);
    const space = line.indexOf(" ", equals);
    const end = space < 0 || TAKE_REST.has(name) ? line.length : space;
    if (name.includes(" ") || fields.has(name)) return undefined;
    fields.set(name, line.slice(equals + 1, end));
    at = end;
  }
  return fields;
}

function aborted(fields: PmiFields): PmiVerdict {
  return {
    kind: "abort",
    exitCode: exitStatus(fields.get("exitcode")) || 1,
    message: reasonOf(fields.get("msg") ?? ""),
  };
}

/** Our own runtime adds a reason, percent-encoded so that it has no spaces; others give none. */
function reasonOf(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function refused(why: string): PmiVerdict {
  return { kind: "refused", why };
}

function shorten(line: string): string {
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}…` : line);
}
