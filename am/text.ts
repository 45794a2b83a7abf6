/**
 * Strings as UTF-8 that keep every JavaScript string: a lone surrogate, which UTF-8 has no place
 * for, travels as the three bytes it would have if it were a character (the "WTF-8" form), and a
 * leading byte-order mark is kept.
 *
 * Short strings are handled in loops, since a call of `TextDecoder` costs 700 ns and one of
 * `TextEncoder` 100 ns.
 *
 * @see {@link https://wtf-8.codeberg.page/ | The WTF-8 encoding}
 * @module
 */

import { ProtocolError } from "../internal/errors.ts";

const ENCODER_LENGTH_MIN = 40;
const DECODER_BYTES_MIN = 300;
const COUNT_BYTES = 16_384;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const scratch = new Uint8Array(COUNT_BYTES);

/**
 * Counts the bytes of a string.
 *
 * @param text Any string.
 * @returns How many bytes {@linkcode writeText} will write.
 */
export function textBytes(text: string): number {
  const length = text.length;
  if (length >= ENCODER_LENGTH_MIN && text.isWellFormed()) return countByEncoder(text);
  let bytes = length;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) {
      bytes += 1;
    } else {
      bytes += 2;
      // A pair is four bytes for two units: the second unit adds nothing.
      if (isPairAt(text, i, unit)) i++;
    }
  }
  return bytes;
}

function countByEncoder(text: string): number {
  let bytes = 0;
  let rest = text;
  while (rest.length > 0) {
    const { read, written } = encoder.encodeInto(rest, scratch);
    bytes += written;
    if (read === rest.length) break;
    rest = rest.slice(read);
  }
  return bytes;
}

function isPairAt(text: string, i: number, unit: number): boolean {
  if (unit < 0xd800 || unit > 0xdbff || i + 1 >= text.length) return false;
  const next = text.charCodeAt(i + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}

/**
 * Writes a string.
 *
 * @param text Any string.
 * @param u8 The bytes to write to, shared memory or not.
 * @param at Where to write.
 * @param end Where to stop.
 * @returns How many bytes were written, the same that {@linkcode textBytes} gives; -1 if the string
 * does not fit.
 */
export function writeText(text: string, u8: Uint8Array, at: number, end: number): number {
  const length = text.length;
  if (length > end - at) return -1;
  if (length >= ENCODER_LENGTH_MIN && text.isWellFormed()) {
    const to = u8.subarray(at, Math.min(end, at + 3 * length));
    const { read, written } = encoder.encodeInto(text, to);
    return read === length ? written : -1;
  }
  let to = at;
  // Bytes to spare when each unit that is left takes one.
  let spare = end - at - length;
  for (let i = 0; i < length; i++) {
    let unit = text.charCodeAt(i);
    if (unit < 0x80) {
      u8[to++] = unit;
      continue;
    }
    // A pair takes four bytes for two units.
    spare -= unit < 0x800 ? 1 : 2;
    if (spare < 0) return -1;
    if (unit < 0x800) {
      u8[to++] = 0xc0 | (unit >> 6);
    } else {
      if (isPairAt(text, i, unit)) {
        unit = 0x10000 + ((unit - 0xd800) << 10) + (text.charCodeAt(++i) - 0xdc00);
        u8[to++] = 0xf0 | (unit >> 18);
        u8[to++] = 0x80 | ((unit >> 12) & 0x3f);
      } else {
        u8[to++] = 0xe0 | (unit >> 12);
      }
      u8[to++] = 0x80 | ((unit >> 6) & 0x3f);
    }
    u8[to++] = 0x80 | (unit & 0x3f);
  }
  return to - at;
}

/**
 * Reads a string.
 *
 * @param u8 The bytes to read from, shared memory or not.
 * @param at Where the string starts.
 * @param bytes How many bytes it has; they must lie within `u8`.
 * @returns The string.
 * @throws {ProtocolError} If the bytes are not what {@linkcode writeText} writes.
 */
export function readText(u8: Uint8Array, at: number, bytes: number): string {
  if (bytes >= DECODER_BYTES_MIN) {
    try {
      return decoder.decode(u8.subarray(at, at + bytes));
    } catch {
      // Lone surrogates, or bytes that are wrong: the loop below tells which.
      return readUnits(u8, at, bytes);
    }
  }
  const units: number[] = new Array(bytes);
  for (let i = 0; i < bytes; i++) {
    const byte = u8[at + i]!;
    if (byte >= 0x80) return readUnits(u8, at, bytes);
    units[i] = byte;
  }
  return String.fromCharCode.apply(null, units);
}

function readUnits(u8: Uint8Array, at: number, bytes: number): string {
  const end = at + bytes;
  let text = "";
  let units: number[] = [];
  let i = at;
  while (i < end) {
    const first = u8[i]!;
    if (first < 0x80) {
      units.push(first);
      i += 1;
    } else {
      const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
      if (first < 0xc2 || first > 0xf4 || i + more >= end) throw badText(i - at, bytes);
      let point = first & (0x3f >> more);
      for (let k = 1; k <= more; k++) {
        const byte = u8[i + k]!;
        if ((byte & 0xc0) !== 0x80) throw badText(i + k - at, bytes);
        point = (point << 6) | (byte & 0x3f);
      }
      if (more === 3) {
        if (point < 0x10000 || point > 0x10ffff) throw badText(i - at, bytes);
        point -= 0x10000;
        units.push(0xd800 + (point >> 10), 0xdc00 + (point & 0x3ff));
      } else {
        if (more === 2 && point < 0x800) throw badText(i - at, bytes);
        units.push(point);
      }
      i += more + 1;
    }
    if (units.length >= 4096) {
      text += String.fromCharCode.apply(null, units);
      units = [];
    }
  }
  return text + String.fromCharCode.apply(null, units);
}

function badText(offset: number, bytes: number): ProtocolError {
  return new ProtocolError(`Cannot read a string: byte ${offset} of ${bytes} is not UTF-8`);
}
