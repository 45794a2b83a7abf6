/**
 * The AM engine of a PE: launches AMs and closures, counts what is under way, and runs what
 * arrives.
 *
 * @module
 */

import { LamellarError } from "../internal/errors.ts";
import type { Lamella, Progress, WaitLimit, WaitReason } from "../lamellae/mod.ts";
import { WAIT_FOR } from "../lamellae/mod.ts";
import { ClosureTable } from "./closure/table.ts";
import { closuresRefused, ClosureValue } from "./closure/value.ts";
import { analyseClosure, type ClosureSource } from "./closure/source.ts";
import type { AmContext } from "./context.ts";
import type { AmNumbers, EngineOptions } from "./engine_options.ts";
import { type AmCall, type AmDefinition, payloadOf } from "./call.ts";
import { FRAME } from "./wire/frames.ts";
import { capturesCodec } from "./msgpack/value_codec.ts";
import { AmHandle, control, type HandleHost, type LaunchOptions } from "./handle.ts";
import { GroupLauncher } from "./group/group_launcher.ts";
import { Inbox, type InboxHost } from "./wire/inbox.ts";
import { launchableHere } from "./launch_refusals.ts";
import { type LocalHost, LocalWork, type Work } from "./local_work.ts";
import { Outbox } from "./wire/outbox.ts";
import type { OwnSink } from "./wire/own_frames.ts";
import { type Brought, ReceivedHandles } from "./received.ts";
import { Requests } from "./wire/requests.ts";
import { Services } from "./services.ts";
import { Finishes } from "./finish/finishes.ts";
import { BusyGroups, type Countable, type TeamHost, type TeamWork } from "./team_work.ts";
import { UnseenErrors } from "./unseen_errors.ts";
import { firstPending, reasonToWait } from "./wait_reason.ts";
import { WorkCount } from "./work_count.ts";
import { type WholeFrame, WholeFrames } from "./wire/whole_frames.ts";

// deno-lint-ignore ban-types -- the signatures of the world check that the captures fit
type AnyFunction = Function;

/** Launches and runs active messages. */
export class AmEngine implements HandleHost, InboxHost, LocalHost, Countable {
  /** This PE. */
  readonly pe: number;
  readonly outbox: Outbox;
  readonly closures: ClosureTable;
  readonly context: AmContext;
  readonly teams: TeamHost | undefined;
  readonly decodeContext: unknown;
  readonly definitions: readonly AmDefinition[];
  readonly numPes: number;
  readonly received: ReceivedHandles = new ReceivedHandles();
  readonly services: Services = new Services();
  /** Launches the batches of groups. */
  readonly groups: GroupLauncher;
  readonly taskGroups: BusyGroups = new BusyGroups();
  readonly finishes: Finishes;
  readonly numbers: AmNumbers | undefined;
  readonly #lamella: Lamella;
  readonly #progress: Progress;
  readonly #requests: Requests[];
  readonly #local = new LocalWork(this);
  readonly #multicast = new WholeFrames();
  readonly #unseen = new UnseenErrors();
  readonly #count = new WorkCount();
  /** Why all handles were rejected: what is launched afterwards would never end. */
  #failure: LamellarError | undefined;
  #isFailureSeen = false;

