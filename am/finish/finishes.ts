/**
 * All finishes that a PE takes part in, and the messages about them.
 *
 * What ends is only noted while a program or a handler runs, and looked at in the next step of the
 * progress engine: a PE that has nothing to do for a moment does not leave.
 *
 * @module
 */

import { nodeName } from "../../internal/node_names.ts";
import { type LamellarError, ProtocolError, type RemoteError } from "../../internal/errors.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { type Progress, WAIT_FOR, type WaitReason } from "../../lamellae/mod.ts";
import type { AmContext } from "../context.ts";
import { sendService, SERVICE, type Services } from "../services.ts";
import type { UnseenErrors } from "../unseen_errors.ts";
import type { Outbox } from "../wire/outbox.ts";
import { decodeFailures, encodeFailures } from "../wire/thrown.ts";
import { Finish, type FinishHost, type Visit } from "./finish.ts";
import { finishId, messageBytes, readMessage, rootOf, SAYS, writeMessage } from "./messages.ts";
import { NOBODY } from "./membership.ts";

/** How many are kept of which nothing is here: the next handler of one may come at once. */
const IDLE_MAX = 64;

const NO_REASON: WaitReason = { kind: WAIT_FOR.nothing, pe: -1 };
const NOTHING = new Uint8Array();

/** What this needs of the engine. */
export interface FinishesHost {
  readonly pe: number;
  readonly outbox: Outbox;
  readonly services: Services;
}

/** Makes what handlers get in a finish of what they would get outside of it. */
export type MakeFinishContext = (base: AmContext, finish: Finish) => AmContext;

/** What happened in a finish. */
export interface Failures {
  readonly errors: readonly unknown[];
  /** How many there were besides. */
  readonly further: number;
}

/** A finish that this PE has called. */
interface Called {
  readonly finish: Finish;
  /** Whether its body is over. */
  isWaiting: boolean;
  over(failures: Failures): void;
  fail(error: unknown): void;
}

/** The finishes of a PE. */
export class Finishes implements FinishHost {
  readonly pe: number;
  readonly makeContext: MakeFinishContext;
  readonly #outbox: Outbox;
  readonly #progress: Progress;
  readonly #unseen: UnseenErrors;
  readonly #all = new Map<number, Finish>();
  readonly #called = new Map<Finish, Called>();
  /** Of others, those of which nothing is here; the one that was used last at the end. */
  readonly #idle = new Set<Finish>();
  #changed: Finish[] = [];
  /** Those that were stopped, and who tells their callers. */
  #stops: { readonly finish: Finish; tell(): void }[] = [];
  /** The one whose handler came last: many come in a row. */
  #last: Finish | undefined;
  #number = 0;

