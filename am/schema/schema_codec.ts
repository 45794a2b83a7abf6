/**
 * Codecs generated from schemas: straight-line code for each schema, which writes fixed offsets
 * through typed views and builds the objects it reads by one literal, so that all have one shape.
 *
 * Element indices come from one division of the section's address for each width, not from shifts,
 * since an address may be beyond 2^32; V8 turns the division into an integer shift as long as
 * addresses are small.
 *
 * @module
 */

import { ProtocolError } from "../../internal/errors.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { unchecked } from "../../internal/checked_slice.ts";
import { isGone, lengthGetter } from "../../internal/typed_arrays.ts";
import { type Codec, PAYLOAD_BYTES_MAX, payloadChanged } from "../codec.ts";
import { type Infer, type SchemaLike, schemaNode } from "./schema.ts";
import { layoutText, planSection } from "./layout.ts";
import { generateRead } from "./read.ts";
import { SmallArrays } from "./small_arrays.ts";
import type { Names } from "./source.ts";
import { generateSize, generateWrite } from "./write.ts";
import { readText, textBytes, writeText } from "../text.ts";

const SMALL_ARRAYS = new SmallArrays();

type Size = (value: unknown) => number;
type Write = Codec<unknown>["write"];
type Read = (views: MemoryViews, at: number, bytes: number, context: unknown) => unknown;

/**
 * Generates the codec of a schema.
 *
 * @param like A schema, or an object of schemas.
 * @returns The codec.
 * @throws {TypeError} If a part of `like` is not a schema.
 * @example
 * ```ts
 * import { memoryViews } from "../../internal/memory_views.ts";
 * import { f64, u32 } from "./schema.ts";
 * import { schemaCodec } from "./schema_codec.ts";
 *
 * const codec = schemaCodec({ from: u32, weight: f64 });
 * const views = memoryViews(new SharedArrayBuffer(64));
 * const particle = { from: 3, weight: 0.5 };
 * const bytes = codec.write(particle, views, 8, codec.size(particle));
 * console.log(bytes, codec.read(views, 8, bytes)); // 12 { from: 3, weight: 0.5 }
 * ```
 */
export function schemaCodec<const S extends SchemaLike>(like: S): Codec<Infer<S>> {
  const node = schemaNode(like);
  const section = planSection(node);
  const names: Names = { fields: [], values: [] };
  const sources = [
    generateSize(section, names),
    generateWrite(section, names),
    generateRead(section, names),
  ];
  const scope: Record<string, unknown> = {
    ...helpers(names),
    isGone,
    lengthGetter,
    payloadChanged,
    textBytes,
    unchecked,
    writeText,
    readText,
    small: SMALL_ARRAYS,
  };
  names.values.forEach((value, i) => scope[`x${i}`] = value);
  const [size, write, read] = new Function(
    ...Object.keys(scope),
    `"use strict";\nreturn [\n${sources.join(",\n")}\n];`,
  )(...Object.values(scope)) as [Size, Write, Read];
  return {
    layout: `schema ${layoutText(node)}`,
    size: size as Codec<Infer<S>>["size"],
    write: write as Codec<Infer<S>>["write"],
    read: read as Codec<Infer<S>>["read"],
  };
}

// What generated code calls when something is wrong; `field` is an index into `names.fields`.
function helpers(names: Names): Record<string, unknown> {
  const nameOf = (field: number, at: readonly number[]): string => {
    let i = 0;
    const path = names.fields[field]!.path.replaceAll("[]", () => `[${at[i++]}]`);
    return path === "" ? "The payload" : `Field "${path}"`;
  };
  return {
    bad(field: number, value: unknown, ...at: number[]): Error {
      const { wants } = names.fields[field]!;
      const text = `${nameOf(field, at)} must be ${wants}, got ${describe(value)}`;
      return isOutOfRange(wants, value) ? new RangeError(text) : new TypeError(text);
    },
    gone(field: number, ...at: number[]): TypeError {
      const { wants } = names.fields[field]!;
      return new TypeError(
        `${nameOf(field, at)} must be ${wants}, got one whose buffer was transferred or shrunk`,
      );
    },
    corrupt(field: number, value: unknown, ...at: number[]): ProtocolError {
      const { wants } = names.fields[field]!;
      return new ProtocolError(
        `Cannot read a payload: ${nameOf(field, at)} must hold ${wants}, got ${describe(value)}`,
      );
    },
    cut(field: number, count: number, left: number, ...at: number[]): ProtocolError {
      return new ProtocolError(
        `Cannot read a payload: ${
          nameOf(field, at)
        } has length ${count}, but ${left} bytes are left`,
      );
    },
    misfit(bytes: number, wanted: number): ProtocolError {
      return new ProtocolError(
        `Cannot read a payload: it has ${bytes} bytes and its layout takes ${wanted}`,
      );
    },
    tooLarge(bytes: number): RangeError {
      return new RangeError(
        `Cannot send a payload of ${bytes} bytes: the limit is ${PAYLOAD_BYTES_MAX} bytes`,
      );
    },
  };
}

// A number for an integer field is of the right type, but out of range or fractional.
function isOutOfRange(wants: string, value: unknown): boolean {
  if (typeof value === "number") return /^an? [uif]\d/.test(wants);
  if (typeof value === "bigint") return /^a big/.test(wants);
  return typeof value === "string" && wants.startsWith("one of");
}

function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.length > 40 ? `${JSON.stringify(value.slice(0, 40))}…` : JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "object": {
      if (value === null) return "null";
      if (Array.isArray(value)) return `an array of length ${value.length}`;
      const name = value.constructor?.name;
      return typeof name === "string" && name !== "" ? `an instance of ${name}` : "an object";
    }
    case "function":
      return "a function";
    case "number":
      return Object.is(value, -0) ? "-0" : `${value}`;
    default:
      return String(value);
  }
}
