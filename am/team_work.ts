/**
 * What this PE launched in a team other than the world's, or by a task group: how much of it is
 * under way, and what its handlers see.
 *
 * @module
 */

import type { MemoryViews } from "../internal/memory_views.ts";

/** Work that can be waited for. */
export interface Countable {
  /** Launched and not over. */
  readonly outstanding: number;
  /** Of these, how many need the event loop of this PE. */
  readonly asynchronous: number;
  /** Calls the listener once when nothing is under way. */
  onIdle(listener: () => void): void;
}

/** Who knows the teams; what arrives for them is handed to it. */
export interface TeamHost {
  /**
   * @param id A team as it is known on the wire.
   * @returns What handlers of AMs launched in the team get, or undefined if the team is not known.
   * @throws {ClosedError} If the team is closed.
   */
  context(id: number): object | undefined;
  /**
   * @param id A team as it is known on the wire.
   * @returns Whether it is known, or is known to be closed.
   */
  knows(id: number): boolean;
  /**
   * @param id A team as it is known on the wire.
   * @returns What another PE needs to know to run AMs in it; nothing if the team is not known.
   */
  describe(id: number): Uint8Array;
  /**
   * Gets to know a team by what another PE says of it.
   *
   * @param id The team as it is known on the wire.
   * @param description What `describe` gave there.
   * @throws {ProtocolError} If it describes none; the message says what was found.
   */
  learn(id: number, description: Uint8Array): void;
  /**
   * Takes a message of a collective.
   *
   * @param pe Where it came from.
   * @param views The memory that holds it.
   * @param at Its address.
   * @param bytes Its length.
   * @throws {ProtocolError} If it fits no team; the message says what was found.
   */
  receive(pe: number, views: MemoryViews, at: number, bytes: number): void;
}

/** Who is told whether anything of a team is under way. */
export interface TeamKeeper {
  /** The first launch is under way. */
  busy(): void;
  /** Nothing is under way any more. */
  quiet(): void;
}

/** A finish that counts work, whichever PE of it that is. */
export interface WorkFinish {
  /** The finish as it is known on the wire. */
  readonly id: number;
  /** Called when nothing more may be launched, with the reason. */
  readonly onStop: Set<(reason: string) => void>;
  /**
   * Something is about to be launched.
   *
   * @throws {LamellarError} If that may not be any more.
   */
  enter(): void;
  /** It is under way. */
  begin(): void;
  /** It is over. */
  end(): void;
}

/** The work of one team on this PE. */
export class TeamWork implements Countable {
  /** The team as it is known on the wire; undefined for the world's. */
  readonly id: number | undefined;
  /** The finish that it is part of, if any. */
  readonly finish: WorkFinish | undefined;
  /** Launched and not over. */
  outstanding = 0;
  /** Of these, how many need the event loop of this PE. */
  asynchronous = 0;
  /** AMs and closures launched so far. */
  launched = 0;
  /** Of a team that is known only as long as anything of it is under way. */
  keeper: TeamKeeper | undefined;
  readonly #makeContext: () => object;
  #context: object | undefined;
  #idleListeners: (() => void)[] = [];

  /**
   * @param id The team as it is known on the wire; undefined for the world's.
   * @param makeContext Makes what handlers get, when the first one runs.
   * @param finish The finish that it is part of, if any.
   */
  constructor(id: number | undefined, makeContext: () => object, finish?: WorkFinish) {
    this.id = id;
    this.finish = finish;
    this.#makeContext = makeContext;
  }

  /** What handlers of AMs launched in the team get. */
  get context(): object {
    return this.#context ??= this.#makeContext();
  }

  /**
   * Something is about to be launched.
   *
   * @throws {LamellarError} If it is part of a finish in which that may not be any more.
   */
  enter(): void {}

  /** An AM or a closure is launched. */
  join(): void {
    this.begin(false);
    this.countLaunch();
  }

  /** One more was launched. */
  countLaunch(): void {
    this.launched++;
  }

  /** A piece of work that is under way turns out to need the event loop of this PE. */
  needEventLoop(): void {
    this.asynchronous++;
  }

