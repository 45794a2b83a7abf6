/**
 * Collectives of a group of PEs, the world's or a team's. They run one after the other, in the
 * order in which they were called, over the barrier of `dissemination.ts`; each can exchange a few
 * bytes between all PEs, and take several turns.
 *
 * Every signal carries the kind of the collective and a hash of its arguments, so that PEs that
 * call different ones fail at once and by name instead of waiting for ever. How signals travel is
 * a parameter: those of the world are words that the lamella sets, those of a team are messages. A
 * PE can be one collective ahead of another, never two: it ends one only after every other has
 * entered it.
 *
 * @module
 */

import { CollectiveMismatchError } from "../../internal/errors.ts";
import { EXCHANGE_BYTES } from "../../internal/limits.ts";
import { rejectAtAwaiter, takeStackFromHere } from "../../internal/stacks.ts";
import {
  BARRIER_CALL,
  callOf,
  type CollectiveCall,
  type CollectiveKind,
  otherText,
  readContribution,
  textOf,
  wordsOf,
  writeContribution,
} from "./collective_call.ts";
import { type Members, nextSequence, type Round, WORLD_ID } from "./dissemination.ts";
import { type Signals, WAIT_FOR } from "../lamella.ts";
import type { Progress, WaitReason } from "../progress.ts";
import type { Awaited, WaitLimit } from "../wait_limit.ts";

/** Another turn of a collective, in which every PE contributes once more. */
export interface NextTurn {
  /** Whether this PE can go on: looked at in each step. */
  readonly ready: () => boolean;
  /** What this PE contributes, at most `EXCHANGE_BYTES`; called once it is ready. */
  readonly own: () => Uint8Array;
}

/**
 * Tells whether a collective takes another turn, before any that was called after it. All PEs have
 * to decide alike, and do if they go by the contributions, which are the same everywhere.
 *
 * @param contributions What each PE contributed in the last turn, in the order of the group.
 * @param turn How many turns there were.
 * @returns The next turn; undefined if the collective is over.
 */
export type Continuation = (contributions: Uint8Array[], turn: number) => NextTurn | undefined;

/** What a collective is called with. */
export interface CollectiveOptions {
  /** Its arguments as text: they have to be the same on every PE. */
  readonly args?: string;
  /** Bytes this PE contributes, at most `EXCHANGE_BYTES`; all PEs contribute, or none does. */
  readonly own?: Uint8Array;
  /** Tells after each turn whether there is another; without it there is one. */
  readonly goesOn?: Continuation;
}

/** A collective that was called. */
export interface Collective {
  /** Whether it is over. */
  readonly done: boolean;
  /** Why it failed, if it did. */
  readonly error?: Error | undefined;
  /** What it is, for messages. */
  readonly awaited: Awaited;
  /**
   * Blocks until it is done.
   *
   * @param limit When to stop waiting.
   * @returns What each PE contributed, in the order of the group; nothing if none did.
   */
  block(limit?: WaitLimit): Uint8Array[];
  /** Settles when it is done. */
  finished(): Promise<Uint8Array[]>;
}

/** What a group needs of the object that knows all groups of its PE. */
export interface GroupHost {
  /** The engine that waits. */
  readonly progress: Progress;
  /** The group has a collective under way, where it had none: it is to be advanced in each step. */
  begin(group: PeGroup): void;
  /** Ends the job if its PEs do not agree; returns the error. */
  tell(error: Error): Error;
  /** The same a little later, when the code that awaits the collective has got the error. */
  tellSoon(error: Error): void;
}

/** One collective under way: a class, since objects with getters of their own are slow to make. */
class Operation implements Collective {
  readonly call: CollectiveCall;
  /** Which of this group it is, from 1. */
  readonly number: number;
  own: Uint8Array | undefined;
  readonly goesOn: Continuation | undefined;
  turn = 0;
  /** Set between two turns. */
  next: NextTurn | undefined = undefined;
  /** 0 until it begins. */
  sequence = 0;
  round = 0;
  /** Everyone's bytes once it is done. */
  result: Uint8Array[] | undefined = undefined;
  error: Error | undefined = undefined;
  settle: (() => void) | undefined = undefined;
  readonly #group: PeGroup;

  constructor(
    group: PeGroup,
    call: CollectiveCall,
    number: number,
    own: Uint8Array | undefined,
    goesOn: Continuation | undefined,
  ) {
    this.#group = group;
    this.call = call;
    this.number = number;
    this.own = own;
    this.goesOn = goesOn;
  }

  get done(): boolean {
    return this.result !== undefined || this.error !== undefined;
  }

  get awaited(): Awaited {
    return { text: `for ${this.#group.wordsOf(this.call)}`, op: this.call.kind };
  }

  block(limit?: WaitLimit): Uint8Array[] {
    return this.#group.block(this, limit);
  }

  finished(): Promise<Uint8Array[]> {
    return this.#group.finished(this);
  }
}

const NOTHING = new Uint8Array(0);

