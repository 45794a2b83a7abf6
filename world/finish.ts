/**
 * `finish`: waits for all that is launched in it, on every PE.
 *
 * @module
 */

import { nodeName } from "../internal/node_names.ts";
import {
  type AmContext,
  checkLaunchOptions,
  type Failures,
  type Finish,
  type FinishOptions,
  FinishWork,
  type HandlerTeam,
  type HandlerWorld,
  type LamellarEnv,
  messageOf,
} from "../am/mod.ts";
import { LamellarError } from "../internal/errors.ts";
import { madeHere } from "../internal/stacks.ts";
import { type Awaited, startLimit } from "../lamellae/mod.ts";
import type { RmaHandle } from "../memregion/mod.ts";
import { GroupMessaging, insideOfEnv } from "./group_messaging.ts";
import { type Inside, insideOf } from "./messaging.ts";
import { isObserved, LamellarTask } from "./task.ts";

/** What the user calls. */
const op = "finish";

/**
 * What launches in a finish as the world or team does. Handlers get such objects as their `world`
 * and `team`, so that what they launch belongs to the same finish.
 */
class FinishScope extends GroupMessaging implements HandlerWorld {
  readonly #finish: Finish;
  readonly #base: AmContext;
  #world: HandlerWorld | undefined;

  /**
   * @param parent The world, team or group in which it launches.
   * @param finish The finish.
   * @param base What handlers get outside of the finish.
   */
  constructor(parent: LamellarEnv, finish: Finish, base: AmContext) {
    const inside = insideOfEnv(parent, `call ${op}`);
    const { work, core: { engine } } = inside;
    const makeContext = (): AmContext => ({ ...base, world: this.world, team: this.team });
    super(parent, inside, engine.taskGroups.keep(new FinishWork(work, makeContext, finish)));
    this.#finish = finish;
    this.#base = base;
  }

  /** The world, in which what is launched belongs to the same finish. */
  get world(): HandlerWorld {
    const { parent } = this;
    if (parent.world === parent) return this;
    return this.#world ??= new FinishScope(parent.world, this.#finish, this.#base);
  }

  /** The world or team of which the finish was called; this object. */
  get team(): HandlerTeam {
    return this;
  }

  fence(): RmaHandle<void> {
    return this.quiet();
  }

  quiet(): RmaHandle<void> {
    this.checkOpen("quiet");
    return this.core.regions.quiet();
  }
}

/**
 * Makes what handlers get in a finish.
 *
 * @param base What they would get outside of it.
 * @param finish The finish.
 * @returns The same, but what they launch belongs to the finish.
 */
export function finishContext(base: AmContext, finish: Finish): AmContext {
  const scope = new FinishScope(base.team, finish, base);
  return insideOf(scope).work!.context as AmContext;
}

/**
 * Runs a body in a finish; see {@linkcode LamellarWorld.finish}.
 *
 * @param parent The world, team or group of which it was called.
 * @param body Launches in the finish.
 * @param options When to stop.
 * @returns A handle for what the body returns.
 */
export function runFinish<T>(
  parent: LamellarEnv,
  body: (scope: HandlerWorld) => T | PromiseLike<T>,
  options: FinishOptions = {},
): LamellarTask<T> {
  const inside = insideOfEnv(parent, `call ${op}`);
  inside.checkOpen(op);
  checkLaunchOptions(options, op);
  if (typeof body !== "function") {
    throw new TypeError(`Cannot call finish: its body must be a function, got ${typeof body}`);
  }
  const { core: { engine, progress }, work } = inside;
  const { signal } = options;
  const start = (): Promise<T> => {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Run(parent, inside).result(body, options);
  };
  // A task of the program: what is around it, another finish too, goes on until this one is over.
  const promise = engine.track(start, () => isObserved(task), work);
  const task: LamellarTask<T> = new LamellarTask(progress, promise, op);
  return task;
}

/** A finish that this PE has called. */
class Run {
  readonly #inside: Inside;
  readonly #finish: Finish;
  readonly #over: Promise<Failures>;
  readonly #scope: FinishScope;

  constructor(parent: LamellarEnv, inside: Inside) {
    const { core: { engine }, work } = inside;
    const { finish, over } = engine.finishes.call();
    const base = (work?.context ?? engine.context) as AmContext;
    this.#inside = inside;
    this.#finish = finish;
    this.#over = over;
    this.#scope = new FinishScope(parent, finish, base);
  }

  /** Runs the body, and waits for the end of everything. */
  async result<T>(
    body: (scope: HandlerWorld) => T | PromiseLike<T>,
    options: FinishOptions,
  ): Promise<T> {
    const { finishes } = this.#inside.core.engine;
    const unlimit = this.#limit(options);
    let value: T | undefined;
    Promise.try(body, this.#scope).then((result) => {
      value = result;
    }, (error) => this.#finish.keepErrors([error])).finally(() => finishes.endBody(this.#finish));
    try {
      const failed = this.#failed(await this.#over);
      if (failed) throw failed;
      return value as T;
    } finally {
      unlimit();
    }
  }

  /** Stops it when it has to be stopped. */
  #limit({ signal, timeoutMs }: FinishOptions): () => void {
    const { core: { engine: { finishes }, lamella: { pe } }, work } = this.#inside;
    const finish = this.#finish;
    const awaited = (): Awaited => {
      return { text: `for a finish of ${this.#caller} (left: ${finishes.leftOf(finish)})`, op, pe };
    };
    const onTime = startLimit(timeoutMs === undefined ? {} : { timeoutMs }, awaited, (error) => {
      finishes.stop(finish, `its ${timeoutMs} ms were over`, (failures) => {
        const cause = this.#failed(failures);
        return cause ? Object.assign(error as Error, { cause }) : error;
      });
    });
    const onAbort = startLimit(signal === undefined ? {} : { signal }, awaited, (reason) => {
      this.#stop("its signal was aborted", reason);
    });
    const onStop = (reason: string): void => this.#stop(`the one around it was stopped: ${reason}`);
    const outer = work?.finish;
    outer?.onStop.add(onStop);
    return () => {
      onTime();
      onAbort();
      outer?.onStop.delete(onStop);
    };
  }

  /** Who has called it, as messages say it. */
  get #caller(): string {
    const { numPes, pe } = this.#inside.core.lamella;
    return nodeName(pe, numPes);
  }

  #stop(why: string, reason?: unknown): void {
    const { engine: { finishes }, lamella: { pe } } = this.#inside.core;
    finishes.stop(this.#finish, why, (failures) => {
      const failed = this.#failed(failures);
      const left = finishes.leftOf(this.#finish);
      const text = `A finish of ${this.#caller} was stopped because ${why} (left: ${left})` +
        (failed ? `; ${failed.message}` : "");
      return new LamellarError("ERR_FINISH_STOPPED", text, { pe, op, cause: reason ?? failed });
    });
  }

  /** The error that stands for all of them. */
  #failed({ errors, further }: Failures): AggregateError | undefined {
    if (errors.length === 0) return undefined;
    const count = errors.length + further;
    const text =
      `A finish of ${this.#caller} failed with ${count === 1 ? "1 error" : `${count} errors`}` +
      `, the first: ${messageOf(errors[0])}`;
    return madeHere(new AggregateError(errors, text));
  }
}
