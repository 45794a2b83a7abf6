/**
 * What PEs compare when they call a collective: its kind and its arguments. Every signal carries a
 * number of both, and what a PE contributes has the arguments in front, so that each side can tell
 * what the other called.
 *
 * @module
 */

import { ProtocolError } from "../../internal/errors.ts";
import { EXCHANGE_AREA_BYTES, EXCHANGE_BYTES } from "../../internal/limits.ts";

/** What waits for each kind of collective, in words that continue "waits for". */
const WORDS = {
  barrier: "a barrier",
  broadcast: "a broadcast",
  reduce: "a reduction",
  allReduce: "an all-reduce",
  reduceScatter: "a reduce-scatter",
  gather: "a gather",
  allGather: "an all-gather",
  scatter: "a scatter",
  allToAll: "an all-to-all",
  scan: "a scan",
  exscan: "a scan",
  build: "all PEs to build their worlds",
  allocSharedMemRegion: "the allocation of a region",
  createTeamFromArch: "the creation of a team",
  createSubteamFromArch: "the creation of a team",
  split: "a split of a team",
  split2d: "a split of a team",
  "Darc.create": "the creation of a Darc",
  "LocalRwDarc.create": "the creation of a LocalRwDarc",
  "GlobalRwDarc.create": "the creation of a GlobalRwDarc",
  "UnsafeArray.create": "the creation of an UnsafeArray",
  "ReadOnlyArray.create": "the creation of a ReadOnlyArray",
  "AtomicArray.create": "the creation of an AtomicArray",
  "LocalLockArray.create": "the creation of a LocalLockArray",
  "GlobalLockArray.create": "the creation of a GlobalLockArray",
  "UnsafeArray.from": "the creation of an UnsafeArray",
  "ReadOnlyArray.from": "the creation of a ReadOnlyArray",
  "AtomicArray.from": "the creation of an AtomicArray",
  "LocalLockArray.from": "the creation of a LocalLockArray",
  "GlobalLockArray.from": "the creation of a GlobalLockArray",
  collectiveWriteLock: "a collective write lock",
  print: "all PEs to print an array",
  intoLocalLock: "the conversion of an array",
  intoGlobalLock: "the conversion of an array",
  intoUnsafe: "the conversion of an array",
  intoReadOnly: "the conversion of an array",
  intoAtomic: "the conversion of an array",
  intoDarc: "the conversion of a Darc",
  intoLocalRw: "the conversion of a Darc",
  intoGlobalRw: "the conversion of a Darc",
  collectiveWrite: "a collective write lock",
  "world close": "all programs to end",
  "team close": "the others to close a team",
} as const;

/** A kind of collective, as users and messages call it. */
export type CollectiveKind = keyof typeof WORDS;

/** Those that only move data: several of a group may be under way side by side. */
const OVERLAPPING: ReadonlySet<CollectiveKind> = new Set<CollectiveKind>([
  "broadcast",
  "reduce",
  "allReduce",
  "reduceScatter",
  "gather",
  "allGather",
  "scatter",
  "allToAll",
  "scan",
  "exscan",
]);

/** Their position travels with every signal; the barrier without arguments is 0. */
const KINDS = Object.keys(WORDS) as CollectiveKind[];

const HEAD_BYTES = 4;
const ARGUMENTS_BYTES_MAX = EXCHANGE_AREA_BYTES - EXCHANGE_BYTES - HEAD_BYTES;

/** A collective as one PE called it. */
export interface CollectiveCall {
  readonly kind: CollectiveKind;
  /** Its arguments as text, empty if it has none. */
  readonly args: string;
  /** Kind and arguments in 32 bits, as the partners have to send them too. */
  readonly tag: number;
  /** Whether it may run beside others of its group. */
  readonly overlaps: boolean;
  /** The arguments as bytes, as many as are told. */
  readonly told: Uint8Array;
}

/** A blocking barrier. */
export const BARRIER_CALL: CollectiveCall = {
  kind: "barrier",
  args: "",
  tag: 0,
  overlaps: false,
  told: new Uint8Array(0),
};

