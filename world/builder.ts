/**
 * Building a world.
 *
 * @module
 */

import { sealRegistry } from "../am/mod.ts";
import { endWithAdvice } from "../internal/advice.ts";
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
import { checkProgramKind } from "../internal/program_kind.ts";
import { VERSION } from "../internal/version.ts";
import { checkDeno, checkPermissions } from "../internal/platform.ts";
import { type StartedPe, startedPe, startJob } from "../lamellae/mod.ts";
import { assembleCore } from "./assemble.ts";
import { compareAms } from "./handshake.ts";
import { guestTeam } from "./team.ts";
import { LamellarWorld } from "./world.ts";

/**
 * The lamellae that a world can be built on: `local` is one process, `shmem` several processes on
 * one host, `rofi` any number over libfabric.
 *
 * @category World
 */
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
 *
 * @category World
 */
export class LamellarWorldBuilder {
  #backend: Backend | undefined;
  #numPes: number | undefined;
  #heapBytes: number | undefined;
  #closures: boolean | undefined;

  /**
   * Chooses the lamella, which carries the traffic; without this, `LAMELLAR_BACKEND` does.
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
   * Sets the number of PEs; without this, `-n`, `LAMELLAR_PES` or the number of cores does.
   *
   * @param numPes 1 to 256.
   * @returns This builder.
   * @throws {RangeError} If the number is out of range.
   */
  withNumPes(numPes: number): this {
    if (!Number.isInteger(numPes) || numPes < 1 || numPes > PES_MAX) {
      throw new RangeError(
        `Cannot build a world of ${numPes} PEs: the number must be 1 to ${PES_MAX}`,
      );
    }
    this.#numPes = numPes;
    return this;
  }

  /**
   * Sets the size of each PE's heap; without this, `LAMELLAR_HEAP_SIZE` does.
   *
   * @param bytes How many bytes each PE can allocate for regions, at least 65536.
   * @returns This builder.
   * @throws {RangeError} If the number is out of range.
   */
  withHeapSize(bytes: number): this {
    if (!Number.isSafeInteger(bytes) || bytes < 65536) {
      throw new RangeError(
        `Cannot build with a heap of ${bytes} bytes: it must be 65536 or more`,
      );
    }
    this.#heapBytes = bytes;
    return this;
  }

  /**
   * Allows or forbids closures, which run code that other PEs send; without this,
   * `LAMELLAR_CLOSURES` does.
   *
   * @param allowed Whether this world runs closures.
   * @returns This builder.
   */
  withClosures(allowed: boolean): this {
    this.#closures = allowed;
    return this;
  }

  /**
   * Builds the world. Collective. On the main thread of a program, this starts the PEs, which run
   * the program from its beginning, and never returns: the main thread becomes their supervisor.
   *
   * @returns The world, on a PE.
   * @throws {LamellarError} If the program has built a world already.
   * @throws {HandshakeError} If the PEs differ in their AMs or settings.
   * @throws {FeatureLevelError} In a REPL, in `deno test` and in `deno bench`, where there is no
   * program that PEs could run; and if Deno is too old or a permission is missing.
   */
  async build(): Promise<LamellarWorld> {
    checkDeno();
    if (built) {
      throw new LamellarError("ERR_WORLD_EXISTS", "Cannot build a second world in one program", {
        op: "build",
      });
    }
    const pe = startedPe(VERSION);
    if (!pe) {
      checkProgramKind();
      return await this.#start().catch(endWithAdvice);
    }
    built = true;
    // Imports and the pump would hold the program's mark for ever: see process/program_mark.ts.
    return await outsideAsyncContext(async () => {
      try {
        return await this.#join(pe);
      } finally {
        pe.endBuild();
      }
    });
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
    const definitions = sealRegistry();
    const { core, context } = await assembleCore(lamella, config, {
      definitions,
      groupOf: (groups) => groups.world(config.barrierFactor),
      guestTeam: (core, description) => guestTeam(core, world, description),
    });
    const world = new LamellarWorld(core, () => {
      core.release();
      pe.setWorld(undefined);
    });
    Object.assign(context, {
      currentPe: lamella.pe,
      numPes: lamella.numPes,
      world,
      team: world.team,
    });
    pe.setWorld((finish) => world.end(finish));
    core.progress.kick();
    await compareAms(core.root.group!, definitions);
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
