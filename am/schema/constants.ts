/**
 * Fields of a payload that are the same for all AMs of a typed group, and travel once for each
 * batch of them: how an AM's payload is taken apart and put together again.
 *
 * @module
 */

import type { AmDefinition } from "../call.ts";
import type { Codec } from "../codec.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import {
  type Infer,
  SCHEMA,
  type Schema,
  type SchemaFields,
  type SchemaLike,
  schemaNode,
  STATIC,
} from "./schema.ts";
import { schemaCodec } from "./schema_codec.ts";

/** Reads payloads. */
export type Reader = Pick<Codec<unknown>, "read">;

/**
 * A field of an AM's payload that is the same for all AMs of a typed group, such as a region that
 * they work on. It travels once for each batch of the group instead of once for each AM, and the
 * handlers of a batch share its value. In other launches it is a field like any other.
 *
 * @category Groups
 * @param schema What the field holds.
 * @returns The schema of the field.
 * @example
 * ```ts
 * import { am, LamellarWorldBuilder, region, staticField, typedAmGroup, u32 } from "../../mod.ts";
 *
 * const fields = { into: staticField(region("u32")), at: u32 };
 * const Count = am("docs.Count", fields, (self, lamellar) => {
 *   self.into.add(lamellar.currentPe, self.at, 1);
 * });
 *
 * await using world = await new LamellarWorldBuilder().build();
 * const into = await world.allocSharedMemRegion("u32", 10);
 * const group = typedAmGroup(Count, world);
 * for (let i = 0; i < 1000; i++) group.addAmPe(i % world.numPes, Count({ into, at: i % 10 }));
 * await group.exec();
 * await world.asyncBarrier();
 * ```
 */
export function staticField<const S extends SchemaLike>(
  schema: S,
): S extends Schema<unknown> ? S : Schema<Infer<S>> {
  const marked = { [SCHEMA]: schemaNode(schema), [STATIC]: schema };
  return Object.freeze(marked) as unknown as ReturnType<typeof staticField<S>>;
}

/** What a marked field holds, as it would be without the mark. */
function unmarked(field: SchemaLike): SchemaLike {
  return isStatic(field) ? (field as { readonly [STATIC]: SchemaLike })[STATIC] : field;
}

function isStatic(field: SchemaLike): boolean {
  return typeof field === "object" && field !== null && STATIC in field;
}

/** How the payload of an AM is divided. */
export interface ConstantParts {
  /** The names of the fields that are constant. */
  readonly names: readonly string[];
  /** The codec of these fields; it takes a whole payload. */
  readonly constant: Codec<unknown>;
  /** The codec of the other fields; it takes a whole payload. */
  readonly rest: Codec<unknown>;
  /**
   * @param views The memory that holds the constants.
   * @param at Their address.
   * @param bytes Their length.
   * @param context For handles among them.
   * @returns What reads the other fields and gives whole payloads.
   */
  reader(views: MemoryViews, at: number, bytes: number, context: unknown): Reader;
}

const known = new WeakMap<AmDefinition, ConstantParts>();

/**
 * @param definition An AM.
 * @returns How its payload is divided; undefined if it has no constant fields.
 */
export function constantsOf(definition: AmDefinition): ConstantParts | undefined {
  const { fields } = definition;
  if (fields === undefined) return undefined;
  const parts = known.get(definition) ?? divide(fields);
  known.set(definition, parts);
  return parts;
}

/**
 * @param fields The schema of a payload.
 * @returns The same without marks; undefined if it has none.
 */
export function withoutMarks(fields: SchemaLike): SchemaFields | undefined {
  if (typeof fields !== "object" || fields === null || SCHEMA in fields) return undefined;
  const all = Object.entries(fields as SchemaFields);
  if (!all.some(([, field]) => isStatic(field))) return undefined;
  return Object.fromEntries(all.map(([name, field]) => [name, unmarked(field)]));
}

function divide(fields: SchemaFields): ConstantParts {
  const all = Object.entries(fields);
  const names = all.filter(([, field]) => isStatic(field)).map(([name]) => name);
  const codecOf = (marked: boolean): Codec<unknown> => {
    const some = all.filter(([name]) => names.includes(name) === marked);
    return schemaCodec(Object.fromEntries(some.map(([name, field]) => [name, unmarked(field)])));
  };
  const [constant, rest] = [codecOf(true), codecOf(false)];
  const join = joining(all.map(([name]) => name), names);
  return {
    names,
    constant,
    rest,
    reader(views, at, bytes, context) {
      const constants = constant.read(views, at, bytes, context);
      return {
        read: (views, at, bytes, context) => join(constants, rest.read(views, at, bytes, context)),
      };
    },
  };
}

/** Makes a function that puts fields together in their order: all payloads have one shape. */
function joining(
  all: readonly string[],
  constant: readonly string[],
): (constants: unknown, rest: unknown) => unknown {
  const pairs = all.map((name) => {
    const key = JSON.stringify(name);
    return `${key}: ${constant.includes(name) ? "c" : "r"}[${key}]`;
  });
  return new Function("c", "r", `"use strict"; return { ${pairs.join(", ")} };`) as ReturnType<
    typeof joining
  >;
}
