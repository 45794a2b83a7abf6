/**
 * The world: all PEs of a job, and the same PEs as a team.
 *
 * @module
 */

import type { LamellarEnv } from "../am/mod.ts";
import type { CollectiveHandle } from "../lamellae/mod.ts";
import type {
  AllocationResult,
  ElementType,
  OneSidedMemoryRegion,
  SharedMemoryRegion,
} from "../memregion/mod.ts";
import type { LamellarArch } from "./arch.ts";
import { Messaging, type WorldCore } from "./messaging.ts";
import { createTeam, type LamellarSubteam, LamellarTeam } from "./team.ts";

/** All PEs of a job, seen from one of them. */
export class LamellarWorld extends Messaging implements LamellarEnv {
  /** The world as a team. */
  readonly team: WorldTeam;
  readonly #released: () => void;
  #closing: Promise<void> | undefined;

  /**
   * Programs get a world from {@linkcode LamellarWorldBuilder}.
   *
   * @internal
   * @param core What every object of the world shares.
   * @param released Called once the world is closed.
   */
  constructor(core: WorldCore, released: () => void) {
    super(core);
    this.#released = released;
    this.team = new WorldTeam(core, this);
  }

  /** This world. */
  get world(): LamellarWorld {
    return this;
  }

  /** Megabytes this PE has put into the memory of others, frames of AMs included. */
  get mbSent(): number {
    return (this.core.lamella.bytesPut + this.core.regions.bytesPut) / 1e6;
  }

  /**
   * Creates a team of some PEs of the world. Collective: every PE of the world calls it, members
   * and others alike, with an arch that names the same members. Others get the team too, and may
   * launch AMs in it.
   *
   * @param arch Which PEs, and in which order.
   * @returns A handle for the team: await it or block on it. It fails on every PE with a
   * `CollectiveMismatchError` if they name different members, or if one of them has no valid arch;
   * that one gets the reason, a `TypeError` or a `RangeError`.
   */
  createTeamFromArch(arch: LamellarArch): CollectiveHandle<LamellarSubteam> {
    return this.team.createSubteamFromArch(arch);
  }

  /**
   * Allocates a memory region with a part on every PE. Collective: every PE calls it with the same
   * arguments.
   *
   * @param type The element type, such as `"f64"`.
   * @param length Elements on each PE, all 0 at first.
   * @returns A handle for the region: await it or block on it. It fails on every PE with an
   * `OutOfMemoryError` if one of them has no room.
   * @throws {RangeError} If the length is no integer from 1.
   */
  allocSharedMemRegion<E extends ElementType>(
    type: E,
    length: number,
  ): CollectiveHandle<SharedMemoryRegion<E>> {
    this.checkOpen("allocSharedMemRegion");
    return this.core.regions.allocShared(type, length);
  }

  /**
   * As `allocSharedMemRegion`, with a result that tells whether there was room.
   *
   * @param type The element type, such as `"f64"`.
   * @param length Elements on each PE, all 0 at first.
   * @returns A handle for the result.
   */
  tryAllocSharedMemRegion<E extends ElementType>(
    type: E,
    length: number,
  ): CollectiveHandle<AllocationResult<SharedMemoryRegion<E>>> {
    this.checkOpen("tryAllocSharedMemRegion");
    return this.core.regions.tryAllocShared(type, length);
  }

  /**
   * Allocates a memory region on this PE only. Its handle can travel in AMs, and whoever has it can
   * read and write the memory.
   *
   * @param type The element type, such as `"f64"`.
   * @param length Its elements, all 0 at first.
   * @returns The region.
   * @throws {OutOfMemoryError} If this PE has no room.
   * @throws {RangeError} If the length is no integer from 1.
   */
  allocOneSidedMemRegion<E extends ElementType>(
    type: E,
    length: number,
  ): OneSidedMemoryRegion<E> {
    this.checkOpen("allocOneSidedMemRegion");
    return this.core.regions.allocOneSided(type, length);
  }

