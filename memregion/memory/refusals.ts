/**
 * The errors of regions: each says what the program tried where, and what is true instead.
 *
 * @module
 */

import { nodePlace } from "../../internal/node_names.ts";
import type { OpDomain, Operand } from "../../internal/element_ops.ts";
import { ClosedError, LamellarError } from "../../internal/errors.ts";
import { isGone, lengthGetter } from "../../internal/typed_arrays.ts";
import type { Allocation } from "./allocation.ts";
import type { ArrayShape } from "./array_shape.ts";
import { type ElementInfo, type TypedArrayLike, valuesTaken } from "../../internal/elements.ts";

/**
 * The program tried to use data directly that is not in the memory of this PE.
 *
 * @category Errors
 */
export class MemNotLocalError extends LamellarError {
  /** The name of the class. */
  override name = "MemNotLocalError";
  /**
   * @param message What was asked of which region.
   * @param pe The PE that has the data.
   * @internal
   */
  constructor(message: string, pe: number) {
    super("ERR_MEM_NOT_LOCAL", message, { pe });
  }
}

/** What a message has to know of a region. */
export interface Described {
  /** Where it is. */
  readonly allocation: Allocation;
  /** Access to its elements. */
  readonly access: { readonly info: ElementInfo };
  /** Elements of each part. */
  readonly length: number;
  /** What an array is. */
  readonly shape?: ArrayShape | undefined;
}

/**
 * How messages call a region.
 *
 * @param region The region.
 * @returns Such as "region 7", or what the array is called.
 */
export function labelOf({ allocation, shape }: Described): string {
  return shape === undefined ? allocation.owners.label : shape.label;
}

/**
 * Refuses any use of a region that is closed.
 *
 * @param region The region.
 * @param verb What the user wanted, with its preposition.
 */
export function refuseClosed(region: Described, verb: string): never {
  const { closed, state } = region.allocation;
  if (state.failure) throw state.failure;
  throw new ClosedError(`Cannot ${verb} ${labelOf(region)}: ${closed || state.closed}`);
}

/**
 * Finds out why a position was refused, and says so.
 *
 * @param region The region.
 * @param op What the user called.
 * @param part The part.
 * @param index Index of the first element.
 * @param count How many elements.
 */
export function refusePosition(
  region: Described,
  op: string,
  part: number,
  index: number,
  count: number,
): never {
  const { allocation } = region;
  const how = prepositionOf(op);
  const label = labelOf(region);
  if (allocation.closed || allocation.state.closed) refuseClosed(region, `${op} ${how}`);
  if (typeof part !== "number" || part >>> 0 !== part || part >= allocation.addresses.length) {
    throw rangeOrType(
      part,
      `Cannot ${op} ${how} ${label} on PE ${shown(part)}: ` +
        `${allocation.owners.group ?? "it"} has ${allocation.pes.length} PEs`,
    );
  }
  // As the user counts: a part of a shared region is a PE of its group.
  const pe = allocation.oneSided ? allocation.pes[part]! : part;
  if (!Number.isSafeInteger(index) || index < 0) {
    throw rangeOrType(
      index,
      `Cannot ${op} at index ${shown(index)} ${how} ${label} on PE ${pe}: ` +
        "the index must be an integer of at least 0",
    );
  }
  if (!Number.isSafeInteger(count) || count < 0) {
    throw rangeOrType(
      count,
      `Cannot ${op} ${shown(count)} elements ${how} ${label} on PE ${pe}: ` +
        "the number must be an integer of at least 0",
    );
  }
  if (index + count > region.length) {
    throw new RangeError(
      `Cannot ${op} ${elements(count)} at index ${index} ${how} ${label} on PE ${pe}: ` +
        `the region has ${elements(region.length)}`,
    );
  }
  return refuseStale(region, op, allocation.pes[part]!);
}

/**
 * What an operation on a region is, to continue "Cannot".
 *
 * @param region The region.
 * @param op What the user called.
 * @returns Such as "put into region 7".
 */
export function operationOn(region: Described, op: string): string {
  return `${op} ${prepositionOf(op)} ${labelOf(region)}`;
}

