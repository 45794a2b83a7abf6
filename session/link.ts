/**
 * What a session and its PEs have to tell each other: that they are ready, what the program asks of
 * all of them, and the end.
 *
 * @module
 */

import {
  ClosedError,
  FeatureLevelError,
  LamellarError,
  OutOfMemoryError,
  TimeoutError,
} from "../internal/errors.ts";
import { checkTimeLimit, startTimeLimit } from "../internal/time_limit.ts";
import { type HostedPes, WAIT_FOR } from "../lamellae/mod.ts";
import { type ClientWorld, insideOf, type WorldCore } from "../world/mod.ts";
import { type ErrorText, type FromPe, onMessage, sendMessage, type ToPe } from "./messages.ts";
import { withOptions } from "./option_names.ts";
import type { SessionAms } from "./session_ams.ts";

/** What a session is made of. */
export interface SessionParts {
  readonly ams: SessionAms;
  readonly hosted: HostedPes;
  readonly queueLimit: number;
  readonly world: ClientWorld;
}

/**
 * Options of `close`.
 *
 * @category Sessions
 */
export interface CloseOptions {
  /**
   * After how many milliseconds the session is ended whatever is under way; without it, what is
   * under way may take as long as it needs.
   */
  timeoutMs?: number;
}

/** How long PEs may take to end once nothing is under way, in milliseconds. */
const END_LIMIT_MS = 10_000;

/** Somebody who waits for an answer of the PEs. */
interface Question {
  readonly resolve: (numbers: readonly number[]) => void;
  readonly reject: (error: unknown) => void;
}

/** The link between a program and the PEs of a session. */
export class SessionLink {
  readonly core: WorldCore;
  readonly #parts: SessionParts;
  readonly #ready = Promise.withResolvers<void>();
  /** The PEs that have not said that they are ready. */
  readonly #unready: Set<number>;
  readonly #questions = new Map<number, Question>();
  #asked = 0;
  #closing: Promise<void> | undefined;
  /** Who waits for something and has to know when the session is over. */
  readonly #stopListeners = new Set<() => void>();
  /** Whether somebody was told why the session failed. */
  #toldFailure = false;

