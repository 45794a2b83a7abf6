/**
 * The two AMs by which groups work: one runs a batch of AMs, the other runs at the origin what
 * their handlers returned to run there. They have the numbers behind those of the program's AMs.
 *
 * @module
 */

import { ProtocolError } from "../../internal/errors.ts";
import type { AmContext } from "../context.ts";
import { AmCall, type AmDefinition, definitionOf, payloadOf } from "../call.ts";
import { ClosureValue } from "../closure/value.ts";
import { opOf } from "../handle.ts";
import { invoke } from "../invoke.ts";
import { returnedWork, type Work } from "../local_work.ts";
import { isThenable } from "../thenable.ts";
import { errorText } from "../wire/thrown.ts";
import { type Batch, readBatch } from "./batch.ts";
import { BATCH_ERROR } from "./batch_error.ts";
import {
  encodeResults,
  noResults,
  readResults,
  readReturned,
  type ResultHost,
  type Results,
} from "./batch_results.ts";
import { codecOf } from "./growing_views.ts";

/** Most errors of a batch that its origin gets. */
const ERRORS_MAX = 100;

/**
 * Makes the AMs of groups.
 *
 * @param host The engine.
 * @param program The AMs of the program by id.
 * @returns The AM that runs a batch, and the one that runs what handlers returned.
 */
export function groupDefinitions(
  host: ResultHost,
  program: readonly AmDefinition[],
): readonly [batch: AmDefinition, returned: AmDefinition] {
  const results = codecOf(
    "the results of a batch",
    (views, at, bytes, context) => readResults(host, views, at, bytes, context),
  );
  const returned: AmDefinition = {
    name: "group",
    handler: (values, context) => runReturned(values as Results, context as AmContext),
    codec: codecOf(
      "the results of a batch",
      (views, at, bytes, context) => readReturned(host, views, at, bytes, context),
    ),
    returns: undefined,
    fields: undefined,
    id: program.length + 1,
  };
  const batch: AmDefinition = {
    name: "group",
    handler: (self, context) => runBatch(host, returned, self as Batch, context as AmContext),
    codec: codecOf(
      "a batch",
      (views, at, bytes, context) => readBatch(program, host.received, views, at, bytes, context),
    ),
    returns: results,
    fields: undefined,
    id: program.length,
  };
  return [batch, returned];
}

/** What became of the AMs of a batch. */
class Outcomes {
  /** The results; nothing as long as none gave one. */
  values: unknown[] | undefined;
  readonly #count: number;
  readonly #failures = new Map<number, unknown>();
  readonly #pending: Promise<void>[] = [];

  /**
   * @param count How many AMs there are.
   */
  constructor(count: number) {
    this.#count = count;
  }

  /** Takes what an AM returned, which may be a promise. */
  take(index: number, result: unknown): void {
    if (!isThenable(result)) return this.#set(index, result);
    const over = Promise.resolve(result).then(
      (value) => this.#set(index, value),
      (error) => this.fail(index, error),
    );
    this.#pending.push(over);
  }

  #set(index: number, value: unknown): void {
    if (value === undefined) return;
    this.values ??= new Array(this.#count).fill(undefined);
    this.values[index] = value;
  }

  /** Whether no AM gave a result or failed. */
  get isEmpty(): boolean {
    return this.values === undefined && this.#failures.size === 0;
  }

  fail(index: number, error: unknown): void {
    this.#failures.set(index, error);
  }

  /** Goes on once all are over: at once, if none of them is async. */
  whenOver<T>(next: () => T): T | Promise<T> {
    return this.#pending.length === 0 ? next() : Promise.all(this.#pending).then(next);
  }

  /** Throws what the AMs threw, if any did; `op` names the AM at a place. */
  throwFailures(op: (index: number) => string): void {
    if (this.#failures.size === 0) return;
    const failures = [...this.#failures].sort(([a], [b]) => a - b);
    const errors = failures.slice(0, ERRORS_MAX).map(([index, cause]) => {
      return Object.assign(new Error(op(index), { cause }), { stack: "" });
    });
    const [, first] = failures[0]!;
    const text = `${failures.length} of ${this.#count} AMs failed, the first: ${errorText(first)}`;
    throw Object.assign(new AggregateError(errors, text), { name: BATCH_ERROR });
  }
}

function runBatch(
  host: ResultHost,
  returned: AmDefinition,
  batch: Batch,
  context: AmContext,
): unknown {
  const { origin, members, runs } = batch;
  const outcomes = new Outcomes(members);
  let index = 0;
  for (const run of runs) {
    const { handler } = run.definition;
    for (let i = 0; i < run.count; i++, index++) {
      let isRead = false;
      try {
        const self = batch.read(run, i);
        isRead = true;
        const result = invoke(handler, self, context);
        if (result !== undefined) outcomes.take(index, result);
      } catch (error) {
        if (!isRead && error instanceof ProtocolError) throw error;
        if (!isRead) host.received.drop();
        outcomes.fail(index, error);
      }
    }
  }
  return outcomes.whenOver(() => {
    if (outcomes.isEmpty && runs.every(({ definition }) => definition.returns === undefined)) {
      return noResults(host, members);
    }
    const definitions = runs.flatMap(({ count, definition }) => Array(count).fill(definition));
    const op = (index: number): string => opOf(definitions[index]);
    outcomes.throwFailures(op);
    const fail = (index: number, error: unknown): void => outcomes.fail(index, error);
    const encoded = encodeResults(host, origin, outcomes.values, definitions, fail);
    outcomes.throwFailures(op);
    return encoded.hasReturned ? new AmCall(returned, encoded) : encoded;
  });
}

/** Runs what handlers returned to run here, and gives all results. */
function runReturned(results: Results, context: AmContext): unknown {
  const all = Array.from(results ?? []);
  const outcomes = new Outcomes(all.length);
  all.forEach((value, index) => {
    const work = value instanceof ClosureValue ? value : returnedWork(value);
    try {
      outcomes.take(index, work === undefined ? value : run(work, context));
    } catch (error) {
      outcomes.fail(index, error);
    }
  });
  return outcomes.whenOver(() => {
    outcomes.throwFailures((index) => opOf(definitionOf(all[index])));
    return outcomes.values ?? all.map(() => undefined);
  });
}

/** Runs an AM or a closure, and what it returns to run at the origin, which is here. */
function run(first: Work, context: AmContext): unknown {
  for (let work = first;;) {
    const result = work instanceof ClosureValue
      ? work.run(context)
      : invoke(definitionOf(work)!.handler, payloadOf(work), context);
    if (isThenable(result)) return Promise.resolve(result).then((value) => goOn(value, context));
    const next = returnedWork(result);
    if (next === undefined) return result;
    work = next;
  }
}

function goOn(value: unknown, context: AmContext): unknown {
  const next = returnedWork(value);
  return next === undefined ? value : run(next, context);
}
