/**
 * The collective methods of shared regions and of arrays, as text: those of each reduction in the
 * table of element operations, and those that only move elements.
 *
 * @module
 */

import { ELEMENT_OPS, type ElementOpInfo } from "../internal/element_ops.ts";

const RANGE = `
   * @param start Index of the first element in each part; 0 if left out.
   * @param count How many elements of each part; up to its end if left out.`;
const INTO = `
   * @param target A typed array of the element type, or a region whose part on this PE is filled.
   * @param start Index of the first element in each part; 0 if left out.`;
const ROOT = `
   * @param root The PE.`;
const DONE = "\n   * @returns A handle, done when the operation is complete.";

interface Form {
  readonly name: string;
  /** What it does, as a sentence without its full stop. */
  readonly does: string;
  /** Whether one PE gives or gets all. */
  readonly root: boolean;
  /** What it gives, where it makes a new array. */
  readonly gives: string;
  /** The type of that. */
  readonly type: string;
  /** The call of `services.collectives` up to what was called. */
  readonly run: string;
  /** How many elements of each part belong to a target. */
  readonly counted: string;
}

/** Into a new array, and into a target. */
function both(form: Form): string {
  const { name, does, root, gives, type, run, counted } = form;
  const parameter = root ? "root: number, " : "";
  const call = root ? "root, " : "";
  return `
  /**
   * ${does}. Collective.
   *${root ? ROOT : ""}${RANGE}
   * @returns A handle for ${gives}.
   */
  ${name}(${parameter}start = 0, count: number = this.length - start): CollectiveHandle<${type}> {
    const call = { op: "${name}", ${call}start, count };
    return ${run}call);
  }

  /**
   * Like \`${name}\`, into what there is.
   *${root ? ROOT : ""}${INTO}${DONE}
   */
  ${name}IntoBuffer(
    ${parameter}target: GetTarget<E>,
    start = 0,
  ): CollectiveHandle<void> {
    const count = ${counted};
    const call = { op: "${name}IntoBuffer", ${call}start, count, into: target };
    return ${run}call);
  }`;
}

function inPlace(name: string, does: string, root: boolean, run: string): string {
  return `
  /**
   * ${does}. Collective.
   *${root ? ROOT : ""}${RANGE}${DONE}
   */
  ${name}InPlace(
    ${root ? "root: number, " : ""}start = 0,
    count: number = this.length - start,
  ): CollectiveHandle<void> {
    const call = { op: "${name}InPlace", ${root ? "root, " : ""}start, count, inPlace: true };
    return ${run}call);
  }`;
}

const REDUCTIONS = ELEMENT_OPS.filter(({ reduction }) => reduction);

const OF_LENGTH = "target.length";

/** What calls a reduction of a range of all parts. */
function reducing({ name }: ElementOpInfo, kind: "reduce" | "reduceScatter"): string {
  return `this.services.collectives.${kind}(this[MEMORY], "${name}", `;
}

function ranges({ reduction }: ElementOpInfo): string {
  return `a range of all parts, element by element, by "${reduction!.name}"`;
}

function reductions(op: ElementOpInfo): string[] {
  const { method } = op.reduction!;
  const what = ranges(op);
  const reduce = reducing(op, "reduce");
  return [
    both({
      name: `${method}All`,
      does: `Combines ${what}`,
      root: false,
      gives: "the result",
      type: "ElementArray<E>",
      run: reduce,
      counted: OF_LENGTH,
    }),
    both({
      name: `${method}AtPe`,
      does: `Combines ${what}, on one PE`,
      root: true,
      gives: "the result; null on every other PE",
      type: "ElementArray<E> | null",
      run: reduce,
      counted: OF_LENGTH,
    }),
    both({
      name: `${method}Scatter`,
      does: `Combines ${what}, and gives each PE as many elements of the result`,
      root: false,
      gives: "the elements of this PE",
      type: "ElementArray<E>",
      run: reducing(op, "reduceScatter"),
      counted: "target.length * this.numPes",
    }),
  ];
}

