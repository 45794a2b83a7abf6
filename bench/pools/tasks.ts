/**
 * What the threads of all pools do.
 *
 * @module
 */

/** A small task. */
export function increment(value: number): number {
  return value + 1;
}

/** Changes each number of a block in place. */
export function addOne<B extends Float64Array>(block: B): B {
  for (let i = 0; i < block.length; i++) block[i]! += 1;
  return block;
}