/** Calls that were made lately, by kind and arguments: programs repeat the same. */
const known = new Map<CollectiveKind, Map<string, CollectiveCall>>();
const KNOWN_MAX = 64;

/**
 * @param kind Which collective.
 * @param args Its arguments, which have to be the same on every PE.
 * @returns The call.
 */
export function callOf(kind: CollectiveKind, args: string): CollectiveCall {
  if (kind === "barrier" && args === "") return BARRIER_CALL;
  let calls = known.get(kind);
  if (!calls) known.set(kind, calls = new Map());
  let call = calls.get(args);
  if (call) return call;
  if (calls.size === KNOWN_MAX) calls.clear();
  const told = new TextEncoder().encode(args).subarray(0, ARGUMENTS_BYTES_MAX);
  const tag = KINDS.indexOf(kind) | (args === "" ? 0 : hash(args) << 8);
  call = { kind, args, tag, overlaps: OVERLAPPING.has(kind), told };
  calls.set(args, call);
  return call;
}

/**
 * @param call A collective.
 * @returns What a PE in it waits for, to continue "waits for".
 */
export function wordsOf(call: CollectiveCall): string {
  return WORDS[call.kind];
}

/**
 * @param call A collective.
 * @returns How messages call it, with its arguments.
 */
export function textOf({ kind, args }: Pick<CollectiveCall, "kind" | "args">): string {
  return args === "" ? kind : `${kind}(${args})`;
}

/**
 * Tells what a PE called that did not call the same.
 *
 * @param call What this PE called.
 * @param tag The tag of the other.
 * @param area What the other contributed, if that is here: it has its arguments.
 * @returns How messages call it.
 */
export function otherText(call: CollectiveCall, tag: number, area: Uint8Array | undefined): string {
  const kind = KINDS[tag & 0xff];
  if (kind === undefined) return "an unknown collective";
  const args = tag >>> 8 === 0 || area === undefined ? "" : argumentsIn(area);
  // Arguments that were cut, or are those of another collective, do not give the tag.
  if (args !== "" && hash(args) === tag >>> 8) return textOf({ kind, args });
  return kind === call.kind ? `${kind} with other arguments` : kind;
}

/**
 * Writes what this PE contributes to a collective.
 *
 * @param area Where to, `EXCHANGE_AREA_BYTES` long.
 * @param call The collective.
 * @param own The bytes it contributes, at most `EXCHANGE_BYTES`.
 */
export function writeContribution(
  area: Uint8Array,
  call: CollectiveCall,
  own: Uint8Array,
): void {
  const described = call.told.length;
  if (described > 0) area.set(call.told, HEAD_BYTES);
  area[0] = described;
  area[1] = 0;
  area[2] = own.length & 0xff;
  area[3] = own.length >>> 8;
  area.set(own, HEAD_BYTES + described);
}

/**
 * @param area What a PE contributed.
 * @returns How many bytes of it are used.
 * @throws {ProtocolError} If it is not what `writeContribution` writes.
 */
export function contributionBytes(area: Uint8Array): number {
  const bytes = HEAD_BYTES + area[0]! + (area[2]! | (area[3]! << 8));
  if (!(bytes <= area.length)) {
    throw new ProtocolError(`a contribution to a collective of ${bytes} bytes in ${area.length}`);
  }
  return bytes;
}

/**
 * @param area What a PE contributed.
 * @returns A copy of its bytes.
 * @throws {ProtocolError} If it is not what `writeContribution` writes.
 */
export function readContribution(area: Uint8Array): Uint8Array {
  const bytes = contributionBytes(area);
  return area.slice(HEAD_BYTES + area[0]!, bytes);
}

function argumentsIn(area: Uint8Array): string {
  // Not every decoder takes shared memory.
  return new TextDecoder().decode(area.slice(HEAD_BYTES, HEAD_BYTES + area[0]!));
}

/** FNV-1a, 24 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  return (value ^ (value >>> 24)) & 0xffffff;
}
