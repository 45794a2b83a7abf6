/**
 * The table of element operations: the ways to change an element by an operand. Kernels, methods
 * of regions, operations at far PEs, error texts and tests derive from it.
 *
 * Each has up to four forms, named after it: `add` changes an element, `fetchAdd` also gives what
 * it was, `batchAdd` and `batchFetchAdd` do the same to each of a list of elements.
 *
 * @module
 */

import { type ElementInfo, type ElementKind, valuesTaken } from "./elements.ts";

/**
 * The name of an operation on elements.
 *
 * @category Arrays
 */
export type ElementOp =
  | "store"
  | "swap"
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "rem"
  | "and"
  | "or"
  | "xor"
  | "shl"
  | "shr"
  | "min"
  | "max";

/** Operations that floats do not have. */
export type IntegerOp = "and" | "or" | "xor" | "shl" | "shr";

/** Which element types have an operation: floats, integers and booleans; all but one; or one. */
export type OpDomain = "all" | "numbers" | "bits" | "integers";

const DOMAINS: Readonly<Record<OpDomain, readonly ElementKind[]>> = {
  all: ["float", "integer", "exact", "bigint", "boolean"],
  numbers: ["float", "integer", "exact", "bigint"],
  bits: ["integer", "exact", "bigint", "boolean"],
  integers: ["integer", "exact", "bigint"],
};

/** Operations with a form that gives nothing: to swap and forget is to store. */
export type UpdateOp = Exclude<ElementOp, "swap">;

/** Operations with a form that gives what the element was. */
export type FetchOp = Exclude<ElementOp, "store">;

/** The form of an operation that changes an element and gives what it was, as users call it. */
export type FetchName<O extends FetchOp> = O extends "swap" ? O : `fetch${Capitalize<O>}`;

/** The form that changes each of a list of elements. */
export type BatchName<O extends UpdateOp> = `batch${Capitalize<O>}`;

/** The form that changes each of a list of elements and gives what they were. */
export type BatchFetchName<O extends FetchOp> = `batch${Capitalize<FetchName<O>>}`;

/** Operations that reduce many values to one: associative and commutative, with an identity. */
export type ReductionOp = "add" | "mul" | "min" | "max" | "and" | "or" | "xor";

/** What a reduction is called where programs name it. */
export type ReductionName = "sum" | "prod" | "min" | "max" | "and" | "or" | "xor";

/** The value that changes nothing: 0, 1, the greatest or least of a type, or all bits. */
export type Identity = "zero" | "one" | "greatest" | "least" | "ones";

/** How an operation reduces values. */
export interface Reduction {
  readonly name: ReductionName;
  /** What the methods of regions begin with that reduce by it. */
  readonly method: string;
  /** What a reduction of no values gives. */
  readonly identity: Identity;
  /** The kernel that reduces two rows of elements to one. */
  readonly kernel: RowName<ReductionOp>;
}

/** The kernel that combines two rows of elements, one by one. */
export type RowName<O extends ReductionOp> = `row${Capitalize<O>}`;

/** One operation. */
export interface ElementOpInfo {
  readonly name: ElementOp;
  /** Its number on the wire. */
  readonly code: number;
  /** The kernel that changes one element. */
  readonly kernel: `atomic${Capitalize<ElementOp>}`;
  /** The form that gives what the element was, as users call it, if it has one. */
  readonly fetchName: string;
  /** Its forms for a list of elements, as users call them, as far as it has them. */
  readonly batchName: BatchName<UpdateOp>;
  readonly batchFetchName: BatchFetchName<FetchOp>;
  /** What it does, as documentation says it; the element stands for "…". */
  readonly does: string;
  /** The types that have it. */
  readonly domain: OpDomain;
  /** Whether it has a form that gives nothing. */
  readonly updates: boolean;
  /** Whether it has a form that gives what the element was. */
  readonly fetches: boolean;
  /** What the operand may be, if not any value of the type. */
  readonly operand: "divisor" | "shift" | undefined;
  /** How it reduces values, if it does. */
  readonly reduction: Reduction | undefined;
}

type Row = readonly [
  name: ElementOp,
  domain: OpDomain,
  traits: readonly Trait[],
  does: string,
  reduction?: readonly [name: ReductionName, identity: Identity],
];
type Trait = "updates" | "fetches" | "divides" | "shifts";

const BOTH: readonly Trait[] = ["updates", "fetches"];

