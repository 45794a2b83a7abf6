/**
 * A collective that was called, and how far it is.
 *
 * @module
 */

import type { CollectiveCall } from "./collective_call.ts";
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
  /** Calls a listener as soon as it is done, or has failed; with what each PE contributed. */
  onOver(listener: (contributions: Uint8Array[] | undefined) => void): void;
}

/** What a collective needs of its group. */
interface Group {
  wordsOf(call: CollectiveCall): string;
  block(operation: Operation, limit: WaitLimit | undefined): Uint8Array[];
  finished(operation: Operation): Promise<Uint8Array[]>;
}

/** One collective of a group: a class, since objects with getters of their own are slow to make. */
export class Operation implements Collective {
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
  readonly #group: Group;

  constructor(
    group: Group,
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

  onOver(listener: (contributions: Uint8Array[] | undefined) => void): void {
    if (this.done) return listener(this.result);
    const others = this.settle;
    this.settle = () => {
      listener(this.result);
      others?.();
    };
  }

  /** Tells who waits for it that it is over. */
  settled(): void {
    const { settle } = this;
    this.settle = undefined;
    settle?.();
  }
}
