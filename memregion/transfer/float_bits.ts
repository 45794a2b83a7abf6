/**
 * Compare-and-exchange of floats where NaN is expected. There are many NaNs, and JavaScript cannot
 * tell one from another: what was computed may have other bits than the constant. So the bits are
 * compared as an integer, of which there is one of each.
 *
 * @module
 */

import type { Kernels } from "../../internal/kernels.ts";
import type { ElementInfo } from "../../internal/elements.ts";

/** Compares and exchanges, by address; tells whether it did, and what the element was. */
export type ExchangeNaN<V> = (
  at: number,
  expected: V,
  replacement: V,
) => { ok: boolean; value: V };

/**
 * Makes the compare-and-exchange of a float type by bits.
 *
 * @param info The element type.
 * @param kernels The kernels of this PE.
 * @returns It; undefined for a type that has no NaN.
 */
export function exchangeNaNOf(
  info: ElementInfo,
  kernels: Kernels,
): ExchangeNaN<number> | undefined {
  if (info.kind !== "float") return undefined;
  return info.bytes === 4
    ? exchange(new Float32Array(3), Uint32Array, kernels.of("u32").cas)
    : exchange(new Float64Array(3), BigUint64Array, kernels.of("u64").cas);
}

function exchange<X extends number | bigint>(
  floats: Float32Array | Float64Array,
  bitsClass: new (buffer: ArrayBufferLike) => { [index: number]: X },
  cas: (at: number, expected: X, desired: X) => X,
): ExchangeNaN<number> {
  const bits = new bitsClass(floats.buffer);
  return (at, expected, replacement) => {
    floats[0] = expected;
    floats[1] = replacement;
    bits[2] = cas(at, bits[0]!, bits[1]!);
    return { ok: bits[2] === bits[0], value: floats[2]! };
  };
}
