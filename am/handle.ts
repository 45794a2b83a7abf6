/**
 * Handles of launched work. The work is under way when you get its handle: await the handle, block
 * on it, or ignore it. `waitAll` throws the errors of ignored handles.
 *
 * @module
 */

import { LamellarError } from "../internal/errors.ts";
import { rejectAtAwaiter, takeStackFromHere } from "../internal/stacks.ts";
import {
  type Awaited,
  checkWaitOptions,
  Handle,
  startLimit,
  WaitLimit,
  type WaitOptions,
} from "../lamellae/mod.ts";
import type { AmDefinition } from "./call.ts";
import type { TeamWork } from "./team_work.ts";

/**
 * Options of a launch: when its handle stops waiting for the result. The work goes on.
 *
 * @category Active messages
 */
export type LaunchOptions = WaitOptions;

/**
 * Checks the options of a launch before anything is sent.
 *
 * @param options When to stop waiting.
 * @param op What was called.
 * @throws {TypeError} If the timeout is not a number, or the signal not an `AbortSignal`.
 * @throws {RangeError} If the timeout is negative or NaN.
 */
export function checkLaunchOptions(options: LaunchOptions, op: string): void {
  checkWaitOptions(options, `call ${op}`);
}

/**
 * How messages call what is launched.
 *
 * @param definition The AM, undefined for a closure.
 * @returns Such as `AM "Add"`.
 */
export function opOf(definition: AmDefinition | undefined): string {
  return definition ? `AM "${definition.name}"` : "closure";
}

/** What a handle needs of the engine. */
export interface HandleHost {
  /** Sends what is buffered and gives replies full attention. */
  attend(): void;
  /** Throws inside a handler, where blocking would never end. */
  refuseBlocking(op: string): void;
  /** Blocks until the condition holds. */
  blockFor(done: () => boolean, op: string, pe: number, limit?: WaitLimit): void;
  /** This handle failed, and nothing waits for its error yet. */
  keepError(handle: AmHandle<unknown>): void;
  /** The program asked for the error. */
  dropError(handle: AmHandle<unknown>): void;
}

/** What the engine does with the handle of an AM or a closure; programs cannot. */
export interface AmHandleControl {
  /** The result is there. */
  resolve<T>(handle: AmHandle<T>, value: unknown): void;
  /** The work failed. */
  reject<T>(handle: AmHandle<T>, error: unknown): void;
  /** The work waits for the event loop of this PE. */
  needEventLoop<T>(handle: AmHandle<T>): void;
  /** Whether it does. */
  isAsynchronous<T>(handle: AmHandle<T>): boolean;
  /** It was launched with a limit. */
  limit<T>(handle: AmHandle<T>, options: LaunchOptions): void;
  /** It was launched in a team other than the world's, which counts it from now on. */
  join<T>(handle: AmHandle<T>, team: TeamWork): TeamWork;
  /** That team. */
  teamOf<T>(handle: AmHandle<T>): TeamWork | undefined;
  /** Its error need not surface in `waitAll`: the program got another it was launched with. */
  observe<T>(handle: AmHandle<T>): void;
  /** Whether it failed, or was given up. */
  failed<T>(handle: AmHandle<T>): boolean;
  /** The error of a failed one. */
  errorOf<T>(handle: AmHandle<T>): unknown;
  /** What it runs, undefined for a closure. */
  definitionOf<T>(handle: AmHandle<T>): AmDefinition | undefined;
  /** How messages call it. */
  opOf<T>(handle: AmHandle<T>): string;
  /** What came of it, if it is over: its value, or its error is thrown. */
  outcomeOf<T>(handle: AmHandle<T>): T;
  /** Blocks on it. */
  block<T>(handle: AmHandle<T>, limit: WaitLimit | undefined): T;
}

/** The control of handles, which reaches what is private to them. */
export let control: AmHandleControl;

/**
 * What came of an AM that is over, also where blocking is refused.
 *
 * @param handle A handle that is done.
 * @returns Its value.
 * @throws What it failed with.
 */
export function outcomeOf<T>(handle: AmHandle<T>): T {
  return control.outcomeOf(handle);
}

/**
 * Takes over the error of an AM, if it fails: it is part of something that tells its own.
 *
 * @param handle Its handle.
 * @returns The same.
 */
export function observed<T>(handle: AmHandle<T>): AmHandle<T> {
  control.observe(handle);
  return handle;
}

const PENDING = 0;
const DONE = 1;
const FAILED = 2;

/** What only some handles need; most are never awaited, and there are many of them. */
interface Wait<T> {
  promise?: Promise<T>;
  resolve?: (value: T | PromiseLike<T>) => void;
  /** The time it was launched with, for waits that block. */
  limit?: WaitLimit;
  /** Ends the timer and the listener of a limited wait. */
  unlimit?: () => void;
  /** The work needs the event loop of this PE. */
  asynchronous?: true;
  /** The team it was launched in, if that is not the world's. */
  team?: TeamWork;
  /** Somebody sees its error, or that of another that was launched with it. */
  observed?: true;
}

/**
 * A launched AM or closure on one PE. It gives what the handler returned, or fails with a
 * `RemoteError` if the handler threw. You may ignore the handle: `waitAll` covers the work, and
 * throws its error.
 *
 * @category Active messages
 */
export class AmHandle<T> extends Handle<T> {
  /** Where it runs. */
  readonly pe: number;
  readonly #definition: AmDefinition | undefined;
  readonly #host: HandleHost;
  #state = PENDING;
  #value: unknown = undefined;
  #wait: Wait<T> | undefined = undefined;

