/**
 * The objects of libfabric: structures that start with a `struct fid`, and tables of operations.
 *
 * @module
 */

import { FeatureLevelError } from "../internal/errors.ts";
import { FABRIC, FI } from "./fabric_abi.ts";
import { checkFabric } from "./fabric_library.ts";
import { functionAt, wordAt } from "./native.ts";

/**
 * Reads a pointer of a table of operations. Such a table starts with its size and only grows, so a
 * library that is older than the headers may end before an operation.
 *
 * @param table The address of the table
 * @param offset Where the pointer stands in it, in bytes
 * @param op The operation, for the error
 * @param provider The provider, for the error
 * @returns The address of the function
 * @throws {FeatureLevelError} If the provider does not have the operation
 */
export function operation(table: bigint, offset: number, op: string, provider: string): bigint {
  if (table !== 0n && wordAt(table) > BigInt(offset)) {
    const address = wordAt(table + BigInt(offset));
    if (address !== 0n) return address;
  }
  throw new FeatureLevelError(`Cannot use provider ${provider}: it has no ${op}`);
}

/**
 * Checks that an object is what it should be: a wrong offset shows here and not as a crash.
 *
 * @param fid The address of the object
 * @param fclass The class it should have
 * @param what What it is, for the error
 * @param provider The provider, for the error
 * @throws {FeatureLevelError} If it is something else
 */
export function checkClass(fid: bigint, fclass: number, what: string, provider: string): void {
  const found = fid === 0n ? undefined : wordAt(fid + BigInt(FABRIC.fid.fclass));
  if (found === BigInt(fclass)) return;
  throw new FeatureLevelError(
    `Cannot use provider ${provider}: its ${what} has class ${found ?? "none"} instead of ` +
      `${fclass}, so this libfabric has other layouts than Lamellar knows`,
  );
}

/** One object that was opened. */
export interface FabricObject {
  /** What it is. */
  readonly what: string;
  /** Its address. */
  readonly fid: bigint;
}

/**
 * Finds an operation that objects of every kind have.
 *
 * @param object The object
 * @param name The operation
 * @param provider The provider, for the error
 * @returns The address of the function
 * @throws {FeatureLevelError} If the provider does not have it
 */
export function baseOperation(
  object: FabricObject,
  name: "close" | "bind" | "control",
  provider: string,
): bigint {
  const table = wordAt(object.fid + BigInt(FABRIC.fid.ops));
  return operation(table, FABRIC.fi_ops[name], `fi_${name} of its ${object.what}`, provider);
}

/**
 * fi_close(3).
 *
 * @param object The object
 * @param provider The provider, for the error
 * @throws {TransportError} If it cannot be closed
 */
export function closeObject(object: FabricObject, provider: string): void {
  // int (*close)(struct fid *fid)
  const close = functionAt(baseOperation(object, "close", provider), {
    parameters: ["u64"],
    result: "i32",
  });
  checkFabric(close.call(object.fid), `close the ${object.what}`, { op: "fi_close", provider });
}

/**
 * fi_ep_bind(3) or fi_mr_bind(3).
 *
 * @param object The object that is given another
 * @param other The other
 * @param flags What it is for
 * @param provider The provider, for the error
 * @throws {TransportError} If they do not go together
 */
export function bindObjects(
  object: FabricObject,
  other: FabricObject,
  flags: bigint,
  provider: string,
): void {
  // int (*bind)(struct fid *fid, struct fid *bfid, uint64_t flags)
  const bind = functionAt(baseOperation(object, "bind", provider), {
    parameters: ["u64", "u64", "u64"],
    result: "i32",
  });
  checkFabric(
    bind.call(object.fid, other.fid, flags),
    `bind the ${object.what} to the ${other.what}`,
    { op: "fi_bind", provider },
  );
}

/**
 * fi_enable(3) or fi_mr_enable(3).
 *
 * @param object An endpoint or a memory registration
 * @param provider The provider, for the error
 * @throws {TransportError} If it cannot be enabled
 */
export function enableObject(object: FabricObject, provider: string): void {
  // int (*control)(struct fid *fid, int command, void *arg)
  const control = functionAt(baseOperation(object, "control", provider), {
    parameters: ["u64", "i32", "u64"],
    result: "i32",
  });
  checkFabric(
    control.call(object.fid, FI.FI_ENABLE, 0n),
    `enable the ${object.what}`,
    { op: "fi_enable", provider },
  );
}
