/**
 * Looks through a MessagePack message before it is decoded, so that lengths made up by a broken or
 * hostile sender never make the decoder reserve memory: at every point the values still to come
 * need at least a byte each, and no string, binary or extension reaches beyond the end.
 *
 * @see {@link https://github.com/msgpack/msgpack/blob/master/spec.md | MessagePack specification}
 * @module
 */

import { ProtocolError } from "../../internal/errors.ts";

/** What {@linkcode scanMessage} accepts besides what every message may hold. */
export interface ScanOptions {
  /** Whether plain binary values (`bin 8` to `bin 32`) are allowed. */
  readonly binary: boolean;
  /** Whether extension values are allowed. */
  readonly extensions: boolean;
}

/**
 * Checks the structure of one message.
 *
 * @param bytes The message.
 * @param options What is allowed.
 * @throws {ProtocolError} If it is cut off, has bytes too many, or holds something that is not
 * allowed.
 */
export function scanMessage(bytes: Uint8Array, options: ScanOptions): void {
  const end = bytes.length;
  let at = 0;
  let pending = 1;
  while (pending > 0) {
    if (pending > end - at) throw cutOff(at, end);
    pending -= 1;
    const head = bytes[at++]!;
    if (head < 0x80 || head >= 0xe0) continue;
    if (head < 0x90) {
      pending += 2 * (head & 15);
    } else if (head < 0xa0) {
      pending += head & 15;
    } else if (head < 0xc0) {
      at += head & 31;
    } else {
      const { header, body, items, kind } = HEADS[head - 0xc0]!;
      if (kind === "unused" || kind === "bin" && !options.binary) throw notAllowed(head, at);
      if (kind === "ext" && !options.extensions) throw notAllowed(head, at);
      if (header > end - at) throw cutOff(at, end);
      const count = header === 0 ? 0 : readCount(bytes, at, header);
      at += header + body + (items === 0 ? count : 0);
      pending += items * count;
    }
    if (at > end) throw cutOff(at, end);
  }
  if (at !== end) {
    throw new ProtocolError(`Cannot decode MessagePack: ${end - at} bytes of ${end} are left over`);
  }
}

interface Head {
  /** Bytes of the length that follows. */
  readonly header: 0 | 1 | 2 | 4;
  /** Bytes that follow besides what the length counts. */
  readonly body: number;
  /** Values for each unit of the length: 0 where it counts bytes. */
  readonly items: 0 | 1 | 2;
  readonly kind: "plain" | "bin" | "ext" | "unused";
}

function head(header: 0 | 1 | 2 | 4, body: number, kind: Head["kind"] = "plain"): Head {
  return { header, body, items: 0, kind };
}

function container(header: 2 | 4, items: 1 | 2): Head {
  return { header, body: 0, items, kind: "plain" };
}

// Types 0xc0 to 0xdf, in order.
const HEADS: readonly Head[] = [
  ...[head(0, 0), head(0, 0, "unused"), head(0, 0), head(0, 0)],
  ...[head(1, 0, "bin"), head(2, 0, "bin"), head(4, 0, "bin")],
  ...[head(1, 1, "ext"), head(2, 1, "ext"), head(4, 1, "ext")],
  ...[head(0, 4), head(0, 8)],
  ...[head(0, 1), head(0, 2), head(0, 4), head(0, 8)],
  ...[head(0, 1), head(0, 2), head(0, 4), head(0, 8)],
  ...[2, 3, 5, 9, 17].map((body) => head(0, body, "ext")),
  ...[head(1, 0), head(2, 0), head(4, 0)],
  ...[container(2, 1), container(4, 1), container(2, 2), container(4, 2)],
];

function readCount(bytes: Uint8Array, at: number, width: number): number {
  let count = 0;
  for (let i = 0; i < width; i++) count = count * 256 + bytes[at + i]!;
  return count;
}

function cutOff(at: number, end: number): ProtocolError {
  return new ProtocolError(
    `Cannot decode MessagePack: what is announced up to byte ${at} is beyond the ${end} bytes`,
  );
}

function notAllowed(head: number, at: number): ProtocolError {
  return new ProtocolError(
    `Cannot decode MessagePack: type 0x${head.toString(16)} at byte ${at - 1} is not in use here`,
  );
}