  /**
   * Handles come from launches.
   *
   * @ignore
   * @param host The engine.
   * @param pe Where it runs.
   * @param definition What it runs.
   */
  constructor(host: HandleHost, pe: number, definition: AmDefinition | undefined) {
    super();
    this.#host = host;
    this.pe = pe;
    this.#definition = definition;
  }

  /** Whether the result or an error has arrived. */
  get done(): boolean {
    return this.#state !== PENDING;
  }

  /** @ignore */
  protected override promised(): Promise<T> {
    const wait = this.#wait ??= {};
    return wait.promise ??= AmHandle.#newPromise(this, wait);
  }

  // Static, since each object of a class that has private methods carries a mark of it.
  static #newPromise<T>(handle: AmHandle<T>, wait: Wait<T>): Promise<T> {
    if (handle.#state === DONE) return Promise.resolve(handle.#value as T);
    if (handle.#state === FAILED) {
      handle.#host.dropError(handle as AmHandle<unknown>);
      return new Promise((resolve) => rejectAtAwaiter(resolve, handle.#value));
    }
    handle.#host.attend();
    return new Promise((resolve) => wait.resolve = resolve);
  }

  /** @ignore */
  protected override blocked(limit: WaitLimit | undefined): T {
    this.#host.refuseBlocking("block");
    const check = (): boolean => this.#state !== PENDING || this.#wait?.asynchronous === true;
    if (!check()) AmHandle.#blockFor(this, check, limit);
    if (this.#state === DONE) return this.#value as T;
    if (this.#state === PENDING) {
      const op = opOf(this.#definition);
      throw new LamellarError(
        "ERR_NEEDS_EVENT_LOOP",
        `Cannot block on ${op} on PE ${this.pe}: its handler is async and runs on this PE; ` +
          "use await",
        { pe: this.pe, op },
      );
    }
    this.#host.dropError(this as AmHandle<unknown>);
    throw takeStackFromHere(this.#value);
  }

  static #blockFor<T>(
    handle: AmHandle<T>,
    check: () => boolean,
    limit: WaitLimit | undefined,
  ): void {
    const launched = handle.#wait?.limit;
    const both = launched && limit
      ? new WaitLimit({}, () => handle.awaited(), [launched, limit])
      : launched ?? limit;
    try {
      handle.#host.blockFor(check, opOf(handle.#definition), handle.pe, both);
    } catch (error) {
      // The limit of the launch ends the wait for all.
      if (launched === undefined || !launched.isReached) throw error;
      AmHandle.#giveUp(handle, error);
    }
  }

  /** @ignore */
  protected override awaited(): Awaited {
    const op = opOf(this.#definition);
    return { text: `for ${op} on PE ${this.pe}`, op, pe: this.pe };
  }

  /** The work is over, or nobody waits for it any more and it may go on. */
  static #giveUp<T>(handle: AmHandle<T>, error: unknown): void {
    if (handle.#state !== PENDING) return;
    handle.#state = FAILED;
    handle.#value = error;
    const wait = handle.#wait;
    wait?.unlimit?.();
    if (wait?.resolve) rejectAtAwaiter(wait.resolve, error);
    else if (wait?.observed !== true) handle.#host.keepError(handle as AmHandle<unknown>);
  }

  static #limit<T>(handle: AmHandle<T>, options: LaunchOptions): void {
    const { signal, timeoutMs } = options;
    if (signal?.aborted) return AmHandle.#giveUp(handle, signal.reason);
    const wait = handle.#wait ??= {};
    const awaited = (): Awaited => handle.awaited();
    if (timeoutMs !== undefined) wait.limit = new WaitLimit({ timeoutMs }, awaited);
    wait.unlimit = startLimit(options, awaited, (error) => AmHandle.#giveUp(handle, error));
  }

  static {
    control = {
      resolve(handle, value) {
        const wait = handle.#wait;
        wait?.team?.end(wait.asynchronous === true);
        if (handle.#state !== PENDING) return;
        handle.#state = DONE;
        handle.#value = value;
        if (wait === undefined) return;
        wait.unlimit?.();
        wait.resolve?.(value as never);
      },
      reject(handle, error) {
        const wait = handle.#wait;
        wait?.team?.end(wait.asynchronous === true);
        AmHandle.#giveUp(handle, error);
      },
      needEventLoop(handle) {
        const wait = handle.#wait ??= {};
        if (!wait.asynchronous) wait.team?.needEventLoop();
        wait.asynchronous = true;
      },
      isAsynchronous: (handle) => handle.#wait?.asynchronous === true,
      limit: (handle, options) => AmHandle.#limit(handle, options),
      join(handle, team) {
        (handle.#wait ??= {}).team = team;
        team.join();
        return team;
      },
      teamOf: (handle) => handle.#wait?.team,
      observe(handle) {
        (handle.#wait ??= {}).observed = true;
        if (handle.#state === FAILED) handle.#host.dropError(handle as AmHandle<unknown>);
      },
      failed: (handle) => handle.#state === FAILED,
      errorOf: (handle) => handle.#state === FAILED ? handle.#value : undefined,
      definitionOf: (handle) => handle.#definition,
      opOf: (handle) => opOf(handle.#definition),
      outcomeOf(handle) {
        if (handle.#state === DONE) return handle.#value as never;
        control.observe(handle);
        throw handle.#value;
      },
      block: (handle, limit) => handle.blocked(limit),
    };
  }
}
