/**
 * Operators of reductions that kernels do not have: functions of the program, and those that also
 * tell which PE has the value.
 *
 * @module
 */

/**
 * Combines two values to one. It must be associative; the order of the PEs is kept.
 *
 * @category Collectives
 */
export type Combine<T> = (left: T, right: T) => T;

/**
 * The name of an operator.
 *
 * @category Collectives
 */
export type OperatorName = "sum" | "prod" | "min" | "max" | "and" | "or" | "xor";

/**
 * The name of an operator that also tells which PE has the value.
 *
 * @category Collectives
 */
export type LocatingName = "minLoc" | "maxLoc";

/**
 * The least or greatest value, and the PE that has it: the lowest if several have.
 *
 * @category Collectives
 */
export interface Located {
  /** The value; NaN if a PE has NaN. */
  readonly value: number;
  /** The PE. */
  readonly pe: number;
}

/**
 * The least or greatest of each element, and the PEs that have them.
 *
 * @category Collectives
 */
export interface LocatedEach {
  /** The values. */
  readonly values: Float64Array;
  /** The PE of each. */
  readonly pes: Uint32Array;
}

/**
 * Combines values in the order of the PEs.
 *
 * @param values The values.
 * @param combine The operator.
 * @returns The result.
 * @throws {TypeError} If the operator gives a promise.
 */
export function foldInOrder(values: readonly unknown[], combine: Combine<unknown>): unknown {
  return values.reduce((left, right) => {
    const result = combine(left, right);
    if (!(result instanceof Promise)) return result;
    // Nobody else sees its error.
    result.catch(() => {});
    throw new TypeError("Cannot combine values by a function that gives promises");
  });
}

/**
 * @param op Anything.
 * @returns Whether it is the name of an operator that also tells which PE has the value.
 */
export function isLocating(op: unknown): op is LocatingName {
  return op === "minLoc" || op === "maxLoc";
}

/**
 * Finds the least or greatest of some numbers; NaN comes before any other, and -0 is less than 0.
 *
 * @param values One of each PE.
 * @param op Which.
 * @returns The value and its PE.
 */
export function locate(values: readonly number[], op: LocatingName): Located {
  const precedes = (a: number, b: number): boolean =>
    Number.isNaN(a) ? !Number.isNaN(b) : op === "minLoc" ? isLess(a, b) : isLess(b, a);
  let pe = 0;
  values.forEach((value, other) => {
    if (!Number.isNaN(values[pe]!) && precedes(value, values[pe]!)) pe = other;
  });
  return { value: values[pe]!, pe };
}

/**
 * The same for each element of arrays.
 *
 * @param arrays One of each PE; all have the same length.
 * @param op Which.
 * @returns The values, and the PE that has each.
 */
export function locateEach(arrays: readonly ArrayLike<number>[], op: LocatingName): LocatedEach {
  const { length } = arrays[0]!;
  const [values, pes] = [new Float64Array(length), new Uint32Array(length)];
  for (let i = 0; i < length; i++) {
    const { value, pe } = locate(arrays.map((array) => array[i]!), op);
    values[i] = value;
    pes[i] = pe;
  }
  return { values, pes };
}

function isLess(a: number, b: number): boolean {
  return a < b || (a === b && Object.is(a, -0) && !Object.is(b, -0));
}
