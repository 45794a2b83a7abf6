/**
 * Checks of types, which `deno check` and `deno test` make when they compile this file: an
 * assignment that should not compile and does makes them fail.
 */

import { assertEquals } from "@std/assert";
import type { Codec } from "../codec.ts";
import {
  array,
  bigi64,
  bool,
  bytes,
  extension,
  f64,
  f64Array,
  type Infer,
  type InferObject,
  oneOf,
  optional,
  str,
  tuple,
  u32,
  u8,
} from "./schema.ts";
import { schemaCodec } from "./schema_codec.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

function holds<_T extends true>(): true {
  return true;
}

const Region = extension<{ readonly id: number }>({
  name: "region",
  fixedBytes: 8,
  write() {},
  read: () => ({ id: 1 }),
});

const Everything = {
  from: u32,
  at: { x: f64, deep: { flag: bool } },
  names: array(str),
  rows: array({ id: u8, data: f64Array }),
  maybe: optional(u32),
  pair: tuple(u32, str),
  color: oneOf("red", "green"),
  big: bigi64,
  raw: bytes,
  region: Region,
};

Deno.test("Infer gives the types that the schema describes", () => {
  const checks = [
    holds<Same<Infer<typeof u32>, number>>(),
    holds<Same<Infer<typeof bool>, boolean>>(),
    holds<Same<Infer<{ a: "f64"; b: "bigu64" }>, { a: number; b: bigint }>>(),
    holds<Same<Infer<"bool">, boolean>>(),
    holds<Same<Infer<typeof Everything>["at"], { x: number; deep: { flag: boolean } }>>(),
    holds<Same<Infer<typeof Everything>["names"], string[]>>(),
    holds<Same<Infer<typeof Everything>["rows"], { id: number; data: Float64Array }[]>>(),
    holds<Same<Infer<typeof Everything>["pair"], [number, string]>>(),
    holds<Same<Infer<typeof Everything>["color"], "red" | "green">>(),
    holds<Same<Infer<typeof Everything>["big"], bigint>>(),
    holds<Same<Infer<typeof Everything>["region"], { readonly id: number }>>(),
    holds<Same<InferObject<{ a: typeof u32 }>, { a: number }>>(),
    holds<Same<ReturnType<typeof schemaCodec<typeof u32>>, Codec<number>>>(),
  ];
  assertEquals(checks.length, 13);
});

Deno.test("A handler sees the types of its fields", () => {
  function am<const S extends Parameters<typeof schemaCodec>[0], R>(
    like: S,
    handler: (self: Infer<S>) => R,
  ): (value: Infer<S>) => R {
    schemaCodec(like);
    return handler;
  }
  const hello = am({ from: u32, label: optional(str) }, (self) => self.from);
  const from: number = hello({ from: 3 });
  assertEquals(from, 3);
  assertEquals(hello({ from: 4, label: "x" }), 4);
  assertEquals(hello({ from: 4, label: undefined }), 4);
  // @ts-expect-error A field is missing.
  assertEquals(hello({ label: "x" }), undefined);
  // @ts-expect-error A field has another type.
  assertEquals(hello({ from: "3" }), "3");
  // @ts-expect-error There is no such field.
  assertEquals(hello({ from: 3, form: 3 }), 3);
  // @ts-expect-error An optional field has another type.
  assertEquals(hello({ from: 3, label: 4 }), 3);
});

Deno.test("Wrong schemas do not compile", () => {
  // @ts-expect-error Tuples have a fixed length.
  const pair: Infer<typeof Everything>["pair"] = [1];
  // @ts-expect-error Only the names listed are allowed.
  const color: Infer<typeof Everything>["color"] = "blue";
  // @ts-expect-error A BigInt field takes no number.
  const big: Infer<typeof Everything>["big"] = 3;
  assertEquals([pair.length, color, big].length, 3);
  const codecs = [
    // @ts-expect-error Only the name of an element type stands for a schema.
    () => schemaCodec({ a: "u33" }),
    // @ts-expect-error A number is no schema.
    () => array(3),
  ];
  assertEquals(codecs.length, 2);
});
