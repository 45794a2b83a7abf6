/**
 * A PE at the service of a session.
 *
 * @module
 */

import { messageOf } from "../am/mod.ts";
import { arrayClassOf, type LamellarArray, recordTypeNamed, sendArray } from "../array/mod.ts";
import { darcClassOf, type DarcKind } from "../darc/mod.ts";
import type { ElementType } from "../internal/elements.ts";
import { FeatureLevelError, LamellarError } from "../internal/errors.ts";
import { encodeShared } from "../memregion/mod.ts";
import { describeAm, insideOf, type LamellarWorld } from "../world/mod.ts";
import { AT_SERVICE, type AtService } from "./in_turn.ts";
import { type ErrorText, onMessage, sendMessage, type ToPe } from "./messages.ts";

/** What a PE does for a session. */
class Service implements AtService {
  readonly world: LamellarWorld;
  /** What it made, by request. */
  readonly #made = new Map<number, Disposable>();
  /** What all PEs do together they do one after the other, in the same order: see `in_turn.ts`. */
  #last: Promise<void> = Promise.resolve();
  readonly over: Promise<void>;

  constructor(world: LamellarWorld) {
    this.world = world;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.over = promise;
    const { core } = insideOf(world);
    onMessage<ToPe>(core, (message) => {
      if (message.kind === "close") return resolve();
      // Room that comes back is not behind those that wait for it.
      if (message.kind === "release" && this.#release(message.request)) return;
      this.inTurn(() => this.#obey(message));
    });
    Object.assign(core.engine.context, { [AT_SERVICE]: this });
    const ams = world.myPe === 0 ? core.engine.definitions.map(describeAm) : [];
    sendMessage(core, world.numPes, { kind: "ready", ams });
  }

  inTurn<T>(run: () => T | PromiseLike<T>): Promise<T> {
    const turn = this.#last.then(run);
    this.#last = turn.then(() => {}, () => {});
    return turn;
  }

  makeDarc(kind: DarcKind, request: number, value: () => unknown): Promise<unknown> {
    return this.inTurn(async () => {
      const [made] = await Promise.allSettled([Promise.try(value)]);
      // Where one PE has no instance, the others must not wait for it.
      const failures = await this.world.allReduce(made!.status === "rejected" ? 1 : 0, "sum");
      if (made!.status === "rejected") throw made!.reason;
      if (failures > 0) return (made!.value as Partial<Disposable>)?.[Symbol.dispose]?.();
      const darc = await darcClassOf(kind).create(this.world, made!.value);
      this.#made.set(request, darc);
      return this.world.myPe === 0 ? darc : undefined;
    });
  }

  /** Gives up what was made by a request; returns whether that is there. */
  #release(request: number): boolean {
    this.#made.get(request)?.[Symbol.dispose]();
    return this.#made.delete(request);
  }

  async #obey(message: Exclude<ToPe, { kind: "close" }>): Promise<void> {
    const { request } = message;
    if (message.kind === "release") return void this.#release(request);
    try {
      const give = await this.#make(message);
      this.#answer(() => ({ kind: "done", request, numbers: give() }));
    } catch (error) {
      this.#answer(() => ({ kind: "failed", request, error: textOf(error) }));
    }
  }

  /** Makes what all PEs share; returns what gives the numbers that travel. */
  async #make(message: Extract<ToPe, { kind: "allocate" | "array" }>): Promise<() => number[]> {
    const { length, request } = message;
    const world = this.world;
    if (message.kind === "allocate") {
      const region = await world.allocSharedMemRegion(message.type as ElementType, length);
      this.#made.set(request, region);
      return () => encodeShared(region);
    }
    const { arrayKind, distribution, isRecords, type } = message;
    const records = isRecords ? recordTypeNamed(type) : undefined;
    if (isRecords && records === undefined) {
      throw new FeatureLevelError(
        `Cannot create an array of ${type}: no module of the session defines these records`,
      );
    }
    const element = records ?? type as ElementType;
    const array = await arrayClassOf(arrayKind).create(
      world,
      element as "f64",
      length,
      distribution,
    );
    this.#made.set(request, array);
    return () => sendArray(array as unknown as LamellarArray<ElementType>, world.numPes);
  }

  /** PE 0 answers for all. */
  #answer(answer: () => Parameters<typeof sendMessage>[2]): void {
    const { myPe, numPes } = this.world;
    if (myPe === 0) sendMessage(insideOf(this.world).core, numPes, answer());
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
