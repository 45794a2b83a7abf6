/**
 * What is true of a typed array whatever it says itself: a subclass, or a property of its own, may
 * give another length than it has.
 *
 * @module
 */

const PROTOTYPE: object = Object.getPrototypeOf(Uint8Array.prototype);

/** The getter of the number of elements; to be called with the array as `this`. */
export const lengthGetter: () => number = Object.getOwnPropertyDescriptor(PROTOTYPE, "length")!
  .get!;

const makeIterator: () => unknown = Object.getOwnPropertyDescriptor(PROTOTYPE, "values")!.value;

/**
 * Tells an array that has no memory any more from an empty one.
 *
 * @param array An array of no elements.
 * @returns Whether its buffer was transferred, or became too short for it.
 */
export function isGone(array: ArrayBufferView): boolean {
  try {
    makeIterator.call(array);
    return false;
  } catch {
    return true;
  }
}
