/**
 * Tells the type checker that two types have to be the same: `same<Same<A, B>>()`.
 *
 * @module
 */

/** True if two types are the same. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2)
  ? true
  : false;

/** Does not compile unless two types are the same. */
export function same<_T extends true>(): void {}