  /**
   * @param host The engine.
   * @param progress The progress engine.
   * @param unseen The errors that nobody has asked for.
   * @param makeContext Makes what handlers get.
   */
  constructor(
    { outbox, pe, services }: FinishesHost,
    progress: Progress,
    unseen: UnseenErrors,
    makeContext: MakeFinishContext,
  ) {
    this.pe = pe;
    this.makeContext = makeContext;
    this.#outbox = outbox;
    this.#progress = progress;
    this.#unseen = unseen;
    services.add(SERVICE.finishes, (pe, views, at, bytes) => this.#receive(pe, views, at, bytes));
    progress.addPoller(() => this.#poll());
    progress.addReason(() => this.#reason());
  }

  /**
   * Begins a finish of this PE.
   *
   * @returns It, and its end: the errors, once the body and everything else is over. The body has
   * to be ended by `endBody`.
   */
  call(): { readonly finish: Finish; readonly over: Promise<Failures> } {
    const finish = new Finish(this, finishId(this.pe, ++this.#number));
    const { promise, reject, resolve } = Promise.withResolvers<Failures>();
    this.#all.set(finish.id, finish);
    this.#called.set(finish, { finish, isWaiting: false, over: resolve, fail: reject });
    return { finish, over: promise };
  }

  /**
   * The body of a finish of this PE is over.
   *
   * @param finish The finish.
   */
  endBody(finish: Finish): void {
    const called = this.#called.get(finish);
    if (called) called.isWaiting = true;
    finish.end();
    this.#progress.kick();
  }

  /**
   * Stops a finish of this PE, which does not wait any longer. Errors that come later are nobody's.
   *
   * @param finish The finish.
   * @param reason Why, for those who launch in it.
   * @param errorOf Makes what its caller gets, from what has failed.
   */
  stop(finish: Finish, reason: string, errorOf: (failures: Failures) => unknown): void {
    const called = this.#called.get(finish);
    if (!called) return;
    const error = errorOf(this.#takeErrors(finish));
    this.#called.delete(finish);
    finish.stop(reason);
    // Told in a step, since a program that sends waits for room: first to the other PEs, so that
    // what its caller sends them then comes after it.
    this.#stops.push({ finish, tell: () => called.fail(error) });
    this.#progress.kick();
  }

  /** No finish of this PE ends any more. */
  failAll(error: LamellarError): void {
    for (const { tell } of this.#stops.splice(0)) tell();
    for (const called of this.#called.values()) called.fail(error);
    this.#called.clear();
    this.#changed = [];
  }

  /**
   * A handler of a finish is about to run.
   *
   * @param pe The PE that launched it.
   * @param id The id of the finish.
   * @returns Has to be ended before the handler is answered.
   * @throws {ProtocolError} If there is no such finish.
   */
  visit(pe: number, id: number): Visit {
    const last = this.#last;
    const finish = last?.id === id && !last.isParked ? last : this.#find(id);
    return finish.visit(pe);
  }

  #find(id: number): Finish {
    let finish = this.#all.get(id);
    if (!finish) {
      if (!this.#isOfOthers(id)) {
        throw new ProtocolError(`a request in finish ${id}, which is not there`);
      }
      this.#all.set(id, finish = new Finish(this, id));
    }
    this.#idle.delete(finish);
    finish.isParked = false;
    return this.#last = finish;
  }

  changed(finish: Finish): void {
    if (finish.isChanged) return;
    finish.isChanged = true;
    if (this.#changed.push(finish) === 1) this.#progress.kick();
  }

  tellJoined(pe: number, finish: Finish): void {
    this.#send(pe, finish, SAYS.joined, NOTHING);
  }

  #send(pe: number, { id }: Finish, says: number, rest: Uint8Array): void {
    const message = { id, says, rest };
    sendService(this.#outbox, pe, SERVICE.finishes, messageBytes(message), (views, at) => {
      writeMessage(views, at, message);
    });
  }

  #sendStop(pe: number, finish: Finish): void {
    this.#send(pe, finish, SAYS.stop, new TextEncoder().encode(finish.reason));
  }

  #poll(): number {
    const [changed, stops] = [this.#changed, this.#stops];
    if (changed.length + stops.length === 0) return 0;
    this.#changed = [];
    this.#stops = [];
    for (const { finish, tell } of stops) {
      this.#tellStop(finish);
      tell();
    }
    for (const finish of changed) this.#leave(finish);
    this.#outbox.flush();
    return changed.length + stops.length;
  }

  /** Handlers may run on any PE, also where nothing has been launched yet. */
  #tellStop(finish: Finish): void {
    const { numPes } = this.#progress.lamella;
    for (let pe = 0; pe < numPes; pe++) if (pe !== this.pe) this.#sendStop(pe, finish);
  }

  #leave(finish: Finish): void {
    finish.isChanged = false;
    const { isRoot } = finish.membership;
    const parent = finish.membership.leave();
    if (!finish.membership.isIdle) return;
    if (isRoot) return this.#end(finish);
    if (parent !== NOBODY) {
      const { errors, further } = this.#takeErrors(finish);
      // Many may have failed only because they could not launch any more.
      const told = finish.stopped === undefined ? errors : [];
      this.#send(
        parent,
        finish,
        SAYS.left,
        encodeFailures(this.pe, told as RemoteError[], further),
      );
    }
    this.#park(finish);
  }

  #park(finish: Finish): void {
    this.#idle.add(finish);
    finish.isParked = true;
    if (this.#idle.size <= IDLE_MAX) return;
    for (const oldest of this.#idle) {
      this.#idle.delete(oldest);
      this.#all.delete(oldest.id);
      break;
    }
  }

  /** Everything of a finish of this PE is over. */
  #end(finish: Finish): void {
    this.#all.delete(finish.id);
    if (this.#last === finish) this.#last = undefined;
    const failures = this.#takeErrors(finish);
    this.#called.get(finish)?.over(failures);
    this.#called.delete(finish);
  }

  #takeErrors(finish: Finish): Failures {
    finish.keepErrors(this.#unseen.take(finish, this.pe, this.numPes));
    return finish.takeErrors();
  }

  get numPes(): number {
    return this.#progress.lamella.numPes;
  }

  #receive(pe: number, views: MemoryViews, at: number, bytes: number): void {
    const { id, rest, says } = readMessage(views, at, bytes);
    const finish = this.#all.get(id);
    switch (says) {
      case SAYS.joined:
        if (!finish?.membership.joined(pe)) throw unexpected("joined", id);
        // It has forgotten that, if this was long ago.
        if (finish.stopped !== undefined) this.#sendStop(pe, finish);
        return;
      case SAYS.left: {
        const { errors, further } = decodeFailures(rest);
        finish?.keepErrors(errors, further);
        if (!finish?.left(pe)) throw unexpected("left", id);
        return;
      }
      case SAYS.stop:
        return this.#stopHere(id, new TextDecoder().decode(rest));
      default:
        throw new ProtocolError(`a message ${says} about finish ${id}`);
    }
  }

  /** A finish of another PE is stopped. Handlers of it may still be on their way to this one. */
  #stopHere(id: number, reason: string): void {
    if (!this.#isOfOthers(id)) throw unexpected("stop", id);
    let finish = this.#all.get(id);
    if (!finish) {
      this.#all.set(id, finish = new Finish(this, id));
      this.#park(finish);
    }
    finish.stop(reason);
  }

  #isOfOthers(id: number): boolean {
    const root = rootOf(id);
    return root >= 0 && root < this.#progress.lamella.numNodes && root !== this.pe;
  }

