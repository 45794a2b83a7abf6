/**
 * Records as element types: how they are in memory, and the operations that they have.
 *
 * @module
 */

import {
  type Codec,
  fixedBytesOf,
  type Infer,
  schemaCodec,
  type SchemaFields,
} from "../../am/mod.ts";
import { ELEMENT_OPS, type ElementOp } from "../../internal/element_ops.ts";
import type { RecordElement } from "../../internal/elements.ts";
import { type MemoryViews, memoryViews } from "../../internal/memory_views.ts";
import { hash53 } from "../../world/mod.ts";
import { defineRecordAm, type RecordAm } from "./record_am.ts";

/** Makes of a record and an operand what the record becomes. */
export type RecordOp<V> = (record: V, operand: V) => V;

/**
 * The operations of records, by the names of methods of arrays: `add` stands for `add`, `fetchAdd`,
 * `batchAdd` and `batchFetchAdd`, and for the reduction `sum`.
 *
 * @category Arrays
 */
export type RecordOps<V> = {
  readonly [O in Exclude<ElementOp, "store" | "swap">]?: (record: V, operand: V) => V;
};

/** Operations that all records have. */
const REPLACE = (_record: unknown, operand: unknown): unknown => operand;

const known = new Map<string, RecordType<unknown>>();

/** Records of one type. */
export class RecordType<V> implements RecordElement<V> {
  readonly elementName: string;
  /** Its name as a number. */
  readonly hash: number;
  readonly bytes: number;
  /** What each operation does, for those that there are. */
  readonly ops: ReadonlyMap<ElementOp, RecordOp<V>>;
  /** Does operations at another PE. */
  readonly am: RecordAm<V>;
  readonly #codec: Codec<V>;
  readonly #size: number;
  /** Where records are while they are written down. */
  readonly #views: MemoryViews;
  /** The same while a program's object is looked at. */
  readonly #looked: MemoryViews;
  #isLooking = false;

  /**
   * @param name The name under which all PEs know it.
   * @param fields What a record holds.
   * @param codec How it is written.
   * @param bytes Bytes of that.
   * @param ops The operations.
   */
  constructor(
    name: string,
    fields: SchemaFields,
    codec: Codec<V>,
    bytes: number,
    ops: ReadonlyMap<ElementOp, RecordOp<V>>,
  ) {
    this.elementName = name;
    this.hash = hash53(name);
    this.bytes = Math.ceil(bytes / 8) * 8;
    this.ops = ops;
    this.#codec = codec;
    this.#size = bytes;
    this.#views = this.#newViews();
    this.#looked = this.#newViews();
    this.am = defineRecordAm<V>(`${JSON.stringify(name)} ${[...ops.keys()].join(" ")}`, fields);
  }

  /**
   * Writes a record.
   *
   * @param record The record, as `taken` gave it.
   * @param side 0 or 1, of which each keeps one until it gets the next.
   * @returns Its bytes; what no field uses is 0.
   * @throws {TypeError} If a field is missing or of another type.
   * @throws {RangeError} If a number does not fit its field.
   */
  encode(record: V, side: 0 | 1 = 0): Uint8Array {
    const at = side * this.bytes;
    return this.#write(record, this.#views, at).u8.subarray(at, at + this.bytes);
  }

  #newViews(): MemoryViews {
    return memoryViews(new ArrayBuffer(2 * this.bytes));
  }

  #write(record: V, views: MemoryViews, at: number): MemoryViews {
    views.u8.fill(0, at, at + this.bytes);
    this.#codec.write(record, views, at, this.#codec.size(record));
    return views;
  }

  /**
   * Looks at records once, whatever they are.
   *
   * @param records What have to be records; they may have getters.
   * @param cannot What they are for, to continue "Cannot".
   * @returns Plain copies.
   * @throws {TypeError} If a field is missing or of another type.
   * @throws {RangeError} If a number does not fit its field.
   */
  taken(records: readonly V[], cannot: string): V[] {
    return records.map((record) => {
      // A getter may use other records of this type.
      const isOuter = !this.#isLooking;
      const views = isOuter ? this.#looked : this.#newViews();
      this.#isLooking = true;
      try {
        return this.decode(this.#write(record, views, 0), 0);
      } catch (error) {
        const kind = error instanceof RangeError ? RangeError : TypeError;
        throw new kind(`Cannot ${cannot} of ${this}: ${(error as Error).message}`);
      } finally {
        if (isOuter) this.#isLooking = false;
      }
    });
  }

  /**
   * Reads a record.
   *
   * @param views The memory.
   * @param at Its address.
   * @returns A new object.
   */
  decode(views: MemoryViews, at: number): V {
    return this.#codec.read(views, at, this.#size);
  }

  /** Its name, as messages call it. */
  toString(): string {
    return this.elementName;
  }
}

