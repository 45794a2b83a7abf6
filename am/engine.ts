/**
 * The AM engine of a PE: launches AMs and closures, counts what is under way, and runs what
 * arrives.
 *
 * @module
 */

import { LamellarError } from "../internal/errors.ts";
import type { MemoryViews } from "../internal/memory_views.ts";
import type { Lamella, Progress, WaitReason } from "../lamellae/mod.ts";
import { WAIT_FOR } from "../lamellae/mod.ts";
import { ClosureTable } from "./closure_table.ts";
import { atOrigin, closureOf, closuresRefused, ClosureValue } from "./closure_value.ts";
import { analyseClosure } from "./closure_source.ts";
import type { AmContext } from "./context.ts";
import { AmCall, type AmDefinition } from "./call.ts";
import { FRAME, frameBytes, HEAD_BYTES, TEAM_BYTES } from "./frames.ts";
import { AmHandle, type HandleHost, type LaunchOptions } from "./handle.ts";
import { Inbox, type InboxHost } from "./inbox.ts";
import { invoke } from "./invoke.ts";
import { Outbox } from "./outbox.ts";
import { Requests } from "./peer.ts";
import type { Countable, TeamHost, TeamWork } from "./team_work.ts";
import { isThenable } from "./thenable.ts";
import { remoteError } from "./values.ts";

/** What the engine is built from. */
export interface EngineOptions {
  readonly progress: Progress;
  /** Bytes gathered for a destination before they are published. */
  readonly thresholdBytes: number;
  readonly closuresAllowed: boolean;
  readonly definitions: readonly AmDefinition[];
  readonly context: AmContext;
  /** Who knows the teams other than the world's. */
  readonly teams?: TeamHost;
  /** Handed to codecs: what a handle on the wire belongs to. */
  readonly decodeContext: unknown;
}

/** Work of this PE for itself. */
interface LocalTask {
  readonly work: AmCall<unknown> | ClosureValue;
  readonly handle: AmHandle<unknown>;
}

/** A task of the program that failed. */
interface FailedTask {
  readonly error: unknown;
  /** Whether somebody sees its error. */
  readonly observed: () => boolean;
  readonly team: TeamWork | undefined;
}

/** Launches and runs active messages. */
export class AmEngine implements HandleHost, InboxHost, Countable {
  readonly outbox: Outbox;
  readonly closures: ClosureTable;
  readonly context: AmContext;
  readonly teams: TeamHost | undefined;
  readonly decodeContext: unknown;
  readonly definitions: readonly AmDefinition[];
  readonly #lamella: Lamella;
  readonly #progress: Progress;
  readonly #requests: Requests[];
  #local: LocalTask[] = [];
  /** Of those that run on this PE, the handles of which are not done after their first `await`. */
  readonly #running = new Set<AmHandle<unknown>>();
  /** Launched by this PE and not over. */
  #outstanding = 0;
  /** Of these, how many need the event loop of this PE. */
  #asynchronous = 0;
  #launched = 0;
  readonly #kept = new Set<AmHandle<unknown>>();
  #failedTasks: FailedTask[] = [];
  #idleListeners: (() => void)[] = [];
  /** Why all handles were rejected: what is launched afterwards would never end. */
  #failure: LamellarError | undefined;

