/**
 * What the tests of examples have in common.
 *
 * @module
 */

/** What an example wrote: its lines in order, and sorted, since PEs write in any order. */
export interface Output {
  readonly lines: readonly string[];
  readonly sorted: readonly string[];
  readonly text: string;
}

/** An example, and what it has to write. */
export interface Example {
  /** Its path below the folder. */
  readonly name: string;
  /** Its arguments. */
  readonly args?: readonly string[];
  /** Numbers of PEs; 2 and 3 without it. */
  readonly pes?: readonly number[];
  /** Looks at what it wrote. */
  readonly check: (output: Output, pes: number) => void;
}

/**
 * @param pes Number of PEs.
 * @param make Makes the value of one.
 * @returns One value for each PE.
 */
export function each<T>(pes: number, make: (pe: number) => T): T[] {
  return Array.from({ length: pes }, (_, pe) => make(pe));
}

/**
 * @param output What an example wrote.
 * @param pattern Matches some lines.
 * @returns The numbers in the first group of those lines.
 */
export function numbersOf(output: Output, pattern: RegExp): number[] {
  return output.lines.flatMap((line) => {
    const found = pattern.exec(line);
    return found ? [Number(found[1])] : [];
  });
}
