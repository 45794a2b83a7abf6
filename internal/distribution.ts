/**
 * Distributions: which part has an element of something that is spread over parts, and where in it.
 * Kernels know them as spreads (`kernels_spread.ts`), lists of indices are sorted by them.
 *
 * By blocks, neighbours stand in the same part: of n elements over p parts each part has
 * ⌊n / p⌋ in a row, and each of the first n mod p parts one more. Cyclic, neighbours stand in
 * neighbouring parts: element i is in part i mod p.
 *
 * @module
 */

/**
 * How elements are distributed over PEs: neighbours on one PE, or one after the other.
 *
 * @category Arrays
 */
export type DistributionKind = "block" | "cyclic";

/** Where the elements of a range are. Indices count from the beginning of the range. */
export class Distribution {
  /** By blocks or cyclic. */
  readonly kind: DistributionKind;
  /** How many parts there are. */
  readonly parts: number;
  /** Elements of the whole, of which this is a range. */
  readonly whole: number;
  /** The first element of the range in the whole. */
  readonly first: number;
  /** Elements of the range. */
  readonly length: number;
  /** By blocks: elements of each of the first `extras` parts, or of all if there are none. */
  readonly longBlock: number;
  /** By blocks: elements of each other part. */
  readonly block: number;
  /** By blocks: how many parts have one element more than others. */
  readonly extras: number;
  /** By blocks: elements before the first part that has none more; all if there is no such part. */
  readonly edge: number;

  /**
   * @param kind By blocks or cyclic.
   * @param parts How many parts there are, at least 1.
   * @param whole Elements of the whole.
   * @param first The first element of the range in it.
   * @param length Elements of the range.
   */
  constructor(
    kind: DistributionKind,
    parts: number,
    whole: number,
    first = 0,
    length: number = whole - first,
  ) {
    this.kind = kind;
    this.parts = parts;
    this.whole = whole;
    this.first = first;
    this.length = length;
    this.block = Math.floor(whole / parts);
    this.extras = kind === "block" ? whole - this.block * parts : 0;
    this.longBlock = this.extras > 0 ? this.block + 1 : Math.max(1, this.block);
    this.edge = this.extras > 0 ? this.extras * this.longBlock : whole;
  }

  /**
   * The part that has an element.
   *
   * @param index An index below the length; it is not checked.
   * @returns The part.
   */
  partOf(index: number): number {
    const g = index + this.first;
    if (this.kind === "cyclic") return g % this.parts;
    return g < this.edge
      ? Math.floor(g / this.longBlock)
      : this.extras + Math.floor((g - this.edge) / this.block);
  }

  /**
   * Where an element is in its part.
   *
   * @param index An index below the length; it is not checked.
   * @param part The part that has it.
   * @returns How many elements of the whole stand before it there.
   */
  placeOf(index: number, part: number): number {
    const g = index + this.first;
    return this.kind === "cyclic" ? (g - part) / this.parts : g - this.#firstOf(part);
  }

  /**
   * The element at a place of a part.
   *
   * @param part The part.
   * @param place How many elements of the whole stand before it there.
   * @returns Its index, which is outside of the range if the element is.
   */
  indexOf(part: number, place: number): number {
    const g = this.kind === "cyclic" ? place * this.parts + part : this.#firstOf(part) + place;
    return g - this.first;
  }

  /**
   * The elements of the range that a part has, which stand in a row there.
   *
   * @param part The part.
   * @returns The place of the first one, and how many there are; the place is 0 if there are none.
   */
  inPart(part: number): { readonly place: number; readonly count: number } {
    const { first, kind, parts } = this;
    const end = first + this.length;
    const begin = this.#firstOf(part);
    const [place, behind] = kind === "cyclic"
      ? [Math.max(0, Math.ceil((first - part) / parts)), Math.ceil((end - part) / parts)]
      : [Math.max(0, first - begin), Math.min(end, this.#firstOf(part + 1)) - begin];
    return behind > place ? { place, count: behind - place } : { place: 0, count: 0 };
  }

  /**
   * Elements of the range that stand in a row in a part, from one of them on.
   *
   * @param index An index below the length; it is not checked.
   * @param part The part that has it.
   * @returns How many; cyclic, neighbours stand in other parts.
   */
  rowFrom(index: number, part: number): number {
    if (this.kind === "cyclic") return this.parts === 1 ? this.length - index : 1;
    return Math.min(this.length, this.#firstOf(part + 1) - this.first) - index;
  }

  /** Elements of the part that has most. */
  get longestPart(): number {
    return Math.ceil(this.whole / this.parts);
  }

  /**
   * The same places by another kind of distribution.
   *
   * @param kind By blocks or cyclic.
   * @returns It.
   */
  as(kind: DistributionKind): Distribution {
    return new Distribution(kind, this.parts, this.whole, this.first, this.length);
  }

  /**
   * A range of this range.
   *
   * @param begin Index of its first element.
   * @param end Index after its last.
   * @returns Its distribution.
   */
  range(begin: number, end: number): Distribution {
    const { kind, parts, whole, first } = this;
    return new Distribution(kind, parts, whole, first + begin, end - begin);
  }

  /** By blocks: the first element of the whole that a part has. */
  #firstOf(part: number): number {
    return part * this.block + Math.min(part, this.extras);
  }
}