  /**
   * @param options What it is built from.
   */
  constructor(options: EngineOptions) {
    const { progress } = options;
    this.#progress = progress;
    this.#lamella = progress.lamella;
    const { numPes } = this.#lamella;
    this.outbox = new Outbox(progress, options.thresholdBytes);
    this.closures = new ClosureTable(this.outbox, numPes, options.closuresAllowed);
    this.context = options.context;
    this.teams = options.teams;
    this.decodeContext = options.decodeContext;
    this.definitions = options.definitions;
    this.#requests = Array.from({ length: numPes }, () => new Requests());
    const inbox = new Inbox(this, numPes);
    progress.setSink(
      (source, views, at, end) => inbox.receive(source, views, at, end),
      () => this.#waitReason(),
    );
    progress.addPoller(() => this.#runLocal());
    progress.onFailure((error) => this.#failAll(error));
  }

  /** AMs and closures launched by this PE so far. */
  get launched(): number {
    return this.#launched;
  }

  /** How many of them are not over. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** How many of these need the event loop of this PE. */
  get asynchronous(): number {
    return this.#asynchronous;
  }

  /**
   * @param listener Called once when nothing is under way.
   */
  onIdle(listener: () => void): void {
    this.#idleListeners.push(listener);
  }

  /**
   * Launches an AM.
   *
   * @param pe Where it runs.
   * @param call The AM.
   * @param options When to stop waiting.
   * @param team The team it is launched in, if not the world's.
   * @returns Its handle.
   */
  launch<T>(
    pe: number,
    call: AmCall<T>,
    options?: LaunchOptions,
    team?: TeamWork,
  ): AmHandle<T> {
    if (pe === this.#lamella.pe) return this.launchLocal(call, options, team);
    if (this.#failure) throw this.#failure;
    const { definition } = call;
    if (definition === undefined) throw notACall(call);
    const { codec } = definition;
    if (codec === undefined || definition.id < 0) throw notRegistered(definition);
    const { outbox } = this;
    const head = team === undefined ? HEAD_BYTES : HEAD_BYTES + TEAM_BYTES;
    let length: number, bytes: number, at: number;
    do {
      length = codec.size(call.self);
      bytes = (head + 7 + length) & ~7;
      at = outbox.begin(pe, bytes);
    } while (outbox.waited);
    const { views } = outbox;
    codec.write(call.self, views, at + head);
    const handle = new AmHandle<T>(this, pe, definition);
    const word = at >>> 2;
    const words = views.i32;
    words[word + 1] = FRAME.request | (definition.id << 8);
    words[word + 2] = this.#requests[pe]!.add(handle as AmHandle<unknown>);
    words[word + 3] = length;
    if (team !== undefined) enterTeam(views, at, FRAME.teamRequest, handle.join(team));
    this.#outstanding++;
    this.#launched++;
    outbox.end(pe, bytes);
    if (options) handle.limit(options);
    return handle;
  }

  /**
   * Launches an AM on this PE; its payload is handed over as it is.
   *
   * @param call The AM.
   * @param options When to stop waiting.
   * @param team The team it is launched in, if not the world's.
   * @returns Its handle.
   */
  launchLocal<T>(call: AmCall<T>, options?: LaunchOptions, team?: TeamWork): AmHandle<T> {
    if (!(call instanceof AmCall)) throw notACall(call);
    return this.#queue(call, call.definition, options, team) as AmHandle<T>;
  }

  /**
   * Launches a closure.
   *
   * @param pe Where it runs.
   * @param fn The function.
   * @param captures What it is called with.
   * @param options When to stop waiting.
   * @param team The team it is launched in, if not the world's.
   * @returns Its handle.
   * @throws {FeatureLevelError} If this world runs no closures.
   * @throws {TypeError} If the function uses what its source does not carry, or a capture cannot be
   * sent.
   */
  launchClosure(
    pe: number,
    // deno-lint-ignore ban-types -- the signatures of the world check that the captures fit
    fn: Function,
    captures: readonly unknown[],
    options?: LaunchOptions,
    team?: TeamWork,
  ): AmHandle<unknown> {
    if (!this.closures.allowed) throw closuresRefused("a closure");
    if (!Array.isArray(captures)) {
      throw new TypeError("Cannot launch the closure: its captures have to be an array");
    }
    const closure = new ClosureValue(analyseClosure(fn).source, captures);
    if (pe === this.#lamella.pe) return this.#queue(closure, undefined, options, team);
    if (this.#failure) throw this.#failure;
    const { closures, outbox } = this;
    const number = closures.introduce(pe, closure);
    const head = team === undefined ? HEAD_BYTES : HEAD_BYTES + TEAM_BYTES;
    let length: number, bytes: number, at: number;
    do {
      length = closures.captureBytes(closure);
      bytes = (head + 7 + length) & ~7;
      at = outbox.begin(pe, bytes);
    } while (outbox.waited);
    const { views } = outbox;
    closures.writeCaptures(closure, views, at + head);
    const handle = new AmHandle<unknown>(this, pe, undefined);
    views.i32[(at >>> 2) + 1] = FRAME.closure | (number << 8);
    views.i32[(at >>> 2) + 2] = this.#requests[pe]!.add(handle);
    views.i32[(at >>> 2) + 3] = length;
    if (team !== undefined) enterTeam(views, at, FRAME.teamClosure, handle.join(team));
    this.#outstanding++;
    this.#launched++;
    outbox.end(pe, bytes);
    if (options) handle.limit(options);
    return handle;
  }

  #queue(
    work: AmCall<unknown> | ClosureValue,
    definition: AmDefinition | undefined,
    options: LaunchOptions | undefined,
    team: TeamWork | undefined,
  ): AmHandle<unknown> {
    if (this.#failure) throw this.#failure;
    const handle = new AmHandle<unknown>(this, this.#lamella.pe, definition);
    if (team) handle.join(team);
    this.#outstanding++;
    this.#launched++;
    this.#local.push({ work, handle });
    this.#progress.kick();
    if (options) handle.limit(options);
    return handle;
  }

  #runLocal(): number {
    const tasks = this.#local;
    if (tasks.length === 0) return 0;
    // What these launch in turn has to wait for the next step, so that frames get their turn.
    this.#local = [];
    for (let i = 0; i < tasks.length; i++) this.#run(tasks[i]!.work, tasks[i]!.handle);
    this.outbox.flush();
    return tasks.length;
  }

  /** Runs an AM or a closure here; a handle gets its value. */
  #run(work: AmCall<unknown> | ClosureValue, handle: AmHandle<unknown>): void {
    let result: unknown;
    try {
      const context = handle.team?.context ?? this.context;
      result = work instanceof ClosureValue
        ? work.run(context)
        : invoke(work.definition.handler, work.self, context);
    } catch (error) {
      return this.#fail(handle, error);
    }
    this.#finish(result, handle);
  }

  #finish(result: unknown, handle: AmHandle<unknown>): void {
    if (result instanceof AmCall) return this.#run(result, handle);
    const closure = closureOf(result);
    if (closure && atOrigin(result)) return this.#run(closure, handle);
    if (!isThenable(result)) {
      handle.resolve(result);
      return this.settled(1);
    }
    handle.needsEventLoop();
    this.#asynchronous++;
    this.#running.add(handle);
    const over = (): void => {
      this.#asynchronous--;
      this.#running.delete(handle);
    };
    Promise.resolve(result).then(
      (value) => {
        over();
        this.#finish(value, handle);
      },
      (error) => {
        over();
        this.#fail(handle, error);
      },
    );
  }

  #fail(handle: AmHandle<unknown>, error: unknown): void {
    handle.reject(remoteError(handle.op, this.#lamella.pe, error));
    this.settled(1);
  }

  runReturned(work: AmCall<unknown> | ClosureValue, handle: AmHandle<unknown>): void {
    this.#run(work, handle);
  }

  requests(pe: number): Requests {
    return this.#requests[pe]!;
  }

  settled(count: number): void {
    this.#outstanding -= count;
    if (this.#outstanding === 0 && this.#idleListeners.length > 0) {
      for (const listener of this.#idleListeners.splice(0)) listener();
    }
  }

  /**
   * Counts a task of the program as work of this PE.
   *
   * @param task The task; its error surfaces in `waitAll`, unless `observed` says that someone else
   * sees it.
   * @param observed Whether someone else sees its error.
   * @param team The team it was spawned in, if not the world's.
   */
  track(task: Promise<unknown>, observed: () => boolean, team?: TeamWork): void {
    this.#outstanding++;
    this.#asynchronous++;
    if (team) {
      team.outstanding++;
      team.asynchronous++;
    }
    task.catch((error) => {
      // Whoever awaits the task may come to it a little later than its error.
      this.keepFailure(error, observed, team);
    }).finally(() => {
      team?.end(true);
      this.#asynchronous--;
      this.settled(1);
    });
  }

  /** Counts something else of this PE as under way, until `settled`. */
  begin(): void {
    this.#outstanding++;
  }

  /**
   * Keeps the error of such work for `waitAll`.
   *
   * @param error The error.
   * @param observed Whether someone else sees it.
   * @param team The team it belongs to, if not the world's.
   */
  keepFailure(error: unknown, observed: () => boolean, team?: TeamWork): void {
    this.#failedTasks.push({ error, observed, team });
  }

  attend(): void {
    this.outbox.flush();
    this.#progress.kick();
  }

  blockFor(done: () => boolean, op: string, pe: number, timeoutMs?: number): void {
    this.outbox.flush();
    this.#progress.block(done, op, { kind: WAIT_FOR.am, pe }, timeoutMs);
  }

  keepError(handle: AmHandle<unknown>): void {
    this.#kept.add(handle);
  }

  dropError(handle: AmHandle<unknown>): void {
    this.#kept.delete(handle);
  }

  /**
   * Blocks until everything this PE launched is over.
   *
   * @param team Waits for what was launched in this team only.
   * @throws {RemoteError} If an ignored AM failed; an `AggregateError` if several did.
   * @throws {LamellarError} Inside a handler, or if some of it needs the event loop of this PE.
   */
  waitAll(team?: TeamWork): void {
    this.outbox.flush();
    const work: Countable = team ?? this;
    const blocked = (): boolean => work.outstanding === work.asynchronous;
    this.#progress.block(blocked, "waitAll", { kind: WAIT_FOR.all, pe: this.#firstPending() });
    if (work.outstanding > 0) {
      throw new LamellarError(
        "ERR_NEEDS_EVENT_LOOP",
        `Cannot block in waitAll on PE ${this.#lamella.pe}: ${work.asynchronous} async handlers ` +
          "and tasks of this PE need its event loop, use awaitAll",
        { pe: this.#lamella.pe, op: "waitAll" },
      );
    }
    this.#throwKept(team);
  }

  /**
   * As `waitAll`, for `await`.
   *
   * @param team Waits for what was launched in this team only.
   */
  async awaitAll(team?: TeamWork): Promise<void> {
    const work: Countable = team ?? this;
    while (work.outstanding > 0) {
      this.attend();
      await new Promise<void>((resolve) => work.onIdle(resolve));
    }
    await this.#progress.paced(Promise.resolve());
    this.#progress.checkFailure();
    this.#throwKept(team);
  }

  /** Throws the errors nobody has seen: all of them, or those of a team. */
  #throwKept(team: TeamWork | undefined): void {
    if (this.#kept.size === 0 && this.#failedTasks.length === 0) return;
    const concerned = (one: { readonly team: TeamWork | undefined }): boolean =>
      team === undefined || one.team === team;
    const handles = [...this.#kept].filter(concerned);
    const tasks = this.#failedTasks.filter((task) => concerned(task) && !task.observed());
    const errors = [...handles.map((handle) => handle.error), ...tasks.map((t) => t.error)];
    for (const handle of handles) this.#kept.delete(handle);
    this.#failedTasks = this.#failedTasks.filter((task) => !concerned(task));
    if (errors.length === 0) return;
    if (errors.length === 1) throw errors[0];
    const first = errors[0] instanceof Error ? errors[0].message : Deno.inspect(errors[0]);
    throw new AggregateError(errors, `${errors.length} AMs and tasks failed, the first: ${first}`);
  }

  /**
   * Sends a message of a collective of a team. It is no request: nothing counts it or answers it.
   *
   * @param pe The PE that gets it.
   * @param message Its bytes.
   */
  sendCollective(pe: number, message: Uint8Array): void {
    const { outbox } = this;
    const bytes = frameBytes(message.length);
    const at = outbox.begin(pe, bytes);
    const { views } = outbox;
    views.i32[(at >>> 2) + 1] = FRAME.collective;
    views.i32[(at >>> 2) + 2] = 0;
    views.i32[(at >>> 2) + 3] = message.length;
    views.u8.set(message, at + HEAD_BYTES);
    outbox.end(pe, bytes);
  }

  #firstPending(): number {
    return this.#requests.findIndex((requests) => requests.pending);
  }

  #waitReason(): WaitReason {
    if (this.#outstanding === 0) return { kind: WAIT_FOR.nothing, pe: -1 };
    return { kind: WAIT_FOR.am, pe: this.#firstPending() };
  }

  #failAll(error: LamellarError): void {
    this.#failure = error;
    for (const requests of this.#requests) {
      for (const handle of requests.takeAll()) handle.reject(error);
    }
    for (const { handle } of this.#local.splice(0)) handle.reject(error);
    for (const handle of this.#running) handle.reject(error);
    this.#running.clear();
    this.#kept.clear();
    this.#outstanding = 0;
    for (const listener of this.#idleListeners.splice(0)) listener();
  }
}

/** Makes a request one of a team; room for its id was left in front of the payload. */
function enterTeam(views: MemoryViews, at: number, kind: number, team: TeamWork): void {
  const word = (at >>> 2) + 1;
  views.i32[word] = (views.i32[word]! & ~0xff) | kind;
  views.i32[word + 2]! += TEAM_BYTES;
  views.f64[(at + HEAD_BYTES) >>> 3] = team.id;
}

function notRegistered(definition: AmDefinition): TypeError {
  return definition.codec === undefined
    ? new TypeError(`Cannot send the local AM "${definition.name}": local AMs do not travel`)
    : new TypeError(`Cannot send AM "${definition.name}": it is not part of this world`);
}

function notACall(call: unknown): TypeError {
  const advice = typeof call === "function" && "amName" in call
    ? `it is AM "${call.amName}" itself, call it with its payload`
    : `it is ${Deno.inspect(call)}`;
  return new TypeError(`Cannot launch what is no AM: ${advice}`);
}
