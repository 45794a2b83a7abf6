/**
 * What makes an array of the parts of a region.
 *
 * @module
 */

import type { Distribution } from "../../internal/distribution.ts";

/** Parts as one array, whose elements are counted over all of them. */
export interface ArrayShape {
  /** Which part has an element; the indices of messages count as it does. */
  readonly distribution: Distribution;
  /** How messages call it. */
  readonly label: string;
}
