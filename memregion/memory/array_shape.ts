/**
 * What makes an array of the parts of a region.
 *
 * @module
 */

import type { Distribution } from "../../internal/distribution.ts";
import type { ElementInfo } from "../../internal/elements.ts";

/** Parts as one array, whose elements are counted over all of them. */
export interface ArrayShape {
  /** Which part has an element; the indices of messages count as it does. */
  readonly distribution: Distribution;
  /** How messages call it. */
  readonly label: string;
}

/**
 * @param length Elements of a part.
 * @param info Their type.
 * @returns The byte behind them at which other things may stand.
 */
export function extraPlace(length: number, { bytes }: ElementInfo): number {
  return Math.ceil(length * bytes / 8) * 8;
}
