/**
 * The world: all PEs of a job, and the same PEs as a team.
 *
 * @module
 */

import type { LamellarEnv } from "../am/mod.ts";
import { type CollectiveHandle, type FinishLeftovers, WAIT_FOR } from "../lamellae/mod.ts";
import type { RmaHandle } from "../memregion/mod.ts";
import type { LamellarArch } from "./arch.ts";
import type { WorldCore } from "./core.ts";
import { Messaging } from "./messaging.ts";
import { type GridTeams, type LamellarSubteam, LamellarTeam } from "./team.ts";
import type { SplitOptions } from "./team_split.ts";

/**
 * All PEs of a job, seen from one of them.
 *
 * @category World
 */
export class LamellarWorld extends Messaging implements LamellarEnv {
  /** The world as a team. */
  readonly team: WorldTeam;
  readonly #released: () => void;
  #closing: Promise<void> | undefined;

  /**
   * Programs get a world from {@linkcode LamellarWorldBuilder}.
   *
   * @ignore
   * @param core What every object of the world shares.
   * @param released Called once the world is closed.
   */
  constructor(core: WorldCore, released: () => void) {
    super(core, core.root);
    this.#released = released;
    this.team = new WorldTeam(core, this);
  }

  /** This world. */
  get world(): LamellarWorld {
    return this;
  }

  /** Megabytes that this PE has put into the memory of others, including frames of AMs. */
  get mbSent(): number {
    return (this.core.lamella.bytesPut + this.core.regions.bytesPut) / 1e6;
  }

  /**
   * Creates a team of some PEs of the world. Collective: every PE of the world calls it, with an
   * arch that names the same members. PEs that are not members also get a handle, and may launch
   * AMs in the team.
   *
   * @param arch Which PEs, and in which order.
   * @returns A handle for the team: await it or block on it. It fails on every PE with a
   * `CollectiveMismatchError` if PEs name different members, or if the arch of one PE is not valid;
   * that PE gets the reason instead, a `TypeError` or a `RangeError`.
   */
  createTeamFromArch(arch: LamellarArch): CollectiveHandle<LamellarSubteam> {
    return this.team.createSubteamFromArch(arch);
  }

  /**
   * Splits the world by color. Collective; see {@linkcode LamellarTeam.split}.
   *
   * @param options The color of this PE and its key.
   * @returns A handle for the team of this PE; it gives null on a PE that gives no color.
   */
  split(options: SplitOptions): CollectiveHandle<LamellarSubteam | null> {
    return this.team.split(options);
  }

  /**
   * Arranges the PEs of the world in a grid. Collective; see {@linkcode LamellarTeam.split2d}.
   *
   * @param rows How many rows, from 1 to the number of PEs.
   * @returns A handle for the row and the column of this PE.
   */
  split2d(rows: number): CollectiveHandle<GridTeams | null> {
    return this.team.split2d(rows);
  }

  /**
   * Translates the number of a PE in the world into its number in a team.
   *
   * @param pe A PE of the world.
   * @param other A team.
   * @returns Its number there, or null if it is not a member.
   * @throws {RangeError} If there is no such PE.
   * @throws {TypeError} If the other is neither a team nor a world.
   */
  translatePe(pe: number, other: LamellarEnv): number | null {
    return this.team.translatePe(pe, other);
  }

  /**
   * Orders the operations of this PE: every PE sees the puts, atomic operations and batches that
   * this PE started before the fence, in any region and at any PE, before those that it starts once
   * the handle is done. Without a fence, only atomic operations at one PE are seen in their order.
   *
   * @returns A handle: await it or block on it.
   * @example
   * ```ts
   * import { LamellarWorldBuilder } from "../mod.ts";
   *
   * await using world = await new LamellarWorldBuilder().build();
   * const data = await world.allocSharedMemRegion("u32", 1);
   * const ready = await world.allocSharedMemRegion("u32", 1);
   * const last = world.numPes - 1;
   * if (world.myPe === 0) {
   *   data.put(last, 0, 7);
   *   await world.fence();
   *   for (let pe = 0; pe < world.numPes; pe++) ready.store(pe, 0, 1);
   * }
   * await ready.waitUntil(0, "==", 1);
   * console.log(await data.get(last, 0));
   * world.barrier();
   * ```
   */
  fence(): RmaHandle<void> {
    this.checkOpen("fence");
    return this.core.regions.quiet();
  }