  /**
   * As `allocOneSidedMemRegion`, with a result that tells whether there was room.
   *
   * @param type The element type, such as `"f64"`.
   * @param length Its elements, all 0 at first.
   * @returns The result.
   */
  tryAllocOneSidedMemRegion<E extends ElementType>(
    type: E,
    length: number,
  ): AllocationResult<OneSidedMemoryRegion<E>> {
    this.checkOpen("tryAllocOneSidedMemRegion");
    return this.core.regions.tryAllocOneSided(type, length);
  }

  /**
   * Closes the world. Collective: waits until all PEs are here and every AM is over, those launched
   * by handlers too. The runtime does it at the end of a program that does not.
   *
   * @returns Settles when the world is closed.
   * @throws {RemoteError} If an AM whose handle was ignored failed; an `AggregateError` if several
   * did.
   */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  /**
   * Hands the world over: the runtime closes it once the program has ended. It does not wait here,
   * so that an error that leaves the scope is reported at once instead of waiting for the other
   * PEs.
   */
  [Symbol.asyncDispose](): Promise<void> {
    this.core.engine.attend();
    return Promise.resolve();
  }

  async #close(): Promise<void> {
    const { engine, collectives, progress } = this.core;
    progress.serve();
    let before = -1;
    // Two rounds with nothing under way and nothing new in between: no AM is left anywhere.
    for (;;) {
      // What is counted has to hold when nothing is under way: handlers run while `awaitAll`
      // resumes.
      do await engine.awaitAll(); while (engine.outstanding > 0);
      const own = new Uint8Array(new Float64Array([engine.launched]).buffer);
      const all = await collectives.call("world close", "", own).finished();
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

/** The PEs of the world as a team. */
export class WorldTeam extends LamellarTeam {
  /** The world. */
  override readonly world: LamellarWorld;

  /**
   * Programs get it from a world.
   *
   * @internal
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
    this.checkOpen("createTeamFromArch");
    return createTeam(this.core, this.core.root, this.world, arch);
  }

  /**
   * Allocates a memory region with a part on every PE. Collective: every PE calls it with the same
   * arguments.
   *
   * @param type The element type, such as `"f64"`.
   * @param length Elements on each PE, all 0 at first.
   * @returns A handle for the region: await it or block on it. It fails on every PE with an
   * `OutOfMemoryError` if one of them has no room.
   * @throws {RangeError} If the length is no integer from 1.
   */
  allocSharedMemRegion<E extends ElementType>(
    type: E,
    length: number,
  ): CollectiveHandle<SharedMemoryRegion<E>> {
    return this.world.allocSharedMemRegion(type, length);
  }

  /**
   * As `allocSharedMemRegion`, with a result that tells whether there was room.
   *
   * @param type The element type, such as `"f64"`.
   * @param length Elements on each PE, all 0 at first.
   * @returns A handle for the result.
   */
  tryAllocSharedMemRegion<E extends ElementType>(
    type: E,
    length: number,
  ): CollectiveHandle<AllocationResult<SharedMemoryRegion<E>>> {
    return this.world.tryAllocSharedMemRegion(type, length);
  }

  /**
   * Allocates a memory region on this PE only. Its handle can travel in AMs, and whoever has it can
   * read and write the memory.
   *
   * @param type The element type, such as `"f64"`.
   * @param length Its elements, all 0 at first.
   * @returns The region.
   * @throws {OutOfMemoryError} If this PE has no room.
   * @throws {RangeError} If the length is no integer from 1.
   */
  allocOneSidedMemRegion<E extends ElementType>(
    type: E,
    length: number,
  ): OneSidedMemoryRegion<E> {
    return this.world.allocOneSidedMemRegion(type, length);
  }

  /**
   * As `allocOneSidedMemRegion`, with a result that tells whether there was room.
   *
   * @param type The element type, such as `"f64"`.
   * @param length Its elements, all 0 at first.
   * @returns The result.
   */
  tryAllocOneSidedMemRegion<E extends ElementType>(
    type: E,
    length: number,
  ): AllocationResult<OneSidedMemoryRegion<E>> {
    return this.world.tryAllocOneSidedMemRegion(type, length);
  }
}
