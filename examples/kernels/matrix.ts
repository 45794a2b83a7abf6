/**
 * What the matrix examples share: blocks of matrices, their owners, and their product.
 *
 * @module
 */

/** Square matrices of small integers, so that every product is exact and can be compared. */
export interface Problem {
  /** Rows and columns. */
  readonly size: number;
  /** Rows and columns of a block. */
  readonly block: number;
  /** Blocks in a row or column. */
  readonly blocks: number;
}

/**
 * Reads the arguments of a matrix example.
 *
 * @param args Size of the matrices and of the blocks.
 * @returns The problem.
 * @throws {RangeError} If the blocks do not fill the matrix.
 */
export function problemOf(args: readonly string[]): Problem {
  const [size = 256, block = 64] = args.map(Number);
  if (!(size > 0 && block > 0 && size % block === 0)) {
    throw new RangeError(`Cannot cut matrices of ${size} rows into blocks of ${block}`);
  }
  return { size, block, blocks: size / block };
}

/**
 * Makes a block of one of the two factors.
 *
 * @param problem The problem.
 * @param factor Which factor, 0 or 1.
 * @param row Row of the block.
 * @param column Column of the block.
 * @returns The block, row by row.
 */
export function makeBlock(
  problem: Problem,
  factor: number,
  row: number,
  column: number,
): Float64Array {
  const { block } = problem;
  const data = new Float64Array(block * block);
  for (let i = 0; i < data.length; i++) {
    const y = row * block + Math.floor(i / block);
    const x = column * block + i % block;
    data[i] = (y * 7 + x * 3 + factor) % 11 - 5;
  }
  return data;
}

/**
 * Adds the product of two blocks to a third.
 *
 * @param c The block to add to.
 * @param a The left factor.
 * @param b The right factor.
 * @param block Rows and columns of a block.
 */
export function multiplyAdd(
  c: Float64Array,
  a: Float64Array,
  b: Float64Array,
  block: number,
): void {
  for (let i = 0; i < block; i++) {
    for (let k = 0; k < block; k++) {
      const factor = a[i * block + k]!;
      for (let j = 0; j < block; j++) c[i * block + j]! += factor * b[k * block + j]!;
    }
  }
}

/**
 * A number that depends on every element and on where it is.
 *
 * @param data A block.
 * @param row Row of the block.
 * @param column Column of the block.
 * @returns The number, exact.
 */
export function fingerprint(data: Float64Array, row: number, column: number): number {
  return data.reduce((sum, value, i) => sum + value * (1 + (i * 31 + row * 17 + column) % 101), 0);
}

/**
 * The fingerprint of the whole product, computed on this PE alone.
 *
 * @param problem The problem.
 * @returns The number that every distributed computation has to find.
 */
export function serialFingerprint(problem: Problem): number {
  const { block, blocks } = problem;
  const rows = Array.from({ length: blocks }, (_, i) => i);
  const [left, right] = [0, 1].map((factor) =>
    rows.map((row) => rows.map((column) => makeBlock(problem, factor, row, column)))
  ) as [Float64Array[][], Float64Array[][]];
  let sum = 0;
  for (let row = 0; row < blocks; row++) {
    for (let column = 0; column < blocks; column++) {
      const c = new Float64Array(block * block);
      for (let k = 0; k < blocks; k++) {
        multiplyAdd(c, left[row]![k]!, right[k]![column]!, block);
      }
      sum += fingerprint(c, row, column);
    }
  }
  return sum;
}
