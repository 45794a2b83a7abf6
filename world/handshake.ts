/**
 * What PEs compare before a world begins: the AMs each has, and how their payloads are laid out.
 *
 * @module
 */

import { type AmDefinition, constantsOf } from "../am/mod.ts";
import { HandshakeError } from "../internal/errors.ts";
import { EXCHANGE_BYTES } from "../internal/limits.ts";
import type { PeGroup } from "../lamellae/mod.ts";

/** Bytes of the digest and of the length of the list in an exchange. */
const DIGEST_BYTES = 8;

/**
 * Compares the AMs of all PEs.
 *
 * @param group All PEs of the world.
 * @param definitions The AMs of this PE, by id.
 * @throws {HandshakeError} On every PE, with all differences, if there are any.
 */
export async function compareAms(
  group: PeGroup,
  definitions: readonly AmDefinition[],
): Promise<void> {
  const list = new TextEncoder().encode(definitions.map(describeAm).join("\n"));
  const own = new Uint8Array(DIGEST_BYTES);
  const words = new Uint32Array(own.buffer);
  words[0] = digest(list);
  words[1] = list.length;
  const all = await group.call("build", { own }).finished();
  const digests = all.map((bytes) => new Uint32Array(bytes.slice(0, DIGEST_BYTES).buffer));
  if (digests.every((other) => other[0] === words[0] && other[1] === words[1])) return;
  const lists = await exchangeLists(group, list, digests.map((other) => other[1]!));
  throw new HandshakeError(`The PEs define different AMs: ${differences(lists).join("; ")}`, {
    op: "build",
  });
}

/**
 * @param definition An AM.
 * @returns Its name and layout, which are the same on all PEs.
 */
export function describeAm(definition: AmDefinition): string {
  const { name, codec, returns } = definition;
  const constant = constantsOf(definition)?.names.map((name) => JSON.stringify(name));
  const layout = `${codec?.layout}${constant ? ` with static ${constant.join()}` : ""}`;
  return `${JSON.stringify(name)} (${layout}${returns ? ` to ${returns.layout}` : ""})`;
}

/** FNV-1a, 32 bits. */
function digest(bytes: Uint8Array): number {
  let value = 0x811c9dc5;
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

async function exchangeLists(
  group: PeGroup,
  own: Uint8Array,
  lengths: readonly number[],
): Promise<string[]> {
  const parts: Uint8Array[][] = lengths.map(() => []);
  for (let at = 0; at < Math.max(...lengths); at += EXCHANGE_BYTES) {
    const part = own.subarray(at, at + EXCHANGE_BYTES);
    const all = await group.call("build", { own: part }).finished();
    all.forEach((bytes, pe) => {
      const bytesLeft = Math.min(EXCHANGE_BYTES, Math.max(0, lengths[pe]! - at));
      parts[pe]!.push(bytes.subarray(0, bytesLeft));
    });
  }
  return Promise.all(parts.map((list) => new Blob(list as BlobPart[]).text()));
}

function differences(lists: readonly string[]): string[] {
  const sets = lists.map((list) => new Set(list.split("\n")));
  const all = new Set(sets.flatMap((set) => [...set]));
  const found: string[] = [];
  for (const am of [...all].sort()) {
    const lacking = sets.flatMap((set, pe) => set.has(am) ? [] : [pe]);
    if (lacking.length > 0) found.push(`PE ${lacking.join(", ")} lacks ${am}`);
  }
  return found;
}
