/**
 * What the processes of a job compare before they talk: versions and everything that has to be the
 * same for their memory and their frames to fit together.
 *
 * @module
 */

import { HandshakeError } from "../../internal/errors.ts";

/** What a process says of itself. */
export interface Hello {
  /** Name of the host, for the errors. */
  readonly host: string;
  /** Number of the protocol between processes. */
  readonly protocol: number;
  /** Version of this library. */
  readonly version: string;
  /** Version of Deno. */
  readonly deno: string;
  /** Instruction set, such as `x86_64`. */
  readonly arch: string;
  /** Order of bytes in a word. */
  readonly endian: "little" | "big";
  /** PEs of each process. */
  readonly pesPerProcess: number;
  /** Heap of each PE. */
  readonly heapBytes: number;
  /** Size of the ring between two PEs. */
  readonly ringBytes: number;
  /** Whether PEs run closures that others send. */
  readonly closures: boolean;
  /** Peers that a PE signals in each round of a barrier. */
  readonly barrierFactor: number;
  /** Whether processes of a host share memory. */
  readonly sharing: string;
  /** The provider that carries the traffic. */
  readonly provider: string;
}

/** How a field is called in an error, and what it holds. */
const FIELDS: { readonly [K in Exclude<keyof Hello, "host">]: readonly [string, string] } = {
  protocol: ["protocol", "number"],
  version: ["Lamellar", "string"],
  deno: ["Deno", "string"],
  arch: ["architecture", "string"],
  endian: ["byte order", "string"],
  pesPerProcess: ["PEs per process", "number"],
  heapBytes: ["heap size", "number"],
  ringBytes: ["ring size", "number"],
  closures: ["closures", "boolean"],
  barrierFactor: ["barrier factor", "number"],
  sharing: ["shared memory", "string"],
  provider: ["provider", "string"],
};

/** Most characters of a text in a greeting. */
const TEXT_MAX = 256;

/** Most ranges of ranks, and most hosts, that an error names for one value. */
const NAMED_MAX = 6;

/**
 * The part of a greeting that this process knows by itself.
 *
 * @returns Deno's version, architecture and order of bytes.
 */
export function platformHello(): Pick<Hello, "deno" | "arch" | "endian"> {
  const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
  return { deno: Deno.version.deno, arch: Deno.build.arch, endian: little ? "little" : "big" };
}

/**
 * Reads a greeting. A field that another version has more is passed over.
 *
 * @param text The text.
 * @param rank Who sent it, for the error.
 * @returns The greeting.
 * @throws {HandshakeError} If it is not a greeting.
 */
export function parseHello(text: string, rank: number): Hello {
  try {
    return readHello(JSON.parse(text), rank);
  } catch (cause) {
    if (cause instanceof HandshakeError) throw cause;
    throw unreadable(rank, text, "it is not JSON", cause);
  }
}

function readHello(value: unknown, rank: number): Hello {
  const refused = (why: string) => unreadable(rank, JSON.stringify(value) ?? "undefined", why);
  if (typeof value !== "object" || value === null) throw refused("it is not an object");
  const fields = value as Record<string, unknown>;
  const types = { host: ["host", "string"], ...FIELDS };
  for (const [name, [, type]] of Object.entries(types)) {
    const field = fields[name];
    const fits = typeof field === type && (type !== "number" || Number.isSafeInteger(field)) &&
      (typeof field !== "string" || field.length <= TEXT_MAX);
    if (!fits) throw refused(`${name} is ${JSON.stringify(field)?.slice(0, 60)}`);
  }
  const known = Object.keys(types).map((name) => [name, fields[name]]);
  return Object.fromEntries(known) as unknown as Hello;
}

/**
 * Compares the greetings of all processes. Every process finds the same differences, in the same
 * words.
 *
 * @param all The greeting of each process, by rank.
 * @returns A line for each field in which they differ: first the ranks that differ from rank 0,
 * then rank 0 and the ranks that agree with it.
 */
export function compareHello(all: readonly Hello[]): string[] {
  const found: string[] = [];
  for (const [name, [title]] of Object.entries(FIELDS)) {
    const groups = Map.groupBy(all.keys(), (rank) => all[rank]![name as keyof Hello]);
    if (groups.size < 2) continue;
    const [same, ...others] = [...groups];
    found.push(
      [...others, same!].map(([value, ranks], at) => {
        const verb = ranks.length === 1 ? "has" : "have";
        const what = at === 0 ? `${title} ${shown(value)}` : shown(value);
        return `${whoIs(ranks, all)} ${verb} ${what}`;
      }).join(", "),
    );
  }
  return found;
}

function shown(value: Hello[keyof Hello]): string {
  if (typeof value === "boolean") return value ? "allowed" : "not allowed";
  return typeof value === "string" ? value || '""' : String(value);
}

/** Writes ascending ranks as `ranks 0-2, 5 on hosts n1, n2`. */
function whoIs(ranks: readonly number[], all: readonly Hello[]): string {
  const ranges: string[] = [];
  for (let at = 0; at < ranks.length; at++) {
    const first = ranks[at]!;
    while (ranks[at + 1] === ranks[at]! + 1) at++;
    ranges.push(first === ranks[at] ? `${first}` : `${first}-${ranks[at]}`);
  }
  const hosts = [...new Set(ranks.map((rank) => all[rank]!.host))];
  return `rank${ranks.length === 1 ? "" : "s"} ${few(ranges)} on host` +
    `${hosts.length === 1 ? "" : "s"} ${few(hosts)}`;
}

function few(names: readonly string[]): string {
  const more = names.length - NAMED_MAX;
  const text = names.slice(0, NAMED_MAX).join(", ");
  return more > 0 ? `${text} and ${more} more` : text;
}

function unreadable(rank: number, text: string, why: string, cause?: unknown): HandshakeError {
  const start = JSON.stringify(text.slice(0, 80));
  return new HandshakeError(`Rank ${rank} sent the greeting ${start}, and ${why}`, {
    op: "bootstrap",
    ...(cause === undefined ? {} : { cause }),
  });
}