  /**
   * @param work Other work.
   * @returns Whether all of this is part of that.
   */
  isPartOf(work: TeamWork): boolean {
    return this === work;
  }

  /**
   * A piece of work is under way.
   *
   * @param asynchronous Whether it needs the event loop of this PE.
   */
  begin(asynchronous: boolean): void {
    if (asynchronous) this.asynchronous++;
    if (this.outstanding++ === 0) this.keeper?.busy();
  }

  /**
   * A piece of work is over.
   *
   * @param asynchronous Whether it needed the event loop of this PE.
   */
  end(asynchronous: boolean): void {
    // After a failure nothing is counted any more.
    if (this.outstanding === 0) return;
    if (asynchronous) this.asynchronous--;
    if (--this.outstanding > 0) return;
    this.#tellIdle();
    if (this.outstanding === 0) this.keeper?.quiet();
  }

  /** The job failed: there is nothing to wait for any more. */
  fail(): void {
    this.outstanding = 0;
    this.asynchronous = 0;
    this.#tellIdle();
  }

  #tellIdle(): void {
    for (const listener of this.#idleListeners.splice(0)) listener();
  }

  /**
   * @param listener Called once when nothing is under way.
   */
  onIdle(listener: () => void): void {
    this.#idleListeners.push(listener);
  }
}

/** The work of a task group or a finish: what it was made in counts it too. */
export class GroupWork extends TeamWork {
  readonly #parent: TeamWork | undefined;

  /**
   * @param parent The team or group in which it was made; undefined for the world.
   * @param makeContext Makes what handlers get.
   * @param finish The finish that it is part of, if any.
   */
  constructor(parent: TeamWork | undefined, makeContext: () => object, finish?: WorkFinish) {
    super(parent?.id, makeContext, finish ?? parent?.finish);
    this.#parent = parent;
  }

  override enter(): void {
    this.#parent?.enter();
  }

  override begin(asynchronous: boolean): void {
    this.#parent?.begin(asynchronous);
    super.begin(asynchronous);
  }

  override end(asynchronous: boolean): void {
    this.#parent?.end(asynchronous);
    super.end(asynchronous);
  }

  override needEventLoop(): void {
    this.#parent?.needEventLoop();
    super.needEventLoop();
  }

  override countLaunch(): void {
    this.#parent?.countLaunch();
    super.countLaunch();
  }

  override isPartOf(work: TeamWork): boolean {
    return super.isPartOf(work) || (this.#parent?.isPartOf(work) ?? false);
  }
}

/** The work that a PE launched in one finish. */
export class FinishWork extends GroupWork {
  readonly #finish: WorkFinish;

  /**
   * @param parent The team or group in which it was made; undefined for the world.
   * @param makeContext Makes what handlers get.
   * @param finish The finish.
   */
  constructor(parent: TeamWork | undefined, makeContext: () => object, finish: WorkFinish) {
    super(parent, makeContext, finish);
    this.#finish = finish;
  }

  override enter(): void {
    super.enter();
    this.#finish.enter();
  }

  override begin(asynchronous: boolean): void {
    super.begin(asynchronous);
    this.#finish.begin();
  }

  override end(asynchronous: boolean): void {
    // After a failure nothing is counted any more.
    if (this.outstanding > 0) this.#finish.end();
    super.end(asynchronous);
  }
}

/** The task groups of a PE that have work under way, which ends when the job fails. */
export class BusyGroups {
  readonly #busy = new Set<GroupWork>();

  /**
   * @param parent The team or group in which it is made; undefined for the world.
   * @param context What handlers get if it is made in the world.
   * @returns The work of a new task group.
   */
  make(parent: TeamWork | undefined, context: object): GroupWork {
    return this.keep(new GroupWork(parent, () => parent?.context ?? context));
  }

  /**
   * Has work end when the job fails.
   *
   * @param work The work of a new group.
   * @returns The work.
   */
  keep<T extends GroupWork>(work: T): T {
    work.keeper = {
      busy: () => this.#busy.add(work),
      quiet: () => this.#busy.delete(work),
    };
    return work;
  }

  /** The job failed: there is nothing to wait for any more. */
  fail(): void {
    for (const work of this.#busy) work.fail();
    this.#busy.clear();
  }
}
