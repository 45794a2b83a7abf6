/**
 * Regions of either kind, and what an attempt to allocate one gives.
 *
 * @module
 */

import type { ElementType } from "../internal/elements.ts";
import type { OutOfMemoryError } from "../internal/errors.ts";
import type { OneSidedMemoryRegion } from "./one_sided_region.ts";
import type { SharedMemoryRegion } from "./shared_region.ts";

/**
 * A region of either kind, as sources and targets of copies may be.
 *
 * @category Memory regions
 */
export type LamellarMemoryRegion<E extends ElementType> =
  | SharedMemoryRegion<E>
  | OneSidedMemoryRegion<E>;

/**
 * The result of an allocation that may fail.
 *
 * @category Memory regions
 */
export type AllocationResult<R> =
  | { readonly ok: true; readonly region: R }
  | { readonly ok: false; readonly error: OutOfMemoryError };