  /** The innermost that waits says most; a body that goes on is the program's own. */
  #reason(): WaitReason {
    let reason = NO_REASON;
    for (const { finish, isWaiting } of this.#called.values()) {
      const what = (): string => `${this.leftOf(finish)} in a finish`;
      const { value: pe = -1 } = finish.membership.state.children.keys().next();
      if (isWaiting) reason = { kind: WAIT_FOR.finish, pe, what };
      else if (reason === NO_REASON) reason = { kind: WAIT_FOR.task, pe: -1, what };
    }
    return reason;
  }

  /**
   * @param finish A finish of this PE.
   * @returns What of it is left, in words.
   */
  leftOf(finish: Finish): string {
    const { children, own } = finish.membership.state;
    const called = this.#called.get(finish);
    const launched = called?.isWaiting ? own : own - 1;
    const pes = [...children.keys()].sort((a, b) => a - b);
    const parts = [
      called?.isWaiting ? "" : "its body",
      launched > 0
        ? `${launched} ${launched === 1 ? "AM or task" : "AMs and tasks"} of ${
          nodeName(this.pe, this.numPes)
        }`
        : "",
      pes.length > 0 ? `what ${pes.length === 1 ? "PE" : "PEs"} ${pes.join(", ")} launched` : "",
    ];
    return parts.filter((part) => part !== "").join(", ") || "nothing";
  }
}

function unexpected(what: string, id: number): ProtocolError {
  return new ProtocolError(`a message "${what}" about finish ${id}, which cannot come now`);
}