/** A group of PEs, seen from one of them, and the collectives of these PEs. */
export class PeGroup implements Members {
  readonly name: string;
  readonly id: number;
  readonly pes: readonly number[];
  readonly me: number;
  readonly #host: GroupHost;
  readonly #progress: Progress;
  readonly #signals: Signals;
  readonly #rounds: readonly Round[];
  /** Whether the lamella can wait for the signals itself. */
  readonly #areWords: boolean;
  #sequence: number;
  #called = 0;
  #queue: Operation[] = [];
  /** Whether a blocking barrier is under way, which is not in the queue. */
  #inBarrier = false;
  #listener: (() => void) | undefined;

  /**
   * @param host Who makes it.
   * @param members The PEs.
   * @param rounds Whom each signals.
   * @param signals How.
   * @param last Number of the signals before the first, the same on every PE.
   */
  constructor(
    host: GroupHost,
    members: Members,
    rounds: readonly Round[],
    signals: Signals,
    last = 0,
  ) {
    this.name = members.name;
    this.id = members.id;
    this.pes = members.pes;
    this.me = members.me;
    this.#host = host;
    this.#progress = host.progress;
    this.#rounds = rounds;
    this.#signals = signals;
    this.#areWords = signals === host.progress.lamella;
    this.#sequence = last;
  }

  /**
   * Calls a collective.
   *
   * @param kind Which.
   * @param options What it is called with.
   * @returns A handle to wait for it.
   * @throws {RangeError} If this PE contributes too much.
   */
  call(kind: CollectiveKind, options: CollectiveOptions = {}): Collective {
    this.#progress.checkFailure();
    const { args = "", own, goesOn } = options;
    if (own && own.length > EXCHANGE_BYTES) {
      throw new RangeError(
        `Cannot exchange ${own.length} bytes in ${kind}: the limit is ${EXCHANGE_BYTES} bytes`,
      );
    }
    const told = own ?? (args === "" ? undefined : NOTHING);
    const operation = new Operation(this, callOf(kind, args), ++this.#called, told, goesOn);
    if (this.#queue.push(operation) === 1) {
      this.#host.begin(this);
      if (!this.#inBarrier) this.#begin(operation);
    }
    this.#progress.kick();
    return operation;
  }

  /** A blocking barrier, without the objects that handles need. */
  barrier(): void {
    // Before anything is signalled: a barrier that was entered cannot be left.
    this.#progress.refuseInHandler("barrier");
    if (this.#queue.length > 0) {
      this.call("barrier").block();
      return;
    }
    this.#progress.checkFailure();
    const sequence = this.#sequence = nextSequence(this.#sequence);
    const number = ++this.#called;
    // Handlers run meanwhile, and may call what comes after it.
    this.#inBarrier = true;
    for (let i = 0; i < this.#rounds.length; i++) {
      const { slot, from } = this.#rounds[i]!;
      this.#signalRound(i, sequence, 0, false);
      for (let j = 0; j < from.length; j++) {
        this.#blockForSignal(slot + j, sequence, from[j]!);
        if (this.#signals.tagOf(slot + j, sequence) !== 0) {
          throw this.#host.tell(
            this.#mismatch(BARRIER_CALL, number, slot + j, sequence, from[j]!),
          );
        }
      }
    }
    this.#inBarrier = false;
    if (this.#queue.length > 0) this.#begin(this.#queue[0]!);
  }

  #blockForSignal(slot: number, sequence: number, partner: number): void {
    if (this.#areWords) return this.#progress.blockForSignal(slot, sequence, partner);
    const signals = this.#signals;
    this.#progress.block(
      () => signals.signalled(slot, sequence),
      "barrier",
      { kind: WAIT_FOR.collective, pe: partner, what: () => this.wordsOf(BARRIER_CALL) },
    );
  }

  /** Whether no collective is under way. */
  get isQuiet(): boolean {
    return this.#queue.length === 0 && !this.#inBarrier;
  }

  /**
   * @param listener Called whenever the last one under way is over.
   */
  onQuiet(listener: () => void): void {
    this.#listener = listener;
  }

  /** The PE whose signal the first collective of the queue lacks, -1 if none. */
  waitingFor(): number {
    const operation = this.#queue[0];
    if (!operation) return -1;
    const round = this.#rounds[operation.round];
    if (!round) return -1;
    const { slot, from } = round;
    for (let i = 0; i < from.length; i++) {
      if (!this.#signals.signalled(slot + i, operation.sequence)) return from[i]!;
    }
    return -1;
  }

  /** What the first collective of the queue waits for, if there is one. */
  get reason(): WaitReason | undefined {
    const operation = this.#queue[0];
    return operation && this.#reasonOf(operation);
  }

  #reasonOf({ call }: Operation): WaitReason {
    return {
      kind: WAIT_FOR.collective,
      pe: this.waitingFor(),
      what: () => this.wordsOf(call),
    };
  }

  /**
   * @param call A collective.
   * @returns What a PE in it waits for, in words.
   */
  wordsOf(call: CollectiveCall): string {
    return this.id === WORLD_ID ? wordsOf(call) : `${wordsOf(call)} in ${this.name}`;
  }

  #begin(operation: Operation): void {
    const sequence = this.#sequence = nextSequence(this.#sequence);
    operation.sequence = sequence;
    operation.round = 0;
    const { own, call } = operation;
    if (own) {
      const area = this.#signals.exchange(this.pes[this.me]!, sequence);
      writeContribution(area, call, own);
    }
    this.#signalRound(0, sequence, call.tag, own !== undefined);
  }

