/**
 * Building a world.
 *
 * @module
 */

import {
  type AmContext,
  AmEngine,
  closuresRefused,
  makeClosure,
  makeOriginClosure,
  prepareClosureParser,
  prepareMsgpack,
  sealRegistry,
} from "../am/mod.ts";
import {
  type Config,
  environment,
  environmentNames,
  readConfig,
  unknownVariables,
} from "../internal/config.ts";
import { outsideAsyncContext } from "../internal/engine_internals.ts";
import { HandshakeError, LamellarError } from "../internal/errors.ts";
import { PES_MAX } from "../internal/limits.ts";
import { VERSION } from "../internal/version.ts";
import { checkDeno, checkPermissions } from "../internal/platform.ts";
import {
  Collectives,
  type Lamella,
  Progress,
  type StartedPe,
  startedPe,
  startJob,
} from "../lamellae/mod.ts";
import { RegionSpace } from "../memregion/mod.ts";
import { compareAms } from "./handshake.ts";
import type { WorldCore } from "./messaging.ts";
import { type TeamParent, Teams } from "./teams.ts";
import { LamellarWorld } from "./world.ts";

/** The network providers a world can be built on. */
export type Backend = "local" | "shmem" | "rofi";

let built = false;

/**
 * Builds the world of a program.
 *
 * ```ts
 * import { LamellarWorldBuilder } from "../mod.ts";
 *
 * await using world = await new LamellarWorldBuilder().build();
 * console.log(`PE ${world.myPe} of ${world.numPes}`);
 * ```
 */
export class LamellarWorldBuilder {
  #backend: Backend | undefined;
  #numPes: number | undefined;
  #heapBytes: number | undefined;
  #closures: boolean | undefined;

  /**
   * Chooses the network provider; without it `LAMELLAR_BACKEND` does.
   *
   * @param backend Its name.
   * @returns This builder.
   */
  withLamellae(backend: Backend): this {
    if (backend !== "local" && backend !== "shmem" && backend !== "rofi") {
      throw new TypeError(
        `Cannot build on the lamella ${Deno.inspect(backend)}: ` +
          'there are "local", "shmem" and "rofi"',
      );
    }
    this.#backend = backend;
    return this;
  }

  /**
   * Sets the number of PEs; without it `-n`, `LAMELLAR_PES` or the number of cores does.
   *
   * @param numPes 1 to 256.
   * @returns This builder.
   * @throws {RangeError} If the number is out of range.
   */
  withNumPes(numPes: number): this {
    if (!Number.isInteger(numPes) || numPes < 1 || numPes > PES_MAX) {
      throw new RangeError(
        `Cannot build a world of ${numPes} PEs: the number has to be 1 to ${PES_MAX}`,
      );
    }
    this.#numPes = numPes;
    return this;
  }

  /**
   * Sets the heap of each PE; without it `LAMELLAR_HEAP_SIZE` does.
   *
   * @param bytes How much each PE can allocate for regions.
   * @returns This builder.
   * @throws {RangeError} If the number is out of range.
   */
  withHeapSize(bytes: number): this {
    if (!Number.isSafeInteger(bytes) || bytes < 65536) {
      throw new RangeError(
        `Cannot build with a heap of ${bytes} bytes: it has to be 65536 or more`,
      );
    }
    this.#heapBytes = bytes;
    return this;
  }

  /**
   * Allows or forbids closures, which run code that other PEs send; without it `LAMELLAR_CLOSURES`
   * does.
   *
   * @param allowed Whether this world runs closures.
   * @returns This builder.
   */
  withClosures(allowed: boolean): this {
    this.#closures = allowed;
    return this;
  }

