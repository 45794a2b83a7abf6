/**
 * Ranges that follow each other, given by their lengths.
 *
 * @module
 */

/**
 * @param lengths The length of each range.
 * @param index A range, or as many as there are.
 * @returns Where it begins.
 */
export function startOf(lengths: ArrayLike<number>, index: number): number {
  let start = 0;
  for (let i = 0; i < index; i++) start += lengths[i]!;
  return start;
}

/**
 * @param lengths The length of each range.
 * @returns How long they are together.
 */
export function lengthOf(lengths: ArrayLike<number>): number {
  return startOf(lengths, lengths.length);
}
