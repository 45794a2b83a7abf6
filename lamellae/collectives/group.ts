/**
 * Collectives of a group of PEs, the world's or a team's. They begin in the order in which they
 * were called, over the barrier of `dissemination.ts`; each can exchange a few bytes between all
 * PEs, and take several turns. Those that move data run side by side, each in a lane (`lanes.ts`);
 * every other begins when all before it are over, and ends before the next begins.
 *
 * Every signal carries the kind of the collective and a hash of its arguments, so that PEs that
 * call different ones fail at once and by name instead of waiting for ever. How signals travel is
 * a parameter: those of the world are words that the lamella sets, those of a team are messages.
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
import { type Members, type Round, WORLD_ID } from "./dissemination.ts";
import { type Signals, WAIT_FOR } from "../lamella.ts";
import { laneOf, LANES, nextSequence, numberBefore } from "../lanes.ts";
import { type Collective, type CollectiveOptions, Operation } from "./operation.ts";
import type { Progress, WaitReason } from "../progress.ts";
import type { WaitLimit } from "../wait_limit.ts";

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
  /** The last number in each lane. */
  readonly #sequences: number[];
  #called = 0;
  /** Those that are not over, in the order in which they were called. */
  #queue: Operation[] = [];
  /** How many of these have begun, the first ones. */
  #begun = 0;
  /** Whether these are being advanced: handlers that run meanwhile must not do so too. */
  #isAdvancing = false;
  /** Whether a blocking barrier is under way, which is not in the queue. */
  #inBarrier = false;
  #listener: (() => void) | undefined;

  /**
   * @param host Who makes it.
   * @param members The PEs.
   * @param rounds Whom each signals.
   * @param signals How.
   * @param turns How many turns each lane has had, the same on every PE.
   */
  constructor(
    host: GroupHost,
    members: Members,
    rounds: readonly Round[],
    signals: Signals,
    turns = 0,
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
    this.#sequences = Array.from({ length: LANES }, (_, lane) => numberBefore(lane, turns));
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
    if (this.#queue.push(operation) === 1) this.#host.begin(this);
    this.#beginMore();
    this.#progress.kick();
    return operation;
  }

  /** The number that the next collective gets. */
  get nextNumber(): number {
    return this.#called + 1;
  }

  /**
   * @param number The number of a collective.
   * @returns Whether all before it are over.
   */
  isOldest(number: number): boolean {
    return this.#queue[0]?.number === number;
  }

  #next(number: number): number {
    const lane = laneOf(number);
    return this.#sequences[lane] = nextSequence(this.#sequences[lane]!);
  }

  /** A blocking barrier, without the objects that handles need. */
  barrier(): void {
    // Before anything is signalled: a barrier that was entered cannot be left.
    this.#progress.refuseBlocking("barrier");
    if (this.#queue.length > 0) {
      this.call("barrier").block();
      return;
    }
    this.#progress.checkFailure();
    const number = ++this.#called;
    const sequence = this.#next(number);
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
    this.#beginMore();
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

  /** The PE whose signal the oldest collective lacks, -1 if none. */
  waitingFor(): number {
    return this.#lacks(this.#queue[0]);
  }

  /** The PE whose signal a collective lacks; if it has not begun, as of the oldest. */
  #lacks(operation = this.#queue[0]): number {
    if (!operation) return -1;
    if (operation.sequence === 0) return this.#lacks(this.#queue[0]);
    const round = this.#rounds[operation.round];
    if (!round) return -1;
    const { slot, from } = round;
    for (let i = 0; i < from.length; i++) {
      if (!this.#signals.signalled(slot + i, operation.sequence)) return from[i]!;
    }
    return -1;
  }

  /** What the oldest collective waits for, if there is one. */
  get reason(): WaitReason | undefined {
    const operation = this.#queue[0];
    return operation && this.#reasonOf(operation);
  }

  #reasonOf(operation: Operation): WaitReason {
    return {
      kind: WAIT_FOR.collective,
      pe: this.#lacks(operation),
      what: () => this.wordsOf(operation.call),
    };
  }

  /**
   * @param call A collective.
   * @returns What a PE in it waits for, in words.
   */
  wordsOf(call: CollectiveCall): string {
    return this.id === WORLD_ID ? wordsOf(call) : `${wordsOf(call)} in ${this.name}`;
  }

  /** Begins what can begin now. */
  #beginMore(): void {
    const queue = this.#queue;
    while (!this.#inBarrier && this.#begun < queue.length) {
      const next = queue[this.#begun]!;
      if (this.#begun > 0) {
        // Alone, or in a lane that is free.
        const last = queue[this.#begun - 1]!;
        if (!next.call.overlaps || !last.call.overlaps) return;
        if (next.number - queue[0]!.number >= LANES) return;
      }
      this.#begun++;
      this.#beginTurn(next);
    }
  }

  #beginTurn(operation: Operation): void {
    const { call, number, own } = operation;
    const sequence = this.#next(number);
    operation.sequence = sequence;
    operation.round = 0;
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
    if (this.#inBarrier || this.#isAdvancing) return 0;
    this.#isAdvancing = true;
    let done = 0;
    for (let i = 0; i < this.#begun;) {
      const operation = this.#queue[i]!;
      const { sequence } = operation;
      // One that failed stays: the job is about to end.
      const over = operation.error === undefined && this.#advance(operation);
      if (operation.sequence !== sequence) done++;
      if (over) done++;
      if (!over) i++;
      else if (operation.error) operation.settled();
      else this.#end(operation);
    }
    this.#isAdvancing = false;
    return done;
  }

  #end(operation: Operation): void {
    const index = this.#queue.indexOf(operation);
    // Handlers that ran meanwhile may have seen the job fail.
    if (index < 0) return;
    this.#queue.splice(index, 1);
    this.#begun--;
    this.#beginMore();
    operation.settled();
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
        this.#beginTurn(operation);
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
    this.#progress.refuseBlocking("block");
    // For each partner anew, so that the watchdog can name the one that is missing.
    while (!operation.done) {
      const pe = this.#lacks(operation);
      this.#progress.block(
        () => operation.done || this.#lacks(operation) !== pe,
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
    this.#begun = 0;
    for (const operation of this.#queue.splice(0)) {
      operation.error ??= error;
      operation.settled();
    }
  }
}