  /**
   * Completes the operations of this PE: once the handle is done, every put, atomic operation and
   * batch that this PE started before, in any region and at any PE, has reached its target, and
   * every get has its values. It does not cover AMs: see `waitAll`. If an operation fails, its own
   * handle gives the error, or `waitAll` if that handle was ignored.
   *
   * @returns A handle: await it or block on it.
   */
  quiet(): RmaHandle<void> {
    this.checkOpen("quiet");
    return this.core.regions.quiet();
  }

  /**
   * Closes the world. Collective: waits until all PEs have called it and every AM is over,
   * including AMs launched by handlers. If a program does not call it, the runtime does at the end
   * of the program.
   *
   * @returns Settles when the world is closed.
   * @throws {RemoteError} If an AM whose handle was ignored failed; an `AggregateError` if several
   * did.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /**
   * Hands the world over to the runtime, which closes it once the program has ended. This does not
   * wait, so that an error that leaves the scope is reported at once instead of after the other
   * PEs.
   */
  [Symbol.asyncDispose](): Promise<void> {
    this.core.engine.attend();
    return Promise.resolve();
  }

  /**
   * Closes the world when the program has ended, and what it has left to the event loop. AMs can be
   * launched until then.
   *
   * @internal
   * @param finish Waits for what is left.
   * @returns Settles when the world is closed.
   */
  end(finish: FinishLeftovers): Promise<void> {
    return this.#closing ??= this.#close(finish);
  }

  async #close(finish?: FinishLeftovers): Promise<void> {
    const { engine, progress, root } = this.core;
    progress.serve();
    const others = [WAIT_FOR.collective, WAIT_FOR.lock, WAIT_FOR.references, WAIT_FOR.finish];
    const awaits = (): boolean =>
      engine.outstanding > 0 || others.some((kind) => progress.awaitsKind(kind));
    let before = -1;
    // Two rounds with nothing under way and nothing new in between: no AM is left anywhere.
    for (;;) {
      // What is counted has to hold when nothing is under way: handlers run while `awaitAll`
      // resumes.
      do {
        await engine.awaitAll();
        await finish?.(awaits);
      } while (engine.outstanding > 0);
      const own = new Uint8Array(new Float64Array([engine.launched]).buffer);
      const all = await root.group!.call("world close", { own }).finished();
      const launched = all.reduce((sum, bytes) => sum + new Float64Array(bytes.buffer)[0]!, 0);
      if (launched === before) break;
      before = launched;
    }
    this.core.closed = true;
    this.core.regions.close();
    progress.close();
    this.#released();
  }
}

/**
 * The PEs of the world as a team.
 *
 * @category World
 */
export class WorldTeam extends LamellarTeam {
  /** The world. */
  override readonly world: LamellarWorld;

  /**
   * Programs get it from a world.
   *
   * @ignore
   * @param core What every object of the world shares.
   * @param world The world.
   */
  constructor(core: WorldCore, world: LamellarWorld) {
    super(core, core.root);
    this.world = world;
  }

  /** This team. */
  override get team(): WorldTeam {
    return this;
  }

  /**
   * Creates a team of some PEs of the world, as `createTeamFromArch` of the world does.
   *
   * @param arch Which PEs, and in which order.
   * @returns A handle for the team: await it or block on it.
   */
  override createSubteamFromArch(arch: LamellarArch): CollectiveHandle<LamellarSubteam> {
    return super.createSubteamFromArch(arch) as CollectiveHandle<LamellarSubteam>;
  }
}
