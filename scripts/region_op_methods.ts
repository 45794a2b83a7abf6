/**
 * The methods of regions that the table of element operations makes, as text.
 *
 * @module
 */

import type { ElementOpInfo, OpDomain } from "../internal/element_ops.ts";

/** The type of an operand, by which element types have the operation. */
export const VALUES: Readonly<Record<OpDomain, string>> = {
  all: "ElementValue<E>",
  numbers: "NumericValue<E>",
  bits: "BitsValue<E>",
  integers: "IntegerValue<E>",
};

/** The type of a list of operands. */
export const SOURCES: Readonly<Record<OpDomain, string>> = {
  all: "PutSource<E>",
  numbers: "NumericSource<E>",
  bits: "BitsSource<E>",
  integers: "IntegerSource<E>",
};

const DONE = ", done when the operation is complete";
const AN_ELEMENT = "an element";
const EACH = "each element of a list";

/** The forms of an operation that change one element. */
export function single(op: ElementOpInfo): string[] {
  const { domain, name, fetchName, updates, fetches } = op;
  const value = VALUES[domain];
  const operand = name === "store" || name === "swap" ? "Its new value." : "The operand.";
  const does = op.does.replace("…", AN_ELEMENT);
  const fetched = name === "swap" ? does : `${does}, and gives its previous value`;
  const head = (what: string, returns: string): string => `
  /**
   * ${what}.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param value ${operand}
   * @returns A handle${returns}.
   */`;
  return [
    ...updates
      ? [`${head(name === "store" ? `${does} atomically` : does, DONE)}
  ${name}(pe: number, index: number, value: ${value}): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.update.${name}(memory, pe, index, value));
  }`]
      : [],
    ...fetches
      ? [`${head(fetched, " for its previous value")}
  ${fetchName}(pe: number, index: number, value: ${value}): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.fetch.${name}(memory, pe, index, value));
  }`]
      : [],
  ];
}

const AT_A_BAD_INDEX =
  "@throws {RangeError} If an index is out of range; those before it have been processed.";

/** The forms of an operation that change each of a list of elements. */
export function batched(op: ElementOpInfo): string[] {
  const { domain, updates, fetches, batchName, batchFetchName } = op;
  const does = op.does.replace("…", EACH);
  const source = SOURCES[domain];
  const head = (what: string, tail: string): string => `
  /**
   * ${what}.
   *
   * @param indices The indices.
   * @param values One value for each index, or one for all.
   ${tail}
   * ${AT_A_BAD_INDEX}
   */`;
  const update = `${head(`${does}.\n   * Each change is atomic`, `* @returns A handle${DONE}.`)}
  ${batchName}(indices: IndexSource, values: ${source}): RmaHandle<void> {
    return this.services.ended(
      this.services.batches.run(this[MEMORY], "${batchName}", { indices, values }),
    );
  }`;
  const tells = `${does}, and gives their previous values.\n   * Each change is atomic`;
  const fetch = `${head(tells, "* @returns A handle for a new typed array of these.")}
  ${batchFetchName}(indices: IndexSource, values: ${source}): RmaHandle<ElementArray<E>>;
  ${head(tells, `* @param target What to fill.\n   * @returns A handle${DONE}.`)}
  ${batchFetchName}(
    indices: IndexSource,
    values: ${source},
    target: GetTarget<E>,
  ): RmaHandle<void>;
  ${batchFetchName}(
    indices: IndexSource,
    values: ${source},
    target?: GetTarget<E>,
  ): RmaHandle<ElementArray<E>> | RmaHandle<void> {
    const into = target ?? arrayFor(this.type, indices);
    const { batches } = this.services;
    const rest = batches.run(this[MEMORY], "${batchFetchName}", { indices, values, target: into });
    return target
      ? this.services.ended(rest)
      : this.services.givenAfter(rest, () => into as ElementArray<E>);
  }`;
  return [...updates ? [update] : [], ...fetches ? [fetch] : []];
}
