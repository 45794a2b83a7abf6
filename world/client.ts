/**
 * The world as a client sees it: it launches AMs on all PEs, and is none of them.
 *
 * @module
 */

import { CLIENT_NAME } from "../internal/node_names.ts";
import type { AmDefinition, AmNumbers, HandlerWorld, LaunchOptions } from "../am/mod.ts";
import type { Config } from "../internal/config.ts";
import { ClosedError } from "../internal/errors.ts";
import type { Lamella } from "../lamellae/mod.ts";
import type { RmaHandle } from "../memregion/mod.ts";
import { IdError } from "./arch.ts";
import { assembleCore, type Assembled } from "./assemble.ts";
import type { WorldCore } from "./core.ts";
import { Messaging } from "./messaging.ts";
import { guestTeam, LamellarTeam } from "./team.ts";
import type { TeamParent } from "./teams.ts";

/** What a client knows of the AMs of the PEs. */
export interface KnownAms extends AmNumbers {
  /** Takes note of AMs that are not the program's, but those by which its engine works. */
  include(definitions: readonly AmDefinition[]): void;
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
      numbers: ams,
      groupOf: () => undefined,
      guestTeam: (core, description) => guestTeam(core, world, description),
      teamForClient: (core, pes) => new ClientTeam(core, pes, world),
    });
    ams.include(core.engine.definitions);
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

  /** @ignore */
  protected override checkCollective(op: string): void {
    this.checkOpen(op);
    refuseCollective(this.core, this.pes, op);
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

/** PEs as a client sees them: it launches AMs on them, and is none of them. */
class ClientTeam extends LamellarTeam {
  override readonly world: ClientWorld;

  constructor(core: WorldCore, pes: TeamParent, world: ClientWorld) {
    super(core, pes);
    this.world = world;
  }

  /** @ignore */
  protected override target(pe: number, op: string, options: LaunchOptions | undefined): number {
    const { name, pes } = this.pes;
    const target = Number.isInteger(pe) ? pes[pe] : undefined;
    if (target !== undefined) return super.target(target, op, options);
    throw new RangeError(
      `Cannot call ${op} for PE ${Deno.inspect(pe)}: ${name} has PEs 0 to ${pes.length - 1}`,
    );
  }

  /** @ignore */
  protected override targets(op: string, options: LaunchOptions | undefined): readonly number[] {
    super.targets(op, options);
    return this.pes.pes;
  }

  /** @ignore */
  protected override checkCollective(op: string): void {
    this.checkOpen(op);
    refuseCollective(this.core, this.pes, op);
  }
}

function refuseCollective({ lamella }: WorldCore, { name }: TeamParent, op: string): never {
  const advice = /\.(create|from)$/.test(op)
    ? "; createArray and createDarc of the session make what its PEs share"
    : "";
  throw new IdError(
    `Cannot call ${op} in ${CLIENT_NAME}: it is not one of the PEs of ${name}${advice}`,
    lamella.pe,
  );
}