  /**
   * @param parts What the session is made of.
   */
  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { core } = insideOf(parts.world);
    this.core = core;
    this.#unready = new Set(core.root.pes);
    onMessage<FromPe>(core, (message, pe) => this.#receive(message, pe));
    core.progress.addReason(() => this.#waitReason());
    core.progress.onFailure((error) => this.#failAll(error));
    core.progress.kick();
  }

  /**
   * Settles once all PEs are ready.
   *
   * @param timeoutMs How long that may take.
   */
  async ready(timeoutMs: number): Promise<void> {
    const { hosted } = this.#parts;
    try {
      await within(this.#ready.promise, performance.now() + timeoutMs, () =>
        new TimeoutError(
          `The session did not start within ${timeoutMs} ms: PE ${
            [...this.#unready].join(", ")
          } did not come to the end of its modules`,
          { op: "startSession" },
        ));
    } catch (error) {
      this.#toldFailure = true;
      hosted.end("the session did not start");
      await hosted.ended();
      throw error;
    }
  }

  /** Why the session has failed, or null. */
  get failure(): LamellarError | null {
    return this.#parts.hosted.failure;
  }

  /** Whether the session is closed or has failed. */
  get closed(): boolean {
    return this.#closing !== undefined || this.failure !== null;
  }

  /** Why nothing can be begun any more: the failure, or that the session is closed. */
  get stopped(): LamellarError | undefined {
    const { failure } = this;
    if (failure) return failure;
    return this.#closing && new ClosedError("The session is closed");
  }

  /**
   * @param listener Called when the session is closed or has failed.
   * @returns Takes the listener back.
   */
  onStop(listener: () => void): () => void {
    this.#stopListeners.add(listener);
    return () => void this.#stopListeners.delete(listener);
  }

  #stop(): void {
    for (const listener of this.#stopListeners) listener();
    this.#stopListeners.clear();
  }

  /** How many AMs and closures are under way. */
  get queued(): number {
    return this.core.engine.outstanding;
  }

  /**
   * Whether one more may be launched.
   *
   * @param then Called once when one may, if not now.
   */
  hasRoom(then: () => void): boolean {
    const { queueLimit } = this.#parts;
    if (this.queued < queueLimit) return true;
    this.core.engine.onceAtMost(queueLimit - 1, then);
    return false;
  }

  /**
   * Waits until there is room for launches.
   *
   * @returns Settles once at most half of the limit is under way.
   */
  async room(): Promise<void> {
    const { engine } = this.core;
    const half = Math.floor(this.#parts.queueLimit / 2);
    if (this.queued <= half) return;
    engine.attend();
    await new Promise<void>((resolve) => engine.onceAtMost(half, resolve));
    this.check("room", 0);
  }

  /**
   * Refuses what cannot be begun now.
   *
   * @param op What the program called.
   * @param launches How many AMs and closures it launches.
   */
  check(op: string, launches: number): void {
    const { failure } = this;
    if (failure) throw failure;
    if (this.#closing) throw new ClosedError(`Cannot call ${op}: the session is closed`, { op });
    const { queueLimit } = this.#parts;
    if (launches === 0 || this.queued + launches <= queueLimit) return;
    const why = launches > queueLimit
      ? `it launches ${launches} closures or AMs, and the session allows ${queueLimit} at once ` +
        "(queueLimit)"
      : `${this.queued} AMs and closures are under way, and the session allows ${queueLimit} ` +
        "(queueLimit); await room() before you launch more";
    throw new LamellarError("ERR_QUEUE_FULL", `Cannot call ${op}: ${why}`, { op });
  }

  /**
   * Refuses what sends source in a session whose PEs run none.
   *
   * @param op What the program called.
   */
  checkClosures(op: string): void {
    if (this.core.config.closures) return;
    throw new FeatureLevelError(
      `Cannot call ${op}: the session was started with closures: false, so its PEs run no code ` +
        "but that of its modules",
      { op },
    );
  }

  /** The number of another request. */
  nextRequest(): number {
    return ++this.#asked;
  }

  /**
   * Asks all PEs to do something together.
   *
   * @param op What the program called.
   * @param request The number of the request.
   * @param message What.
   * @returns What came of it.
   */
  ask(op: string, request: number, message: ToPe): Promise<readonly number[]> {
    const { promise, reject, resolve } = Promise.withResolvers<readonly number[]>();
    this.#questions.set(request, { resolve, reject });
    this.tell(message);
    return this.reportingSlow(op, promise);
  }

  /**
   * Says once that what takes all PEs waits for long.
   *
   * @param op What the program called.
   * @param work What it waits for.
   * @returns What comes of that.
   */
  async reportingSlow<T>(op: string, work: PromiseLike<T>): Promise<T> {
    const ms = this.core.config.deadlockWarningMs || Infinity;
    const unlimit = startTimeLimit(ms, () => {
      console.error(
        `lamellar: ${op} of a session has waited for ${ms / 1000} s: each PE does one after the ` +
          "other what takes all of them, and a closure of runAll that was launched before may " +
          "not be over",
      );
    }, { keepsAlive: false });
    try {
      return await work;
    } finally {
      unlimit();
    }
  }

  /**
   * Tells all PEs something, unless none is left.
   *
   * @param message What.
   */
  tell(message: ToPe): void {
    if (this.failure !== null) return;
    for (const pe of this.core.root.pes) sendMessage(this.core, pe, message);
  }

  /**
   * Closes the session; see `LamellarSession.close`.
   *
   * @param options How long it may take.
   * @returns Settles when no PE is left.
   */
  close(options: CloseOptions): Promise<void> {
    if (this.#closing) return this.#closing;
    if (typeof options !== "object" || options === null) {
      throw new TypeError(`Cannot close the session with the options ${Deno.inspect(options)}`);
    }
    const { timeoutMs = Infinity } = options;
    checkTimeLimit(timeoutMs, "close the session");
    this.#closing = this.#close(timeoutMs);
    this.#stop();
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    const { hosted, world } = this.#parts;
    const { core } = this;
    const errors: unknown[] = [];
    if (this.failure === null) await this.#endWell(timeoutMs, errors);
    const failure = this.failure;
    if (failure && !this.#toldFailure && !core.engine.isFailureSeen) errors.push(failure);
    hosted.end("The session was closed before this was over");
    await hosted.ended();
    world.end();
    const [first, ...more] = new Set(errors);
    if (more.length > 0) throw new AggregateError([first, ...more], "The session did not end well");
    if (errors.length > 0) throw first;
  }

  /** Waits for what is under way, and lets the PEs end. */
  async #endWell(timeoutMs: number, errors: unknown[]): Promise<void> {
    const { hosted } = this.#parts;
    const deadline = performance.now() + timeoutMs;
    const report = this.#reportSlowClose();
    try {
      await within(this.core.engine.awaitAll(), deadline, () => this.#timeout(timeoutMs));
    } catch (error) {
      errors.push(error);
    } finally {
      clearTimeout(report);
    }
    const leftMs = Math.min(deadline - performance.now(), END_LIMIT_MS);
    if (leftMs <= 0 || this.failure !== null) return;
    hosted.expectEnd();
    this.tell({ kind: "close" });
    const limitMs = Math.min(timeoutMs, END_LIMIT_MS);
    try {
      await within(hosted.ended(), performance.now() + leftMs, () => this.#timeout(limitMs));
    } catch (error) {
      errors.push(error);
    }
  }

  /** Says what a close waits for, once that takes long. */
  #reportSlowClose(): ReturnType<typeof setTimeout> {
    const { core } = this;
    const { deadlockWarningMs } = core.config;
    const timer = setTimeout(() => {
      const { pe, what } = core.engine.waitReason;
      console.error(
        `lamellar: closing a session has waited ${deadlockWarningMs / 1000} s for ` +
          `${this.queued} AMs and closures, such as ${what?.()} on PE ${pe}; ` +
          "close({ timeoutMs }) ends such a wait",
      );
    }, deadlockWarningMs || 2 ** 31 - 1);
    Deno.unrefTimer(timer as unknown as number);
    return timer;
  }

  async #timeout(timeoutMs: number): Promise<TimeoutError> {
    const computing = await this.#parts.hosted.findComputing();
    const which = computing.length === 0
      ? ""
      : `; PE ${computing.join(", ")} computes and cannot be stopped: the thread lives until its ` +
        "loop or the process ends";
    return new TimeoutError(
      `The session did not close within ${timeoutMs} ms, with ${this.queued} AMs and closures ` +
        `under way${which}`,
      { op: "close" },
    );
  }

  #receive(message: FromPe, pe: number): void {
    if (message.kind === "ready") {
      if (pe === 0) this.#parts.ams.learn(message.ams);
      this.#unready.delete(pe);
      if (this.#unready.size === 0) this.#ready.resolve();
      return;
    }
    const question = this.#questions.get(message.request);
    this.#questions.delete(message.request);
    if (message.kind === "done") question?.resolve(message.numbers);
    else question?.reject(errorOf(message.error));
  }

  #waitReason(): { kind: number; pe: number } {
    const waits = this.#unready.size > 0 || this.#questions.size > 0;
    return { kind: waits ? WAIT_FOR.am : WAIT_FOR.nothing, pe: -1 };
  }

  #failAll(error: LamellarError): void {
    this.#stop();
    this.#ready.reject(error);
    if (this.#questions.size > 0) this.#toldFailure = true;
    for (const { reject } of this.#questions.values()) reject(error);
    this.#questions.clear();
  }
}

function errorOf({ message, name, pe }: ErrorText): Error {
  const options = pe === undefined ? {} : { pe };
  if (name === "FeatureLevelError") return new FeatureLevelError(message, options);
  if (name === "OutOfMemoryError") return new OutOfMemoryError(withOptions(message), options);
  return new LamellarError("ERR_REMOTE", message, options);
}

/** Waits until a deadline. */
async function within<T>(
  work: Promise<T>,
  deadline: number,
  late: () => Error | Promise<Error>,
): Promise<T> {
  const leftMs = deadline - performance.now();
  if (leftMs === Infinity) return await work;
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => Promise.resolve(late()).then(reject, reject),
    Math.max(0, leftMs),
  );
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