  /**
   * Builds the world. Collective. On the main thread of a program it starts the PEs, which run the
   * program from its beginning, and never returns: that thread becomes their supervisor.
   *
   * @returns The world, on a PE.
   * @throws {LamellarError} If a world was built already.
   * @throws {HandshakeError} If the PEs differ in their AMs or settings.
   */
  async build(): Promise<LamellarWorld> {
    checkDeno();
    if (built) {
      throw new LamellarError("ERR_WORLD_EXISTS", "Cannot build a second world in one program", {
        op: "build",
      });
    }
    const pe = startedPe(VERSION);
    if (!pe) return await this.#start();
    built = true;
    // Imports and the pump would hold the program's mark for ever: see process/program_mark.ts.
    return await outsideAsyncContext(() => this.#join(pe));
  }

  async #start(): Promise<never> {
    for (const warning of unknownVariables(environmentNames())) {
      console.error(`lamellar: ${warning}`);
    }
    checkPermissions(Deno.mainModule);
    const config = this.#configure(readConfig(environment));
    const numPes = config.pes ?? navigator.hardwareConcurrency;
    const options = { program: Deno.mainModule, args: Deno.args, numPes, config };
    return await startJob(options, VERSION);
  }

  #configure(config: Config): Config {
    return {
      ...config,
      backend: this.#backend ?? config.backend,
      pes: this.#numPes ?? config.pes,
      heapBytes: this.#heapBytes ?? config.heapBytes,
      closures: this.#closures ?? config.closures,
    };
  }

  async #join(pe: StartedPe): Promise<LamellarWorld> {
    const { lamella } = pe;
    this.#compareSettings(pe);
    const config = this.#configure(pe.config);
    const crowded = lamella.neighbours > navigator.hardwareConcurrency;
    const progress = new Progress(lamella, crowded, config.spinLoads);
    const collectives = new Collectives(progress, config.barrierFactor);
    const definitions = sealRegistry();
    if (config.closures) await prepareClosureParser();
    await prepareMsgpack();
    const regions = new RegionSpace(progress, collectives);
    const teams = new Teams(progress);
    const context = {} as { -readonly [K in keyof AmContext]: AmContext[K] };
    const engine = new AmEngine({
      progress,
      thresholdBytes: config.amThresholdBytes,
      closuresAllowed: config.closures,
      definitions,
      context,
      teams,
      decodeContext: { closuresAllowed: config.closures, regions },
    });
    regions.countWith(engine);
    const root = worldAsParent(lamella, collectives);
    const shared = { lamella, progress, collectives, engine, regions, teams, root };
    const core: WorldCore = { ...shared, closed: false };
    const world = new LamellarWorld(core, () => pe.setWorld(undefined));
    Object.assign(context, {
      currentPe: lamella.pe,
      numPes: lamella.numPes,
      world,
      team: world.team,
      closure: (config.closures ? makeClosure : refuseClosure) as AmContext["closure"],
      onReturn: (config.closures ? makeOriginClosure : refuseClosure) as AmContext["onReturn"],
    });
    pe.setWorld(() => world.close());
    progress.kick();
    await compareAms(collectives, definitions);
    return world;
  }

  /** A launcher knows nothing of this builder: what it set has to be what was started. */
  #compareSettings(pe: StartedPe): void {
    const { numPes, heap } = pe.lamella;
    if (this.#numPes !== undefined && this.#numPes !== numPes) {
      throw new HandshakeError(
        `The program asks for ${this.#numPes} PEs and ${numPes} were started: ` +
          `use -n ${this.#numPes}`,
        { op: "build" },
      );
    }
    if (this.#heapBytes !== undefined && this.#heapBytes > heap.capacity) {
      throw new HandshakeError(
        `The program asks for a heap of ${this.#heapBytes} bytes and got ${heap.capacity}: ` +
          `set LAMELLAR_HEAP_SIZE=${this.#heapBytes}`,
        { op: "build" },
      );
    }
  }
}

function worldAsParent({ pe, numPes }: Lamella, collectives: Collectives): TeamParent {
  const pes = Array.from({ length: numPes }, (_, pe) => pe);
  const createOp = "createTeamFromArch";
  return {
    name: "the world",
    path: "",
    pes,
    parentPes: pes,
    me: pe,
    children: 0,
    createOp,
    exchange: (own) => collectives.call("exchange", createOp, own),
  };
}

function refuseClosure(): never {
  throw closuresRefused("a closure");
}
