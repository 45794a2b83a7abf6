/**
 * What groups need of an engine: it knows the AMs by which they work, and launches their batches.
 *
 * @module
 */

import type { Lamella } from "../../lamellae/mod.ts";
import type { ClosureTable } from "../closure/table.ts";
import { AmCall, type AmDefinition } from "../call.ts";
import type { AmNumbers } from "../engine_options.ts";
import type { AmHandle, LaunchOptions } from "../handle.ts";
import { refuseToSend } from "../launch_refusals.ts";
import type { ReceivedHandles } from "../received.ts";
import type { TeamWork } from "../team_work.ts";
import type { BatchWriter } from "./batch.ts";
import type { ResultHost, Results } from "./batch_results.ts";
import type { CollectorHost } from "./collector.ts";
import { groupDefinitions } from "./definitions.ts";

/** Bytes from which on a batch is full, where the rings are large. */
const BATCH_BYTES = 16 * 1024;

/** What launches AMs. */
export interface Launcher {
  /** This PE. */
  readonly pe: number;
  readonly closures: ClosureTable;
  readonly received: ReceivedHandles;
  /** The ids of AMs, in a client. */
  readonly numbers: AmNumbers | undefined;
  launch<T>(
    pe: number,
    call: AmCall<T>,
    options: LaunchOptions | undefined,
    team: TeamWork | undefined,
  ): AmHandle<T>;
}

/** Launches the batches of one PE. */
export class GroupLauncher implements ResultHost, CollectorHost {
  readonly pe: number;
  readonly numPes: number;
  readonly closures: ClosureTable;
  readonly received: ReceivedHandles;
  readonly batchBytes: number;
  readonly session: number;
  /** AMs by id: those of the program, and then those by which groups work. */
  readonly definitions: readonly AmDefinition[];
  readonly #engine: Launcher;
  readonly #batch: AmDefinition;
  readonly #named = new Map<string, AmDefinition>();

  /**
   * @param engine Launches AMs.
   * @param program The AMs of the program by id.
   * @param lamella Carries the batches.
   */
  constructor(
    engine: Launcher,
    program: readonly AmDefinition[],
    { frameBytesMax, numPes, session }: Pick<Lamella, "frameBytesMax" | "numPes" | "session">,
  ) {
    this.#engine = engine;
    this.pe = engine.pe;
    this.closures = engine.closures;
    this.received = engine.received;
    this.numPes = numPes;
    this.session = session;
    this.batchBytes = Math.min(BATCH_BYTES, frameBytesMax / 2);
    const [batch, returned] = groupDefinitions(this, program);
    this.#batch = batch;
    this.definitions = [...program, batch, returned];
  }

  /** The id of the AM that runs batches. */
  get batchId(): number {
    return this.#batch.id;
  }

  /**
   * @param definition An AM.
   * @returns Its id on the PEs.
   * @throws {TypeError} If it does not travel, or they lack it.
   */
  numberOf(definition: AmDefinition): number {
    const { numbers } = this.#engine;
    // A batch is the same AM under each of its names.
    const id = numbers === undefined
      ? definition.id
      : numbers.idOf(definition.codec === this.#batch.codec ? this.#batch : definition);
    if (definition.codec !== undefined && id >= 0) return id;
    return refuseToSend(definition, numbers !== undefined);
  }

  /**
   * @param id An id that a PE gave.
   * @returns The AM.
   */
  definitionOf(id: number): AmDefinition | undefined {
    return this.#engine.numbers?.definitionOf(id) ?? this.definitions[id];
  }

  launchBatch(
    pe: number,
    batch: BatchWriter,
    name: string | undefined,
    team: TeamWork | undefined,
  ): AmHandle<Results> {
    const definition = name === undefined ? this.#batch : this.#batchOf(name);
    return this.#engine.launch(pe, new AmCall<Results>(definition, batch), undefined, team);
  }

  /** The same AM under a name that says what the batch holds. */
  #batchOf(name: string): AmDefinition {
    const named = this.#named.get(name) ?? { ...this.#batch, name: `group of ${name}` };
    this.#named.set(name, named);
    return named;
  }
}
