/**
 * What tells one closure's source from another, and a bounded memory by source.
 *
 * @module
 */

/** Distinct sources that a cache remembers. */
const SOURCES_MAX = 4096;

/** Remembers a value for each source; at its limit the oldest makes room. */
export class SourceCache<Value> {
  readonly #values = new Map<string, Value>();

  /**
   * Looks a source up.
   *
   * @param source The text.
   * @returns What was remembered for it, if it still is.
   */
  get(source: string): Value | undefined {
    return this.#values.get(source);
  }

  /**
   * Remembers a value.
   *
   * @param source The text, not in the cache yet.
   * @param value What to remember for it.
   */
  add(source: string, value: Value): void {
    if (this.#values.size >= SOURCES_MAX) {
      for (const oldest of this.#values.keys()) {
        this.#values.delete(oldest);
        break;
      }
    }
    this.#values.set(source, value);
  }
}

/** A source in numbers, the same on every PE. */
export interface SourceIdentity {
  /** A positive 31-bit number made from the source; two sources may share it. */
  readonly id: number;
  /** 16 hexadecimal digits made from the source: what tells apart two sources of the same id. */
  readonly hash: string;
}

/**
 * Makes an id and a hash of a source: two lanes of a multiplicative hash over its UTF-16 units,
 * with a final avalanche each. Good against accidents, not against somebody who looks for a
 * collision.
 *
 * @param source The text.
 * @returns Its id and its hash.
 */
export function hashSource(source: string): SourceIdentity {
  let low = 0x2545f491;
  let high = 0x6c8e9cf5 ^ source.length;
  for (let i = 0; i < source.length; i++) {
    const unit = source.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193);
    low ^= low >>> 15;
    high = Math.imul(high ^ unit, 0x9e3779b1);
    high ^= high >>> 13;
  }
  low = avalanche(low ^ (high >>> 7));
  high = avalanche(high ^ low);
  const hex = (lane: number) => (lane >>> 0).toString(16).padStart(8, "0");
  return { id: (low & 0x7fffffff) || 1, hash: hex(high) + hex(low) };
}

function avalanche(lane: number): number {
  lane = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  lane = Math.imul(lane ^ (lane >>> 13), 0xc2b2ae35);
  return lane ^ (lane >>> 16);
}
