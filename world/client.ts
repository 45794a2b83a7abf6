/**
 * The world as a client sees it: it launches AMs on all PEs, and is none of them.
 *
 * @module
 */

import type { AmDefinition, HandlerWorld } from "../am/mod.ts";
import type { Config } from "../internal/config.ts";
import { ClosedError } from "../internal/errors.ts";
import type { Lamella } from "../lamellae/mod.ts";
import type { RmaHandle } from "../memregion/mod.ts";
import { assembleCore, type Assembled } from "./assemble.ts";
import { Messaging } from "./messaging.ts";
import { guestTeam } from "./team.ts";

/** What a client knows of the AMs of the PEs. */
export interface KnownAms {
  /** The id of an AM; below 0 if no PE has it. */
  readonly idOf: (definition: AmDefinition) => number;
  /** The AM of an id. */
  readonly definitionOf: (id: number) => AmDefinition;
}

/** The world as a client sees it. */
export class ClientWorld extends Messaging implements HandlerWorld {
  readonly #release: () => void;

  /**
   * Makes the world of a client.
   *
   * @param lamella How it reaches the PEs.
   * @param config The settings.
   * @param ams What it knows of their AMs.
   * @returns The world.
   */
  static async join(lamella: Lamella, config: Config, ams: KnownAms): Promise<ClientWorld> {
    const { core, context } = await assembleCore(lamella, config, {
      definitions: [],
      ...ams,
      groupOf: () => undefined,
      guestTeam: (core, description) => guestTeam(core, world, description),
    });
    const world = new ClientWorld(core);
    const { numPes } = lamella;
    Object.assign(context, { currentPe: -1, numPes, world, team: world });
    return world;
  }

  private constructor(core: Assembled["core"]) {
    super(core, core.root);
    this.#release = () => core.release();
  }

  /** This world. */
  override get world(): this {
    return this;
  }

  /** The same as a team. */
  override get team(): this {
    return this;
  }

  /** A client is no PE. */
  override get myPe(): number {
    return -1;
  }

  /** Orders the region operations of the client. */
  fence(): RmaHandle<void> {
    return this.quiet();
  }

  /** Completes the region operations of the client. */
  quiet(): RmaHandle<void> {
    this.checkOpen("quiet");
    return this.core.regions.quiet();
  }

  /** Makes everything unusable. What is under way fails if the PEs have. */
  end(): void {
    try {
      this.core.progress.checkFailure();
    } catch {
      // Whatever was under way has failed with it.
    }
    this.core.closed = true;
    this.core.regions.close("the session");
    this.core.progress.close();
    this.#release();
  }

  /** @ignore */
  protected override checkOpen(op: string): void {
    if (this.core.closed) throw new ClosedError(`Cannot call ${op}: the session is closed`, { op });
  }
}