/**
 * Defines records as elements of arrays. Call it at module level, so that all PEs know it.
 *
 * @category Arrays
 * @param name A name that no other records have.
 * @param fields What a record holds, each of a fixed size: numbers, booleans, `oneOf`, and objects,
 * tuples and optional values of these.
 * @param ops The operations that arrays of such records have beside reading, writing and comparing:
 * each gets a record and the operand, and gives what the record becomes. It must not use the array.
 * @returns The type, to create arrays with.
 * @throws {TypeError} If the name is taken, a field has no fixed size, or an operation is none.
 * @example
 * ```ts
 * import { AtomicArray, element, f64, type Infer, LamellarWorldBuilder, u32 } from "../../mod.ts";
 *
 * const fields = { sum: f64, count: u32 };
 * type Mean = Infer<typeof fields>;
 * const Mean = element("docs.Mean", fields, {
 *   add: (a: Mean, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }),
 * });
 *
 * await using world = await new LamellarWorldBuilder().build();
 * using means = await AtomicArray.create(world, Mean, 10);
 * await means.add(3, { sum: 2.5, count: 1 });
 * await world.asyncBarrier();
 * console.log(means.at(3).sum === 2.5 * world.numPes);
 * ```
 */
export function element<const S extends SchemaFields>(
  name: string,
  fields: S,
  ops: RecordOps<Infer<S>> = {},
): RecordElement<Infer<S>> {
  const cannot = `Cannot define the records ${Deno.inspect(name)}: `;
  if (typeof name !== "string" || name === "") {
    throw new TypeError(`${cannot}the name has to be a string`);
  }
  if (known.has(name)) throw new TypeError(`${cannot}there are records of that name`);
  const bytes = fixedBytesOf(fields);
  if (bytes === undefined) {
    throw new TypeError(`${cannot}strings, arrays and handles have no fixed size`);
  }
  const all = new Map<ElementOp, RecordOp<Infer<S>>>();
  for (const [op, fn] of Object.entries(ops)) {
    const isOp = op !== "store" && op !== "swap" && ELEMENT_OPS.some(({ name }) => name === op);
    if (!isOp || typeof fn !== "function") {
      throw new TypeError(`${cannot}${JSON.stringify(op)} is not an operation with a function`);
    }
    all.set(op as ElementOp, fn as RecordOp<Infer<S>>);
  }
  all.set("store", REPLACE as RecordOp<Infer<S>>).set("swap", REPLACE as RecordOp<Infer<S>>);
  const type = new RecordType<Infer<S>>(
    name,
    fields,
    schemaCodec(fields) as Codec<Infer<S>>,
    bytes,
    all,
  );
  known.set(name, type as RecordType<unknown>);
  return type;
}

/**
 * @param hash A number that another PE gave for the name of records.
 * @returns The records; undefined if this program does not define them.
 */
export function recordTypeOfHash(hash: number): RecordType<unknown> | undefined {
  return [...known.values()].find((type) => type.hash === hash);
}

/**
 * @param name The name of records.
 * @returns The records; undefined if this program does not define them.
 */
export function recordTypeNamed(name: string): RecordType<unknown> | undefined {
  return known.get(name);
}

/**
 * @param type What a user gives as the type of elements.
 * @returns It, if it is one of records.
 */
export function recordTypeOf(type: unknown): RecordType<unknown> | undefined {
  return type instanceof RecordType ? type : undefined;
}