/**
 * Refuses a region whose owner disposed it.
 *
 * @param region The region.
 * @param op What the user called.
 * @param pe The owner.
 */
export function refuseStale(region: Described, op: string, pe: number): never {
  throw new ClosedError(`Cannot ${operationOn(region, op)}: it was disposed by PE ${pe}`, { pe });
}

/**
 * Refuses direct use of data on another PE.
 *
 * @param region The region.
 * @param lamella This PE, or a client.
 * @param op What the user called.
 */
export function refuseRemote(
  region: Described,
  { numPes, pe }: { readonly numPes: number; readonly pe: number },
  op: string,
): never {
  const { allocation } = region;
  const owner = allocation.pes[0]!;
  const isClient = pe >= numPes;
  const where = nodePlace(pe, numPes);
  const who = isClient ? "it" : "the PE";
  const how = isClient ? "; use it on the PEs, in a closure or an AM" : "";
  const why = (allocation.oneSided ? `its data is on PE ${owner}` : `${who} has no part of it`) +
    how;
  throw new MemNotLocalError(`Cannot ${op} ${labelOf(region)} ${where}: ${why}`, owner);
}

/**
 * Refuses direct use of data of another process.
 *
 * @param region The region.
 * @param pe The PE that has it.
 * @param op What the user called.
 */
export function refuseFar(region: Described, pe: number, op: string): never {
  const why = "it is in another process, whose memory this one does not share; use get and put";
  throw new MemNotLocalError(`Cannot ${op} ${labelOf(region)} of PE ${pe}: ${why}`, pe);
}

/**
 * Refuses a value.
 *
 * @param region The region.
 * @param op What the user called.
 * @param value The value.
 */
export function refuseValue(region: Described, op: string, value: unknown): never {
  const { info } = region.access;
  const text = `Cannot ${op} ${shown(value)} ${prepositionOf(op)} ${labelOf(region)} of ` +
    `${info.type}: it takes ${valuesTaken(info)}`;
  // Of the kinds two are called as the types of their values are.
  const kind: string = typeof value;
  const right = kind === (info.kind === "bigint" || info.kind === "boolean" ? info.kind : "number");
  throw right ? new RangeError(text) : new TypeError(text);
}

/**
 * Checks an operand that has to be more than a value of the element type.
 *
 * @param region The region.
 * @param op What the user called.
 * @param operand What it takes.
 * @param value A value of the type.
 * @throws {RangeError} If it does not fit.
 */
export function checkOperand(
  region: Described,
  op: string,
  operand: Operand,
  value: unknown,
): void {
  if (operand.fits(value as number | bigint)) return;
  throw new RangeError(
    `Cannot ${op} ${shown(value)} ${prepositionOf(op)} ${labelOf(region)} of ` +
      `${region.access.info.type}: it takes ${operand.taken}`,
  );
}

/**
 * Checks the operands of a batch.
 *
 * @param region The region.
 * @param op What the user called.
 * @param operand What it takes.
 * @param values Values of the type.
 * @throws {RangeError} If one does not fit.
 */
export function checkOperands(
  region: Described,
  op: string,
  operand: Operand | undefined,
  values: ArrayLike<unknown>,
): void {
  if (operand === undefined) return;
  for (let i = 0; i < values.length; i++) checkOperand(region, op, operand, values[i]);
}

/**
 * Refuses a source or target.
 *
 * @param region The region.
 * @param op What the user called.
 * @param how "into" or "from".
 * @param value What was given.
 */
export function refuseClass(
  region: Described,
  op: string,
  how: "into" | "from",
  value: unknown,
): never {
  const { info } = region.access;
  const text = how === "into"
    ? `Cannot ${op} ${shown(value)} into ${labelOf(region)} of ${info.type}`
    : `Cannot ${op} from ${labelOf(region)} of ${info.type} into ${shown(value)}`;
  throw new TypeError(`${text}: it takes ${withArticle(info.arrayClass.name)}`);
}

/**
 * Refuses an array that has no memory any more, which looks like an empty one.
 *
 * @param region The region.
 * @param op What the user called.
 * @param array An array of no elements.
 * @throws {TypeError} If its buffer was transferred, or became too short for it.
 */
