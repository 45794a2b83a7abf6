/**
 * A PE at the service of a session.
 *
 * @module
 */

import { messageOf } from "../am/mod.ts";
import type { ElementType } from "../internal/elements.ts";
import { LamellarError } from "../internal/errors.ts";
import { encodeShared, type SharedMemoryRegion } from "../memregion/mod.ts";
import { describeAm, insideOf, type LamellarWorld } from "../world/mod.ts";
import { IN_TURN } from "./in_turn.ts";
import { type ErrorText, onMessage, sendMessage, type ToPe } from "./messages.ts";

/** What a PE does for a session. */
class Service {
  readonly #world: LamellarWorld;
  /** What it allocated, by request. */
  readonly #regions = new Map<number, SharedMemoryRegion<ElementType>>();
  /** What all PEs do together they do one after the other, in the same order: see `in_turn.ts`. */
  #last: Promise<void> = Promise.resolve();
  readonly over: Promise<void>;

  constructor(world: LamellarWorld) {
    this.#world = world;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    const { core } = insideOf(world);
    onMessage<ToPe>(core, (message) => {
      if (message.kind === "close") return resolve();
      this.#inTurn(() => this.#obey(message));
    });
    Object.assign(core.engine.context, { [IN_TURN]: (run: () => unknown) => this.#inTurn(run) });
    const ams = world.myPe === 0 ? core.engine.definitions.map(describeAm) : [];
    sendMessage(core, world.numPes, { kind: "ready", ams });
  }

  /** Runs something after what came before it, here as on all other PEs. */
  #inTurn<T>(run: () => T | PromiseLike<T>): Promise<T> {
    const turn = this.#last.then(run);
    this.#last = turn.then(() => {}, () => {});
    return turn;
  }

  async #obey(message: Exclude<ToPe, { kind: "close" }>): Promise<void> {
    const { request } = message;
    if (message.kind === "release") {
      this.#regions.get(request)?.dispose();
      this.#regions.delete(request);
      return;
    }
    const { length, type } = message;
    try {
      const region = await this.#world.allocSharedMemRegion(type as ElementType, length);
      this.#regions.set(request, region);
      this.#answer(() => ({ kind: "done", request, numbers: encodeShared(region) }));
    } catch (error) {
      this.#answer(() => ({ kind: "failed", request, error: textOf(error) }));
    }
  }

  /** PE 0 answers for all. */
  #answer(answer: () => Parameters<typeof sendMessage>[2]): void {
    const { myPe, numPes } = this.#world;
    if (myPe === 0) sendMessage(insideOf(this.#world).core, numPes, answer());
  }
}

function textOf(error: unknown): ErrorText {
  const { name } = error as Error;
  const pe = error instanceof LamellarError ? error.pe : undefined;
  return { name, message: messageOf(error), pe };
}

/**
 * Serves a session until it is closed.
 *
 * @param world The world of this PE.
 */
export async function serve(world: LamellarWorld): Promise<void> {
  await new Service(world).over;
  await world.close();
  // Timers and servers that handlers have left would keep the PE alive.
  Deno.exit(0);
}