  /**
   * @param options What it is built from.
   */
  constructor(options: EngineOptions) {
    const { progress } = options;
    this.#progress = progress;
    this.#lamella = progress.lamella;
    const { numNodes, pe } = this.#lamella;
    this.pe = pe;
    this.outbox = new Outbox(progress, options.thresholdBytes);
    this.closures = new ClosureTable(this.outbox, numNodes, options.closuresAllowed);
    this.context = options.context;
    this.numbers = options.numbers;
    this.numPes = this.#lamella.numPes;
    this.teams = options.teams;
    this.decodeContext = options.decodeContext;
    this.groups = new GroupLauncher(this, options.definitions, this.#lamella);
    this.definitions = this.groups.definitions;
    this.#requests = Array.from({ length: numNodes }, () => new Requests());
    this.finishes = new Finishes(this, progress, this.#unseen, options.makeFinishContext);
    const inbox = new Inbox(this, numNodes);
    progress.setSink(
      (source, views, at, end) => inbox.receive(source, views, at, end),
      () => this.waitReason,
    );
    progress.tellUnderWay(() => inbox.underWay || this.#local.underWay);
    const { own } = this.outbox;
    const sink: OwnSink = (views, at, end) => inbox.receive(this.pe, views, at, end);
    progress.addPoller(() => own.poll(sink) + this.#runLocal());
    progress.onFailure((error) => this.#failAll(error));
  }

  /** AMs and closures launched by this PE so far. */
  get launched(): number {
    return this.#count.launched;
  }

  /** How many of them are not over. */
  get outstanding(): number {
    return this.#count.outstanding;
  }

  /** How many of these need the event loop of this PE. */
  get asynchronous(): number {
    return this.#count.asynchronous;
  }

  /** The PE that has fewest requests to answer, the first if several have. */
  get leastBusy(): number {
    const { numPes } = this;
    let found = 0;
    for (let pe = 1; pe < numPes; pe++) {
      if (this.#requests[pe]!.unanswered < this.#requests[found]!.unanswered) found = pe;
    }
    return found;
  }

  /** What the program waits for when it awaits. */
  get waitReason(): WaitReason {
    return reasonToWait(this.#count, this.#requests);
  }

  /** Whether the job has failed, and somebody awaited what failed with it. */
  get isFailureSeen(): boolean {
    return this.#isFailureSeen;
  }

  /**
   * @param listener Called once when nothing is under way.
   */
  onIdle(listener: () => void): void {
    this.#count.onceAtMost(0, listener);
  }

  /**
   * @param atMost How much may be under way.
   * @param listener Called once when no more is.
   */
  onceAtMost(atMost: number, listener: () => void): void {
    this.#count.onceAtMost(atMost, listener);
  }

  /**
   * Launches an AM. Its payload is encoded before this returns, whichever PE the target is.
   *
   * @param pe Where it runs.
   * @param call The AM.
   * @param options When to stop waiting.
   * @param team The team it is launched in, if not the world's.
   * @returns Its handle.
   * @throws {TypeError} If the payload cannot be sent.
   */
  launch<T>(
    pe: number,
    call: AmCall<T>,
    options?: LaunchOptions,
    team?: TeamWork,
  ): AmHandle<T> {
    const definition = launchableHere(call);
    const id = this.#numberOf(definition);
    const codec = definition.codec!;
    const payload = payloadOf(call);
    const { outbox } = this;
    const length = codec.size(payload);
    if (team !== undefined) team.enter();
    const at = outbox.begin(pe, FRAME.request, id, length, team);
    outbox.encode(codec, payload, at, length);
    const handle = new AmHandle<T>(this, pe, definition);
    if (team !== undefined) control.join(handle, team);
    this.#count.outstanding++;
    this.#count.launched++;
    outbox.end(this.#requests[pe]!.add(handle as AmHandle<unknown>));
    if (options) control.limit(handle, options);
    return handle;
  }

  /**
   * Launches an AM on several PEs. Its payload is encoded once, before any of them gets it.
   *
   * @param pes Where it runs.
   * @param call The AM.
   * @param options When to stop waiting.
   * @param team The team it is launched in, if not the world's.
   * @returns A handle for each PE, in their order.
   * @throws {TypeError} If the payload cannot be sent.
   */
  launchAll<T>(
    pes: readonly number[],
    call: AmCall<T>,
    options?: LaunchOptions,
    team?: TeamWork,
  ): AmHandle<T>[] {
    const definition = launchableHere(call);
    const id = this.#numberOf(definition);
    const codec = definition.codec!;
    const payload = payloadOf(call);
    const frame = this.#multicast.write(FRAME.request, id, team, codec, payload);
    return this.#sendToAll(pes, frame, definition, options, team) as AmHandle<T>[];
  }

  /** The id of an AM that may be launched on any PE now. */
  #numberOf(definition: AmDefinition): number {
    if (this.#failure) throw this.#failure;
    return this.groups.numberOf(definition);
  }

  /** Launches what is written already on several PEs. */
  #sendToAll(
    pes: readonly number[],
    frame: WholeFrame,
    definition: AmDefinition | undefined,
    options: LaunchOptions | undefined,
    team: TeamWork | undefined,
  ): AmHandle<unknown>[] {
    try {
      team?.enter();
      const handles = pes.map((pe) => {
        this.outbox.tellCopy(pe, frame);
        const handle = new AmHandle<unknown>(this, pe, definition);
        if (team !== undefined) control.join(handle, team);
        this.#count.outstanding++;
        this.#count.launched++;
        this.outbox.sendCopy(pe, frame, this.#requests[pe]!.add(handle));
        return handle;
      });
      if (options) { for (const handle of handles) control.limit(handle, options); }
      return handles;
    } finally {
      this.#multicast.giveBack(frame);
    }
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
    return this.#queue(call, launchableHere(call), options, team) as AmHandle<T>;
  }

  /**
   * Launches a closure. Its captures are encoded before this returns, whichever PE the target is.
   *
   * @param pe Where it runs.
   * @param fn The function.
   * @param captures What it is called with; without them nothing.
   * @param options When to stop waiting.
   * @param team The team it is launched in, if not the world's.
   * @returns Its handle.
   * @throws {FeatureLevelError} If this world runs no closures.
   * @throws {TypeError} If the function uses what its source does not carry, or a capture cannot be
   * sent.
   */
  launchClosure(
    pe: number,
    fn: AnyFunction,
    captures?: readonly unknown[],
    options?: LaunchOptions,
    team?: TeamWork,
  ): AmHandle<unknown> {
    return this.launchClosureAll([pe], fn, captures, options, team)[0]!;
  }

  /**
   * Launches a closure on several PEs. Its captures are encoded once, before any of them gets them.
   *
   * @param pes Where it runs.
   * @param fn The function.
   * @param captures What it is called with; without them nothing.
   * @param options When to stop waiting.
   * @param team The team it is launched in, if not the world's.
   * @returns A handle for each PE, in their order.
   * @throws {FeatureLevelError} If this world runs no closures.
   * @throws {TypeError} If the function uses what its source does not carry, or a capture cannot be
   * sent.
   */
  launchClosureAll(
    pes: readonly number[],
    fn: AnyFunction | ClosureSource,
    captures?: readonly unknown[],
    options?: LaunchOptions,
    team?: TeamWork,
  ): AmHandle<unknown>[] {
    const closure = this.#closure(fn, captures);
    if (this.#failure) throw this.#failure;
    const { closures } = this;
    const source = closures.numberOf(closure);
    const values = closure.captures;
    const frame = this.#multicast.write(FRAME.closure, source, team, capturesCodec, values);
    for (const pe of pes) closures.introduce(pe, source, closure);
    return this.#sendToAll(pes, frame, undefined, options, team);
  }

  /**
   * Launches a closure on this PE; its captures are handed over as they are.
   *
   * @param fn The function.
   * @param captures What it is called with; without them nothing.
   * @param options When to stop waiting.
   * @param team The team it is launched in, if not the world's.
   * @returns Its handle.
   */
  launchClosureLocal(
    fn: AnyFunction,
    captures?: readonly unknown[],
    options?: LaunchOptions,
    team?: TeamWork,
  ): AmHandle<unknown> {
    return this.#queue(this.#closure(fn, captures), undefined, options, team);
  }

  #closure(fn: AnyFunction | ClosureSource, captures: readonly unknown[] = []): ClosureValue {
    if (!this.closures.allowed) throw closuresRefused("a closure");
    if (!Array.isArray(captures)) {
      throw new TypeError("Cannot launch the closure: its captures must be an array");
    }
    return new ClosureValue(analyseClosure(fn), captures);
  }

  #queue(
    work: Work,
    definition: AmDefinition | undefined,
    options: LaunchOptions | undefined,
    team: TeamWork | undefined,
  ): AmHandle<unknown> {
    if (this.#failure) throw this.#failure;
    team?.enter();
    const handle = new AmHandle<unknown>(this, this.pe, definition);
    if (team) control.join(handle, team);
    this.#count.outstanding++;
    this.#count.launched++;
    this.#local.add(work, handle);
    this.#progress.kick();
    if (options) control.limit(handle, options);
    return handle;
  }

  #runLocal(): number {
    const ran = this.#local.poll();
    if (ran > 0) this.outbox.flush();
    return ran;
  }

  runReturned(work: Work, handle: AmHandle<unknown>, brought: Brought | undefined): void {
    this.#local.run(work, handle, brought);
  }

  countAsynchronous(change: 1 | -1): void {
    this.#count.asynchronous += change;
  }

  requests(pe: number): Requests {
    return this.#requests[pe]!;
  }

  countDone(count: number): void {
    this.#count.end(count);
  }

  /**
   * Counts a task of the program as work of this PE.
   *
   * @param start Begins the task; its error surfaces in `waitAll`, unless `observed` says that
   * someone else sees it.
   * @param observed Whether someone else sees its error.
   * @param team The team it was spawned in, if not the world's.
   * @returns What the task gives.
   */
  track<T>(
    start: () => T | PromiseLike<T>,
    observed: () => boolean,
    team?: TeamWork,
  ): Promise<T> {
    team?.enter();
    this.#count.outstanding++;
    this.#count.asynchronous++;
    team?.begin(true);
    // It may block, and is counted meanwhile.
    const task = Promise.try(start) as Promise<T>;
    task.catch((error) => {
      // Whoever awaits the task may come to it a little later than its error.
      this.keepFailure(error, observed, team);
    }).finally(() => {
      team?.end(true);
      this.#count.asynchronous--;
      this.countDone(1);
    });
    return task;
  }

  /** Counts one more operation as under way; `countDone` counts it down. */
  begin(): void {
    this.#count.outstanding++;
  }

  /**
   * Keeps the error of such work for `waitAll`.
   *
   * @param error The error.
   * @param observed Whether someone else sees it.
   * @param team The team it belongs to, if not the world's.
   */
  keepFailure(error: unknown, observed: () => boolean, team?: TeamWork): void {
    this.#unseen.keepTask(error, observed, team);
  }

  attend(): void {
    this.outbox.flush();
    this.#progress.kick();
  }

  refuseBlocking(op: string): void {
    this.#progress.refuseBlocking(op);
  }

  blockFor(done: () => boolean, op: string, pe: number, limit?: WaitLimit): void {
    this.outbox.flush();
    this.#progress.block(done, op, { kind: WAIT_FOR.am, pe, what: () => op }, limit);
  }

  keepError(handle: AmHandle<unknown>): void {
    this.#unseen.keep(handle);
  }

  dropError(handle: AmHandle<unknown>): void {
    this.#unseen.drop(handle);
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
    this.#progress.block(blocked, "waitAll", {
      kind: WAIT_FOR.all,
      pe: firstPending(this.#requests),
    });
    if (work.outstanding > 0) {
      throw new LamellarError(
        "ERR_NEEDS_EVENT_LOOP",
        `Cannot block in waitAll on PE ${this.pe}: ${work.asynchronous} async handlers ` +
          "and tasks of this PE need its event loop; use awaitAll",
        { pe: this.pe, op: "waitAll" },
      );
    }
    this.#unseen.throwAll(team);
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
    this.#unseen.throwAll(team);
  }

  #failAll(error: LamellarError): void {
    this.#failure = error;
    let rejected = 0;
    this.#unseen.clear();
    for (const requests of this.#requests) {
      const handles = requests.takeAll();
      rejected += handles.length;
      for (const handle of handles) control.reject(handle, error);
    }
    this.#isFailureSeen = this.#unseen.clear() < rejected;
    this.#local.failAll(error);
    this.outbox.own.clear();
    this.taskGroups.fail();
    this.finishes.failAll(error);
    this.#count.fail();
  }
}
