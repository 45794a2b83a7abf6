/**
 * Lines of tables, for the examples that measure.
 *
 * @module
 */

/**
 * A line of a table; cells are aligned to the right.
 *
 * @param widths Widths of the columns.
 * @param cells Their contents.
 * @returns The line.
 */
export function tableLine(widths: readonly number[], cells: readonly (string | number)[]): string {
  return cells.map((cell, i) => String(cell).padStart(widths[i] ?? 0)).join("  ");
}

/**
 * A number of PEs in words.
 *
 * @param numPes How many.
 * @returns Such as `"1 PE"` or `"4 PEs"`.
 */
export function pes(numPes: number): string {
  return numPes === 1 ? "1 PE" : `${numPes} PEs`;
}
