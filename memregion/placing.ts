/**
 * What is to be allocated on the PEs of a group.
 *
 * @module
 */

import type { ElementType } from "../internal/elements.ts";
import type { OutOfMemoryError } from "../internal/errors.ts";
import type { CollectiveKind } from "../lamellae/mod.ts";
import type { Allocation } from "./memory/allocation.ts";
import type { ArrayShape } from "./memory/array_shape.ts";
import type { Span } from "./span/span.ts";

/** An array that is to be allocated. */
export interface SpanWanted {
  /** What the user called. */
  readonly kind: CollectiveKind;
  /** Its arguments as text. */
  readonly args: string;
  readonly shape: ArrayShape;
  /** Bytes that each part has behind its elements, for whoever makes the array. */
  readonly extraBytes: number;
  /** Gets the elements as soon as all PEs have made room. */
  readonly placed: (span: Span<ElementType>) => void;
}

/** What is allocated on the PEs of a group, and what becomes of it. */
export interface Placing<R> {
  readonly kind: CollectiveKind;
  readonly args: string;
  readonly give: (result: Allocation | OutOfMemoryError) => R;
}
