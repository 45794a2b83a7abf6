/**
 * The errors of regions: each says who did what where, and what holds instead.
 *
 * @module
 */

import { ClosedError, LamellarError } from "../internal/errors.ts";
import type { Allocation } from "./allocation.ts";
import { type ElementInfo, valuesTaken } from "./element_types.ts";

/** Data that is not in the memory of this PE was to be used directly. */
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
  /** Where it lies. */
  readonly allocation: Allocation;
  /** Access to its elements. */
  readonly access: { readonly info: ElementInfo };
  /** Elements of each part. */
  readonly length: number;
}

/**
 * How messages call a region.
 *
 * @param region The region.
 * @returns Such as "region 7".
 */
export function labelOf({ allocation }: Described): string {
  return `${allocation.oneSided ? "one-sided region" : "region"} ${allocation.id}`;
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
 * @param numPes Number of PEs of the world.
 * @param op What the user called.
 * @param part The part.
 * @param index Index of the first element.
 * @param count How many elements.
 */
export function refusePosition(
  region: Described,
  numPes: number,
  op: string,
  part: number,
  index: number,
  count: number,
): never {
  const { allocation } = region;
  const how = prepositionOf(op);
  const label = labelOf(region);
  if (allocation.closed || allocation.state.closed) refuseClosed(region, `${op} ${how}`);
  const pe = allocation.firstPe + part;
  if (part >>> 0 !== part || part >= allocation.addresses.length) {
    throw rangeOrType(
      part,
      `Cannot ${op} ${how} ${label} on PE ${shown(part)}: the world has ${numPes} PEs`,
    );
  }
  if (!Number.isSafeInteger(index) || index < 0) {
    throw rangeOrType(
      index,
      `Cannot ${op} at index ${shown(index)} ${how} ${label} on PE ${pe}: ` +
        "the index has to be an integer from 0",
    );
  }
  if (!Number.isSafeInteger(count) || count < 0) {
    throw rangeOrType(
      count,
      `Cannot ${op} ${shown(count)} elements ${how} ${label} on PE ${pe}: ` +
        "the number has to be an integer from 0",
    );
  }
  if (index + count > region.length) {
    throw new RangeError(
      `Cannot ${op} ${elements(count)} at index ${index} ${how} ${label} on PE ${pe}: ` +
        `the region has ${elements(region.length)}`,
    );
  }
  return refuseStale(region, op, pe);
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
 * @param pe This PE.
 * @param op What the user called.
 */
export function refuseRemote(region: Described, pe: number, op: string): never {
  const owner = region.allocation.firstPe;
  throw new MemNotLocalError(
    `Cannot ${op} ${labelOf(region)} on PE ${pe}: its data is on PE ${owner}`,
    owner,
  );
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
  const right = info.kind === "bigint" ? typeof value === "bigint" : typeof value === "number";
  throw right ? new RangeError(text) : new TypeError(text);
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

/**
 * Refuses a bitwise operation on floats.
 *
 * @param region The region.
 * @param op What the user called.
 */
export function refuseBitwise(region: Described, op: string): never {
  throw new TypeError(
    `Cannot ${op} in ${labelOf(region)} of ${region.access.info.type}: ` +
      "bitwise operations take integers",
  );
}

/**
 * Refuses to give a 64-bit integer that no number holds exactly.
 *
 * @param region The region.
 * @param op What the user called; if it changes the element, the change is done.
 * @param index Index of the element.
 * @param value The integer, if it is known.
 */
export function refuseInexact(
  region: Described,
  op: string,
  index: number,
  value?: bigint,
): never {
  const { type } = region.access.info;
  throw new RangeError(
    `Cannot ${op} ${value ?? "what was"} at index ${index} ${prepositionOf(op)} ` +
      `${labelOf(region)} of ${type}: it is beyond what a number holds exactly, use big${type}`,
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
