/** Engines of PEs that live in one thread, for the tests of this folder. */

import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../internal/errors.ts";
import { AmCall, type AmDefinition } from "./call.ts";
import type { Codec } from "./codec.ts";
import type { AmContext } from "./context.ts";
import { AmEngine } from "./engine.ts";
import type { MakeFinishContext } from "./finish/finishes.ts";
import { Network } from "./memory_lamella_test.ts";
import { withoutMarks } from "./schema/constants.ts";
import type { SchemaFields, SchemaLike } from "./schema/schema.ts";
import { schemaCodec } from "./schema/schema_codec.ts";
import type { TeamHost } from "./team_work.ts";
import { payloadCodec } from "./msgpack/value_codec.ts";
import { frameBytes, HEAD_BYTES } from "./wire/frames.ts";

/** What handlers of the tests get. */
export interface TestContext {
  readonly currentPe: number;
  readonly engine: AmEngine;
  readonly network: Network;
}

/** Runs on the target. */
// deno-lint-ignore no-explicit-any -- the payload of a test is what the test sends
export type TestHandler = (self: any, context: TestContext) => unknown;

/** How PEs are set up. */
export interface PesOptions {
  readonly numPes?: number;
  readonly ringBytes?: number;
  readonly thresholdBytes?: number;
  readonly closures?: boolean;
  /** Makes what handlers get in a finish. */
  readonly makeFinishContext?: MakeFinishContext;
  /** The teams a PE knows. */
  readonly teams?: (pe: number) => TeamHost;
}

/** PEs with the same AMs. */
export interface EnginePes {
  readonly network: Network;
  readonly engines: readonly AmEngine[];
  /** Makes a call of the AM of a name. */
  call(name: string, self?: unknown): AmCall<unknown>;
}

/** An AM of the tests: a handler, perhaps with schemas of its payload and result. */
export interface TestAm {
  readonly schema?: SchemaLike;
  readonly codec?: Codec<unknown>;
  readonly returns?: SchemaLike;
  readonly handler: TestHandler;
}

/** Definitions of AMs that were used before: their codecs take long to generate. */
const defined = new WeakMap<Record<string, TestAm>, readonly AmDefinition[]>();

function define(ams: Record<string, TestAm>): readonly AmDefinition[] {
  return Object.entries(ams).map(([name, one], id) => ({
    name,
    handler: one.handler as AmDefinition["handler"],
    codec: one.schema
      ? schemaCodec(withoutMarks(one.schema) ?? one.schema) as Codec<unknown>
      : one.codec ?? payloadCodec,
    returns: one.returns && schemaCodec(one.returns) as Codec<unknown>,
    fields: one.schema && withoutMarks(one.schema) && one.schema as SchemaFields,
    id,
  }));
}

/**
 * Makes PEs.
 *
 * @param ams Their AMs by name.
 * @param options How they are set up.
 * @returns The PEs.
 */
export function enginePes(ams: Record<string, TestAm>, options: PesOptions = {}): EnginePes {
  const network = new Network(options.numPes ?? 2, options.ringBytes);
  const definitions = defined.get(ams) ?? define(ams);
  defined.set(ams, definitions);
  const engines = network.progress.map((progress, currentPe) => {
    const context = { currentPe, network } as { currentPe: number; engine?: AmEngine };
    return context.engine = new AmEngine({
      progress,
      thresholdBytes: options.thresholdBytes ?? 1 << 20,
      closuresAllowed: options.closures ?? true,
      definitions,
      context: context as unknown as AmContext,
      ...options.teams && { teams: options.teams(currentPe) },
      makeFinishContext: options.makeFinishContext ?? ((base) => base),
      decodeContext: { closuresAllowed: options.closures ?? true },
    });
  });
  return {
    network,
    engines,
    call: (name, self = {}) => new AmCall(definitions.find((one) => one.name === name)!, self),
  };
}

/** Lets the reactions run to promises that are settled. */
export async function microtasks(): Promise<void> {
  for (let i = 0; i < 10; i++) await undefined;
}

/**
 * Sends a frame as PE 1.
 *
 * @param pes Two PEs, which are closed.
 * @param kind The kind of frame.
 * @param payload Its payload.
 * @returns The error of receiving it on PE 0.
 */
export function refusal(pes: EnginePes, kind: number, payload: Uint8Array): string {
  const lamella = pes.network.lamellas[1]!;
  const bytes = frameBytes(payload.length);
  const at = lamella.reserve(0, bytes);
  lamella.views.i32.set([bytes, kind, 1, payload.length], at / 4);
  lamella.views.u8.set(payload, at + HEAD_BYTES);
  lamella.commit(0, bytes);
  lamella.publish(0);
  const error = assertThrows(() => pes.network.progress[0]!.step(), ProtocolError);
  pes.network.close();
  return error.message;
}

Deno.test("PEs of one thread run each other's AMs", () => {
  const pes = enginePes({ Where: { handler: (_self, { currentPe }) => currentPe } });
  assertEquals(pes.engines[0]!.launch(1, pes.call("Where")).block(), 1);
  assertEquals(pes.engines[1]!.launch(1, pes.call("Where")).block(), 1);
});
