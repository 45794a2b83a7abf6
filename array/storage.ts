/**
 * What a PE has of an array, whatever type it is of at the moment: a conversion hands it on.
 *
 * @module
 */

import type { ElementType, Span } from "../memregion/mod.ts";

/** An array object, as far as it matters here. */
export interface ArrayObject {
  readonly disposed: boolean;
}

/** The elements of an array, as one PE knows them. */
export class ArrayStorage implements Disposable {
  /** All of its elements; undefined until this PE has seen that all PEs have made it. */
  span: Span<ElementType> | undefined;
  /** The last array object that was made for it and not disposed of: what handlers get. */
  #own: WeakRef<ArrayObject> | undefined;

  /** The array object of this PE that handlers get, if there is one. */
  get own(): ArrayObject | undefined {
    const own = this.#own?.deref();
    return own?.disposed ? undefined : own;
  }

  /**
   * Takes note of an array object.
   *
   * @param array The object, which is no view.
   */
  adopt(array: ArrayObject): void {
    if (this.own === undefined) this.#own = new WeakRef(array);
  }

  /** Gives the memory up, when no PE has the array any more. */
  [Symbol.dispose](): void {
    this.span?.release();
  }
}
