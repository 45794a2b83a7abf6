/**
 * Work that a PE does for itself without a copy: AMs and closures launched locally, and what
 * handlers of other PEs returned to run at the origin.
 *
 * @module
 */

import { nodePlace } from "../internal/node_names.ts";
import { AmCall, definitionOf, payloadOf } from "./call.ts";
import { atOrigin, closureOf, ClosureValue } from "./closure/value.ts";
import { type AmHandle, control } from "./handle.ts";
import { invoke } from "./invoke.ts";
import { type Brought, dispose } from "./received.ts";
import { isThenable } from "./thenable.ts";
import { remoteError } from "./wire/thrown.ts";

/** An AM or a closure with all it needs to run. */
export type Work = AmCall<unknown> | ClosureValue;

/** What local work needs of the engine. */
export interface LocalHost {
  /** This PE. */
  readonly pe: number;
  readonly numPes: number;
  /** What handlers get that were launched in no team. */
  readonly context: object;
  /** That many launches are over. */
  countDone(count: number): void;
  /** A handle began, or ceased, to need the event loop of this PE. */
  countAsynchronous(change: 1 | -1): void;
}

/** The local work of a PE. */
export class LocalWork {
  readonly #host: LocalHost;
  #queue: { readonly work: Work; readonly handle: AmHandle<unknown> }[] = [];
  /** The handles of those that are not done after their first `await`. */
  readonly #running = new Set<AmHandle<unknown>>();

  /**
   * @param host The engine.
   */
  constructor(host: LocalHost) {
    this.#host = host;
  }

  /** For the watchdog: the async handlers under way, the first of them by name. */
  get underWay(): string {
    for (const handle of this.#running) return `the async handler of ${control.opOf(handle)}`;
    return "";
  }

  /**
   * Adds work for the next step.
   *
   * @param work What to run.
   * @param handle Gets its value.
   */
  add(work: Work, handle: AmHandle<unknown>): void {
    this.#queue.push({ work, handle });
  }

  /**
   * Runs what was added.
   *
   * @returns How many ran.
   */
  poll(): number {
    const tasks = this.#queue;
    if (tasks.length === 0) return 0;
    // What these launch in turn has to wait for the next step, so that frames get their turn.
    this.#queue = [];
    for (let i = 0; i < tasks.length; i++) this.run(tasks[i]!.work, tasks[i]!.handle);
    return tasks.length;
  }

  /**
   * Runs an AM or a closure now, and what it returns to run at its origin, which is here.
   *
   * @param first What to run.
   * @param handle Gets the value.
   * @param brought What the payload brought that had it in it.
   */
  run(first: Work, handle: AmHandle<unknown>, brought?: Brought): void {
    const context = control.teamOf(handle)?.context ?? this.#host.context;
    for (let work: Work | undefined = first; work !== undefined;) {
      try {
        const result = work instanceof ClosureValue
          ? work.run(context)
          : invoke(definitionOf(work)!.handler, payloadOf(work), context);
        work = returnedWork(result);
        if (work !== undefined) continue;
        if (isThenable(result)) return this.#goOn(result, handle, brought);
        control.resolve(handle, result);
      } catch (error) {
        return this.#fail(handle, error, brought);
      }
    }
    dispose(brought);
    this.#host.countDone(1);
  }

  #goOn(
    result: PromiseLike<unknown>,
    handle: AmHandle<unknown>,
    brought: Brought | undefined,
  ): void {
    const promise = Promise.resolve(result);
    control.needEventLoop(handle);
    this.#host.countAsynchronous(1);
    this.#running.add(handle);
    const over = (): void => {
      this.#host.countAsynchronous(-1);
      this.#running.delete(handle);
    };
    promise.then(
      (value) => {
        over();
        this.#finish(value, handle, brought);
      },
      (error) => {
        over();
        this.#fail(handle, error, brought);
      },
    );
  }

  #finish(value: unknown, handle: AmHandle<unknown>, brought: Brought | undefined): void {
    let work: Work | undefined;
    try {
      work = returnedWork(value);
    } catch (error) {
      return this.#fail(handle, error, brought);
    }
    if (work !== undefined) return this.run(work, handle, brought);
    control.resolve(handle, value);
    dispose(brought);
    this.#host.countDone(1);
  }

  #fail(handle: AmHandle<unknown>, error: unknown, brought: Brought | undefined): void {
    dispose(brought);
    const { numPes, pe } = this.#host;
    const place = nodePlace(pe, numPes);
    control.reject(handle, remoteError(control.opOf(handle), pe, error, undefined, place));
    this.#host.countDone(1);
  }

  /**
   * Ends everything, when the job fails.
   *
   * @param error Why.
   */
  failAll(error: Error): void {
    for (const { handle } of this.#queue.splice(0)) control.reject(handle, error);
    for (const handle of this.#running) control.reject(handle, error);
    this.#running.clear();
  }
}

/**
 * @param value What a handler returned.
 * @returns It, if it is an AM or a closure that runs at the origin.
 */
export function returnedWork(value: unknown): Work | undefined {
  if (value instanceof AmCall) return value;
  const closure = closureOf(value);
  return closure && atOrigin(value) ? closure : undefined;
}