  /** Signals the partners of a round; handlers may run meanwhile if signals are messages. */
  #signalRound(index: number, sequence: number, tag: number, contributes: boolean): void {
    const round = this.#rounds[index];
    if (!round) return;
    const { slot, to } = round;
    const known = contributes ? round.known : 0;
    for (let i = 0; i < to.length; i++) {
      this.#signals.signal(to[i]!, slot + i, sequence, tag, known);
    }
  }

  /**
   * Goes as far as the signals allow; the host calls it in each step.
   *
   * @returns How much was done.
   */
  advance(): number {
    let done = 0;
    for (let first = this.#queue[0]; first && !this.#inBarrier; first = this.#queue[0]) {
      const { sequence } = first;
      // One that failed stays, and nothing comes after it: the job is about to end.
      const over = first.error === undefined && this.#advance(first);
      if (first.sequence !== sequence) done++;
      if (!over) return done;
      done++;
      if (first.error) settle(first);
      else this.#goOn(first);
    }
    return done;
  }

  #goOn(operation: Operation): void {
    this.#queue.shift();
    const next = this.#queue[0];
    if (next) this.#begin(next);
    settle(operation);
    if (this.#queue.length === 0) this.#listener?.();
  }

  /** Returns whether the collective is over. */
  #advance(operation: Operation): boolean {
    for (;;) {
      const { next } = operation;
      if (next) {
        if (!next.ready()) return false;
        operation.next = undefined;
        operation.own = next.own();
        this.#begin(operation);
      }
      if (!this.#advanceTurn(operation)) return false;
      const { goesOn, result } = operation;
      if (!goesOn || !result) return true;
      operation.next = goesOn(result, ++operation.turn);
      if (!operation.next) return true;
      operation.result = undefined;
    }
  }

  /** As `#advance`, of one turn. */
  #advanceTurn(operation: Operation): boolean {
    const { sequence, call, own } = operation;
    const signals = this.#signals;
    while (operation.round < this.#rounds.length) {
      const { slot, from } = this.#rounds[operation.round]!;
      for (let i = 0; i < from.length; i++) {
        if (!signals.signalled(slot + i, sequence)) return false;
        if (signals.tagOf(slot + i, sequence) === call.tag) continue;
        operation.error = this.#mismatch(call, operation.number, slot + i, sequence, from[i]!);
        this.#host.tellSoon(operation.error);
        return true;
      }
      this.#signalRound(++operation.round, sequence, call.tag, own !== undefined);
    }
    operation.result = own === undefined
      ? []
      : this.pes.map((pe) => readContribution(signals.exchange(pe, sequence)));
    return true;
  }

  #mismatch(
    call: CollectiveCall,
    number: number,
    slot: number,
    sequence: number,
    partner: number,
  ): CollectiveMismatchError {
    const tag = this.#signals.tagOf(slot, sequence);
    const area = tag >>> 8 === 0 ? undefined : this.#signals.exchange(partner, sequence);
    return new CollectiveMismatchError(
      `PE ${this.pes[this.me]} called ${textOf(call)} as collective number ${number} of ` +
        `${this.name} where PE ${partner} called ${otherText(call, tag, area)}: ` +
        `all PEs of ${this.name} must call the same collectives in the same order`,
      { pe: partner, op: call.kind },
    );
  }

  /**
   * Blocks until a collective is done.
   *
   * @param operation The collective, of this group.
   * @param limit When to stop waiting.
   * @returns What each PE contributed.
   */
  block(operation: Operation, limit: WaitLimit | undefined): Uint8Array[] {
    this.#progress.refuseInHandler("block");
    // For each partner anew, so that the watchdog can name the one that is missing.
    while (!operation.done) {
      const pe = this.waitingFor();
      this.#progress.block(
        () => operation.done || this.waitingFor() !== pe,
        "block",
        this.#reasonOf(operation),
        limit,
      );
    }
    if (operation.error) throw this.#host.tell(takeStackFromHere(operation.error));
    return operation.result!;
  }

  /**
   * Settles when a collective is done.
   *
   * @param operation The collective, of this group.
   * @returns What each PE contributed.
   */
  async finished(operation: Operation): Promise<Uint8Array[]> {
    if (!operation.result) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          const { error } = operation;
          if (error) rejectAtAwaiter(resolve, error, () => this.#host.tell(error));
          else resolve();
        };
        if (operation.error) return end();
        const others = operation.settle;
        operation.settle = () => {
          others?.();
          end();
        };
        this.#progress.kick();
      });
    }
    return operation.result!;
  }

  /**
   * Ends everything, when the job fails.
   *
   * @param error Why.
   */
  fail(error: Error): void {
    for (const operation of this.#queue.splice(0)) {
      operation.error ??= error;
      settle(operation);
    }
  }
}

function settle(operation: Operation): void {
  const { settle } = operation;
  operation.settle = undefined;
  settle?.();
}
