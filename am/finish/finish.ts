/**
 * One finish on one PE: what of it is under way here, and what its handlers see.
 *
 * @module
 */

import { nodeName } from "../../internal/node_names.ts";
import { LamellarError } from "../../internal/errors.ts";
import type { AmContext } from "../context.ts";
import type { WorkFinish } from "../team_work.ts";
import { encodeError } from "../wire/thrown.ts";
import { ENTRY, Membership } from "./membership.ts";
import { rootOf } from "./messages.ts";

/** Most errors that a finish keeps; of others it says only how many there were. */
const ERRORS_MAX = 1000;

/** What a finish needs of the PE. */
export interface FinishHost {
  /** This PE. */
  readonly pe: number;
  readonly numPes: number;
  /** Tells a PE that this one has joined below it. */
  tellJoined(pe: number, finish: Finish): void;
  /** Something of the finish changed here: it may be over, or this PE has to leave it. */
  changed(finish: Finish): void;
  /** Makes what handlers get in the finish of what they would get outside of it. */
  makeContext(base: AmContext, finish: Finish): AmContext;
}

/** A finish, seen from one PE. */
export class Finish implements WorkFinish {
  readonly id: number;
  /** The PE that called it. */
  readonly root: number;
  readonly membership: Membership;
  /** Why nothing more may be launched or run; undefined as long as that is not so. */
  stopped: LamellarError | undefined;
  /** The same as its caller gave it. */
  reason = "";
  #stoppedText: Uint8Array | undefined;
  /** Where the PE has it: among those that changed, and among those of which nothing is here. */
  isChanged = false;
  isParked = false;
  readonly onStop: Set<(reason: string) => void> = new Set();
  readonly #host: FinishHost;
  readonly #visits: (Visit | undefined)[] = [];
  /** What handlers get, by what they would get outside of the finish; and the last of these. */
  readonly #contexts = new Map<AmContext, AmContext>();
  #base: AmContext | undefined;
  #context: AmContext | undefined;
  #errors: unknown[] = [];
  #furtherErrors = 0;

  /**
   * @param host The PE.
   * @param id Its id.
   */
  constructor(host: FinishHost, id: number) {
    this.#host = host;
    this.id = id;
    this.root = rootOf(id);
    const isRoot = this.root === host.pe;
    this.membership = new Membership(isRoot, Membership.initial(isRoot));
  }

  /**
   * A handler is about to run.
   *
   * @param pe The PE that launched it.
   * @returns Has to be ended before the handler is answered.
   */
  visit(pe: number): Visit {
    this.membership.visit(pe);
    return this.#visits[pe] ??= new Visit(this, pe);
  }

  /**
   * A handler is over.
   *
   * @param pe The PE that launched it.
   */
  endVisit(pe: number): void {
    this.membership.endVisit(pe);
    this.#mayBeOver();
  }

  /**
   * @param base What handlers would get outside of the finish.
   * @returns What they get in it.
   */
  contextOf(base: AmContext): AmContext {
    if (this.#base === base) return this.#context!;
    let context = this.#contexts.get(base);
    if (!context) this.#contexts.set(base, context = this.#host.makeContext(base, this));
    this.#base = base;
    return this.#context = context;
  }

  enter(): void {
    const { numPes, pe } = this.#host;
    if (this.stopped !== undefined) throw this.stopped;
    const parent = this.membership.enter();
    if (parent >= 0) return this.#host.tellJoined(parent, this);
    if (parent !== ENTRY.refused) return;
    const text =
      `Cannot launch in a finish of ${nodeName(this.root, numPes)}: its work on PE ${pe} is over ` +
      "(a handler has to await what launches later, or give it to `spawn`)";
    throw new LamellarError("ERR_FINISH_OVER", text, { pe, op: "finish" });
  }

  begin(): void {
    this.membership.begin();
  }

  end(): void {
    this.membership.end();
    this.#mayBeOver();
  }

  #mayBeOver(): void {
    if (this.membership.isIdle) this.#host.changed(this);
  }

  /**
   * Another PE has left that was below this one.
   *
   * @param pe The PE.
   * @returns Whether it was.
   */
  left(pe: number): boolean {
    const expected = this.membership.left(pe);
    this.#mayBeOver();
    return expected;
  }

  /** The same as it is told to those who wait for what did not go on: there may be many. */
  get stoppedText(): Uint8Array {
    return this.#stoppedText ??= encodeError(this.stopped);
  }

  /**
   * Launches nothing more, and runs nothing more that has not begun.
   *
   * @param reason Why.
   */
  stop(reason: string): void {
    if (this.stopped !== undefined) return;
    const { numPes, pe } = this.#host;
    this.reason = reason;
    const text = `Cannot go on in a finish of ${
      nodeName(this.root, numPes)
    }: it was stopped because ${reason}`;
    this.stopped = new LamellarError("ERR_FINISH_STOPPED", text, { pe, op: "finish" });
    for (const listener of this.onStop) listener(reason);
  }

  /**
   * Keeps errors for the PE that called it.
   *
   * @param errors The errors.
   * @param further How many there were besides.
   */
  keepErrors(errors: readonly unknown[], further = 0): void {
    const room = ERRORS_MAX - this.#errors.length;
    this.#errors.push(...errors.slice(0, room));
    this.#furtherErrors += further + Math.max(0, errors.length - room);
  }

  /** Gives the errors that were kept, and how many there were besides. */
  takeErrors(): { readonly errors: readonly unknown[]; readonly further: number } {
    const taken = { errors: this.#errors, further: this.#furtherErrors };
    this.#errors = [];
    this.#furtherErrors = 0;
    return taken;
  }
}

/** The handlers of a finish that one PE launched on another, and that run there. */
export class Visit {
  readonly finish: Finish;
  readonly #pe: number;

  /**
   * @param finish The finish.
   * @param pe The PE that launched them.
   */
  constructor(finish: Finish, pe: number) {
    this.finish = finish;
    this.#pe = pe;
  }

  /**
   * One of them begins.
   *
   * @param base What it would get outside of the finish.
   * @returns What it gets.
   * @throws {LamellarError} If the finish is stopped.
   */
  contextOf(base: AmContext): AmContext {
    if (this.finish.stopped !== undefined) throw this.finish.stopped;
    return this.finish.contextOf(base);
  }

  /** One of them is over. */
  end(): void {
    this.finish.endVisit(this.#pe);
  }
}