export function checkEmpty(region: Described, op: string, array: TypedArrayLike<unknown>): void {
  if (!isGone(array as unknown as ArrayBufferView)) return;
  throw new TypeError(
    `Cannot ${operationOn(region, op)}: the memory of ${withArticle(array.constructor.name)} is ` +
      "gone: its buffer was transferred or shrunk",
  );
}

/**
 * Refuses an array whose class, or a property of its own, tells another length than it has: that
 * was checked, and all of its elements would be copied.
 *
 * @param region The region.
 * @param op What the user called.
 * @param how "into" or "from".
 * @param array The array.
 * @throws {TypeError} If the two differ.
 */
export function checkLengthTold(
  region: Described,
  op: string,
  how: "into" | "from",
  array: TypedArrayLike<unknown>,
): void {
  if (lengthGetter.call(array) !== array.length) refuseClass(region, op, how, array);
}

/**
 * Refuses to copy between regions of different element types.
 *
 * @param region The region the operation is on.
 * @param op What the user called.
 * @param how "into" or "from".
 * @param other The other region.
 */
export function refuseElements(
  region: Described,
  op: string,
  how: "into" | "from",
  other: Described,
): never {
  const [from, to] = how === "into" ? [other, region] : [region, other];
  throw new TypeError(
    `Cannot ${op} from ${labelOf(from)} of ${from.access.info.type} into ${labelOf(to)} of ` +
      `${to.access.info.type}: their elements differ`,
  );
}

/** What has the operations of a domain, to say why another type has not. */
const DOMAIN_WORDS: Readonly<Record<Exclude<OpDomain, "all">, string>> = {
  numbers: "arithmetic takes numbers",
  bits: "bitwise operations take integers and booleans",
  integers: "shifts take integers",
};

/**
 * Refuses an operation that the type does not have.
 *
 * @param region The region.
 * @param op What the user called.
 * @param domain The types that have it.
 */
export function refuseOperation(region: Described, op: string, domain: OpDomain): never {
  throw new TypeError(
    `Cannot ${op} in ${labelOf(region)} of ${region.access.info.type}: ` +
      DOMAIN_WORDS[domain as keyof typeof DOMAIN_WORDS],
  );
}

/**
 * Refuses to give a 64-bit integer that no number holds exactly.
 *
 * @param region The region.
 * @param op What the user called; if it changes the element, the change is done.
 * @param part The part.
 * @param place Index of the element there.
 * @param value The integer, if it is known.
 */
export function refuseInexact(
  region: Described,
  op: string,
  part: number,
  place: number,
  value?: bigint,
): never {
  const { type } = region.access.info;
  const index = region.shape === undefined ? place : region.shape.distribution.indexOf(part, place);
  throw new RangeError(
    `Cannot ${op} ${value ?? "what was"} at index ${index} ${prepositionOf(op)} ` +
      `${labelOf(region)} of ${type}: it is beyond what a number holds exactly; use big${type}`,
  );
}

/**
 * The same for an item of a list.
 *
 * @param region The region.
 * @param op What the user called; if it changes elements, the change is done.
 * @param item The place of the integer in the list.
 * @param value The integer.
 */
export function refuseInexactItem(
  region: Described,
  op: string,
  item: number,
  value: bigint,
): never {
  const { type } = region.access.info;
  throw new RangeError(
    `Cannot ${op} ${value} (item ${item}) ${prepositionOf(op)} ${labelOf(region)} of ${type}: ` +
      `it is beyond what a number holds exactly; use big${type}`,
  );
}

function prepositionOf(op: string): "into" | "from" | "in" {
  if (/^(?:put|store|scatter|batchStore)/.test(op)) return "into";
  return /^(?:get|load|gather)/.test(op) ? "from" : "in";
}

function elements(count: number): string {
  return count === 1 ? "1 element" : `${count} elements`;
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return String(value);
  const name: unknown = value.constructor?.name;
  return typeof name === "string" && name !== "" ? withArticle(name) : "an object";
}

function withArticle(name: string): string {
  return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
}

function rangeOrType(value: unknown, text: string): Error {
  return typeof value === "number" ? new RangeError(text) : new TypeError(text);
}
