/**
 * Operations on records at the PE that has them.
 *
 * @module
 */

import {
  am,
  type AmType,
  array,
  bool,
  f64,
  f64Array,
  type LamellarEnv,
  type SchemaFields,
  str,
  u8Array,
} from "../../am/mod.ts";
import { spaceOf } from "../../darc/mod.ts";
import type { ElementOp } from "../../internal/element_ops.ts";
import { insideOfEnv, type LamellarTeam } from "../../world/mod.ts";

/** What is done to records: an operation, a look, or an exchange of those that are as expected. */
export type RecordCallOp = ElementOp | "load" | "exchange";

/** Operations on records of one part. */
export interface RecordCall<V> {
  readonly op: RecordCallOp;
  /** The places of the records in their part. */
  readonly places: ArrayLike<number>;
  /** The operand of each, or one for all; none to look. */
  readonly operands: readonly V[];
  /** For an exchange: what each has to be, or one for all. */
  readonly expected: readonly V[];
  /** Whether what they were is wanted. */
  readonly gives: boolean;
}

/** What came of operations on records. */
export interface RecordResult<V> {
  /** What they were; nothing if it is not wanted. */
  readonly before: V[];
  /** For an exchange: 1 for each that was as expected. */
  readonly ok: Uint8Array;
}

/** Does operations on records of this PE's part. */
export interface RecordReceiver {
  perform(call: RecordCall<unknown>): RecordResult<unknown>;
}

/** What has records, as the record of an array keeps it. */
interface HasRecords {
  whenReceiver<T>(use: (receiver: RecordReceiver) => T): T | Promise<T>;
}

/** The payload of the AM. */
export interface RecordPayload<V> {
  readonly teamId: number;
  readonly number: number;
  readonly op: string;
  readonly places: Float64Array;
  readonly operands: V[];
  readonly expected: V[];
  readonly gives: boolean;
}

/** Does operations at another PE. */
export type RecordAm<V> = AmType<RecordPayload<V>, RecordResult<V>>;

/**
 * Defines the AM of one type of records. PEs compare the names of AMs and their payloads when they
 * start, so they agree about the records and their operations.
 *
 * @param text The name of the records and their operations.
 * @param fields What a record holds.
 * @returns The AM.
 */
export function defineRecordAm<V>(text: string, fields: SchemaFields): RecordAm<V> {
  const records = array(fields);
  const schema = {
    teamId: f64,
    number: f64,
    op: str,
    places: f64Array,
    operands: records,
    expected: records,
    gives: bool,
  };
  const returns = { before: records, ok: u8Array };
  const handler = (self: RecordPayload<unknown>, { team }: LamellarEnv): unknown => {
    const { core } = insideOfEnv(team as LamellarTeam, "use records");
    const storage = spaceOf(core).find(self)?.cell.value as HasRecords;
    const { teamId: _, number: __, op, ...call } = self;
    return storage.whenReceiver((receiver) =>
      receiver.perform({ ...call, op: op as RecordCallOp })
    );
  };
  return am(`lamellar.records ${text}`, schema, handler as never, { returns }) as never;
}