function reductionsInPlace(op: ElementOpInfo): string[] {
  const { method } = op.reduction!;
  const what = ranges(op);
  const reduce = reducing(op, "reduce");
  return [
    inPlace(`${method}All`, `Combines ${what}, and writes the result to each part`, false, reduce),
    inPlace(
      `${method}AtPe`,
      `Combines ${what}, and writes the result to one PE's part`,
      true,
      reduce,
    ),
  ];
}

const MOVES: readonly Form[] = [
  {
    name: "gatherAll",
    does: "Collects a range of all parts, in the order of the PEs",
    root: false,
    gives: "the elements",
    type: "ElementArray<E>",
    run: "this.services.collectives.gather(this[MEMORY], ",
    counted: "target.length / this.numPes",
  },
  {
    name: "gatherAtPe",
    does: "Collects a range of all parts on one PE, in the order of the PEs",
    root: true,
    gives: "the elements; null on every other PE",
    type: "ElementArray<E> | null",
    run: "this.services.collectives.gather(this[MEMORY], ",
    counted: "target.length / this.numPes",
  },
  {
    name: "allToAll",
    does: "Cuts a range of each part into a piece for each PE, and gives each PE its pieces",
    root: false,
    gives: "the pieces, in the order of the PEs",
    type: "ElementArray<E>",
    run: "this.services.collectives.exchange(this[MEMORY], ",
    counted: OF_LENGTH,
  },
  {
    name: "scatterFromPe",
    does:
      "Cuts a range of one PE's part into as many pieces as there are PEs, and gives each PE one",
    root: true,
    gives: "the piece of this PE",
    type: "ElementArray<E>",
    run: "this.services.collectives.exchange(this[MEMORY], ",
    counted: "target.length * this.numPes",
  },
];

const BROADCAST = `
  /**
   * Copies a range of one PE's part to all other parts. Collective.
   *${ROOT}${RANGE}${DONE}
   */
  broadcast(
    root: number,
    start = 0,
    count: number = this.length - start,
  ): CollectiveHandle<void> {
    const call = { op: "broadcast", root, start, count };
    return this.services.collectives.broadcast(this[MEMORY], call);
  }`;

/** The text of the collective methods of shared regions. */
export function collectives(): string {
  return [
    ...REDUCTIONS.flatMap((op) => [...reductions(op), ...reductionsInPlace(op)]),
    ...MOVES.map(both),
    BROADCAST,
  ].join("\n");
}

/** The text of those methods of arrays that leave the array as it is. */
export function arrayCollectives(): string {
  return ofArrays([...REDUCTIONS.flatMap(reductions), ...MOVES.map(both)]);
}

/** The text of those that change it. */
export function arrayCollectivesInPlace(): string {
  return ofArrays([...REDUCTIONS.flatMap(reductionsInPlace), BROADCAST]);
}

/** Parts of an array may have different lengths, so the elements of it are not those of a part. */
function ofArrays(methods: readonly string[]): string {
  return methods.join("\n")
    .replaceAll("; up to its end if left out.", "; all if left out, if each has as many.")
    .replaceAll("in each part", "of each PE")
    .replaceAll("each part", "each PE")
    .replaceAll("all parts", "all PEs")
    .replaceAll("other parts", "other PEs")
    .replaceAll("one PE's part", "one PE")
    .replaceAll(/count: number = this\.length - start/g, "count?: number")
    .replaceAll(
      /( +)const call = \{ op: ("\w+")([^}]*\};)\n +return this\.services\.(.*?)this\[MEMORY\]/g,
      "$1const call = { op: $2$3\n" +
        "$1return keeping(this, $2, ({ collectives, memory }) => $4memory",
    )
    // The end of the call that began there.
    .replaceAll(/^( +return keeping\(.*)\);$/gm, "$1));");
}