/** The index of a row is the operation's number on the wire. */
const ROWS: readonly Row[] = [
  ["store", "all", ["updates"], "Writes …"],
  ["swap", "all", ["fetches"], "Replaces …"],
  ["add", "numbers", BOTH, "Adds to …", ["sum", "zero"]],
  ["sub", "numbers", BOTH, "Subtracts from …"],
  ["mul", "numbers", BOTH, "Multiplies …", ["prod", "one"]],
  ["div", "numbers", [...BOTH, "divides"], "Divides …, rounding integers towards zero"],
  [
    "rem",
    "numbers",
    [...BOTH, "divides"],
    "Replaces … by the remainder of its division, as `%` gives it",
  ],
  ["and", "bits", BOTH, "Keeps only the given bits of …", ["and", "ones"]],
  ["or", "bits", BOTH, "Sets bits of …", ["or", "zero"]],
  ["xor", "bits", BOTH, "Flips bits of …", ["xor", "zero"]],
  ["shl", "integers", [...BOTH, "shifts"], "Shifts the bits of … to the left"],
  ["shr", "integers", [...BOTH, "shifts"], "Shifts the bits of … to the right, keeping the sign"],
  ["min", "numbers", BOTH, "Keeps the smaller of … and a value", ["min", "greatest"]],
  ["max", "numbers", BOTH, "Keeps the larger of … and a value", ["max", "least"]],
];

/** All operations; the index of each is its number on the wire. */
export const ELEMENT_OPS: readonly ElementOpInfo[] = ROWS.map((
  [name, domain, traits, does, reduction],
  code,
) => ({
  name,
  code,
  kernel: atomicName(name),
  fetchName: fetchName(name as FetchOp),
  batchName: batchName(name as UpdateOp),
  batchFetchName: batchFetchName(name as FetchOp),
  does,
  domain,
  updates: traits.includes("updates"),
  fetches: traits.includes("fetches"),
  operand: traits.includes("divides") ? "divisor" : traits.includes("shifts") ? "shift" : undefined,
  reduction: reduction && {
    name: reduction[0],
    method: domain === "bits" ? `bit${capital(name)}` : reduction[0],
    identity: reduction[1],
    kernel: rowName(name as ReductionOp),
  },
}));

const BY_NAME: ReadonlyMap<ElementOp, ElementOpInfo> = new Map(
  ELEMENT_OPS.map((op) => [op.name, op]),
);

/**
 * @param name The name of an operation.
 * @returns What is known of it.
 */
export function elementOp(name: ElementOp): ElementOpInfo {
  return BY_NAME.get(name)!;
}

/**
 * @param info An element type.
 * @returns The operations that it has.
 */
export function opsOf({ kind }: Pick<ElementInfo, "kind">): readonly ElementOpInfo[] {
  return ELEMENT_OPS.filter(({ domain }) => DOMAINS[domain].includes(kind));
}

/** What an operation takes, where that is less than all values of the element type. */
export interface Operand {
  /** Whether a value of the type is one. */
  readonly fits: (value: number | bigint) => boolean;
  /** Words that continue "it takes". */
  readonly taken: string;
}

/**
 * @param op An operation.
 * @param info An element type.
 * @returns What its operand has to be beside a value of the type, if there is anything.
 */
export function operandOf(op: ElementOpInfo, info: ElementInfo): Operand | undefined {
  if (op.operand === undefined || info.kind === "float") return undefined;
  if (op.operand === "divisor") {
    return { fits: (value) => Number(value) !== 0, taken: `${valuesTaken(info)} other than 0` };
  }
  const bits = 8 * info.bytes;
  const taken = `${info.kind === "bigint" ? "BigInts" : "integers"} from 0 to ${bits - 1}`;
  return { fits: (value) => value >= 0 && value < bits, taken };
}

/**
 * @param op An operation.
 * @returns Its form that gives what the element was, as users call it.
 */
export function fetchName<O extends FetchOp>(op: O): FetchName<O> {
  return (op === "swap" ? op : `fetch${capital(op)}`) as FetchName<O>;
}

/**
 * @param op An operation.
 * @returns Its form for a list of elements, as users call it.
 */
export function batchName<O extends UpdateOp>(op: O): BatchName<O> {
  return `batch${capital(op)}` as BatchName<O>;
}

/**
 * @param op An operation.
 * @returns Its form for a list of elements that gives what they were, as users call it.
 */
export function batchFetchName<O extends FetchOp>(op: O): BatchFetchName<O> {
  return `batch${capital(fetchName(op))}` as BatchFetchName<O>;
}

/**
 * @param op An operation.
 * @returns The kernel that changes one element.
 */
export function atomicName<O extends ElementOp>(op: O): `atomic${Capitalize<O>}` {
  return `atomic${capital(op)}` as `atomic${Capitalize<O>}`;
}

/**
 * @param op A reduction.
 * @returns The kernel that combines two rows of elements, one by one.
 */
export function rowName<O extends ReductionOp>(op: O): RowName<O> {
  return `row${capital(op)}` as RowName<O>;
}

/**
 * @param op A reduction.
 * @param info An element type that has it.
 * @returns The value of the type that changes no other by it.
 */
export function identityOf(op: ElementOpInfo, info: ElementInfo): number | bigint {
  const whole = info.kind === "bigint" ? BigInt : Number;
  switch (op.reduction!.identity) {
    case "zero":
      return whole(0);
    case "one":
      return whole(1);
    case "greatest":
      return info.max;
    case "least":
      return info.min;
    case "ones":
      return info.kind === "boolean" || info.min === 0 || info.min === 0n ? info.max : whole(-1);
  }
}

function capital(name: string): string {
  return name[0]!.toUpperCase() + name.slice(1);
}
