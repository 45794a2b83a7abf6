/**
 * The definition of distributions, element by element, for tests.
 *
 * @module
 */

import type { DistributionKind } from "./distribution.ts";

/** Part and place of each of `whole` elements. */
export function placesIn(
  kind: DistributionKind,
  parts: number,
  whole: number,
): Array<readonly [part: number, place: number]> {
  const places: Array<readonly [number, number]> = [];
  if (kind === "cyclic") {
    for (let i = 0; i < whole; i++) places.push([i % parts, Math.floor(i / parts)]);
    return places;
  }
  for (let part = 0; part < parts; part++) {
    const length = Math.floor(whole / parts) + (part < whole % parts ? 1 : 0);
    for (let place = 0; place < length; place++) places.push([part, place]);
  }
  return places;
}
