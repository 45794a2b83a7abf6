/**
 * Tries to read and to write the memory of a process under keys that are guessed, several at a
 * time: most of its time a trial waits.
 *
 * @module
 */

import { TransportError } from "../../internal/errors.ts";
import { DATA, Side } from "./fabric_side.ts";

/** What came of trials. */
export interface Trials {
  /** How many keys were tried, each to read and to write. */
  readonly keys: number;
  /** How many of these trials were let read or write. */
  readonly opened: number;
  /** How many ended by an error; of the others nothing was heard. */
  readonly refused: number;
}

/** Whom to try, and how. */
export interface TrialOptions {
  readonly provider: string;
  /** The name of the process' endpoint. */
  readonly name: Uint8Array;
  /** Gives the keys. */
  readonly keys: Iterator<bigint, unknown>;
  /** Where what is guessed at begins, as remote memory access names it. */
  readonly base: bigint;
  /** How many are tried at a time. */
  readonly atATime: number;
  /** How long, in milliseconds; without it until there are no more keys. */
  readonly forMs?: number | undefined;
  /** Chooses a number below a limit. */
  readonly below: (limit: number) => number;
}

/** How long an answer is waited for, in milliseconds; udp gives none if a key is wrong. */
const ANSWER_MS: Readonly<Record<string, number>> = { tcp: 3000, net: 3000, udp: 120 };
/** How long libfabric is given to see that a connection has ended, and what it is looked at for. */
const PAUSE_MS = 2;
const NAP_MS = 1;
/** Errors of a call whose key was wrong, and of one that had no connection. */
const [CANCELED, NOT_CONNECTED] = [125, 107];

/** An endpoint of a stranger, and the process as that knows it. */
export interface Peer {
  readonly side: Side;
  readonly to: bigint;
}

/**
 * @param provider A provider.
 * @param name The name of an endpoint.
 * @returns An endpoint of one's own that knows it.
 */
export function meet(provider: string, name: Uint8Array): Peer {
  const side = new Side(provider, undefined, true);
  const [to] = side.fabric.insert([name]);
  return { side, to: to! };
}

/**
 * Closes an endpoint: what is under way may keep it from that, which is nobody's concern here.
 *
 * @param side The endpoint.
 */
export function leave(side: Side): void {
  try {
    side[Symbol.dispose]();
  } catch {
    // See above.
  }
}

/**
 * Tries keys.
 *
 * @param options Whom to try, and how.
 * @returns What came of it.
 */
export async function tryKeys(options: TrialOptions): Promise<Trials> {
  const lanes = Array.from({ length: options.atATime }, () => new Lane(options));
  const end = performance.now() + (options.forMs ?? Infinity);
  while (lanes.some(({ isOver }) => !isOver) && performance.now() < end) {
    let moved = false;
    for (const lane of lanes) if (lane.step()) moved = true;
    // What is tried in the same thread has to get on, too.
    if (!moved) await new Promise((resolve) => setTimeout(resolve, NAP_MS));
  }
  const sum = (count: (lane: Lane) => number): number =>
    lanes.reduce((all, lane) => all + count(lane), 0);
  return {
    keys: sum((lane) => lane.keys),
    opened: sum((lane) => lane.opened),
    refused: sum((lane) => lane.refused),
  };
}

/** Tries one key after the other. */
class Lane {
  keys = 0;
  opened = 0;
  refused = 0;
  isOver = false;
  readonly #options: TrialOptions;
  #peer: Peer;
  #key = 0n;
  #writes = false;
  /** When the call of the trial was taken, 0 if it has not been yet. */
  #began = 0;
  #pauseUntil = 0;

  constructor(options: TrialOptions) {
    this.#options = options;
    this.#peer = meet(options.provider, options.name);
    this.#takeKey();
  }

  /** Gets on with it; returns whether a trial is over. */
  step(): boolean {
    if (this.isOver) return false;
    try {
      if (this.#began === 0) return this.#begin();
      if (this.#peer.side.own.poll()) this.opened++;
      else return this.#isLate();
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      this.#began = 0;
      this.#pauseUntil = performance.now() + PAUSE_MS;
      // A wrong key ends the connection; the next call makes another.
      if (error.errno === NOT_CONNECTED) return false;
      if (error.errno !== CANCELED) throw error;
      this.refused++;
    }
    return this.#next();
  }

  #begin(): false {
    const { side, to } = this.#peer;
    if (performance.now() < this.#pauseUntil) {
      side.own.poll();
      return false;
    }
    const remote = this.#options.base + BigInt(8 * this.#options.below(1000));
    const target = { offset: DATA, bytes: 8, remote, key: this.#key };
    try {
      if (this.#writes) side.own.put(to, target, 1n, later);
      else side.own.get(to, target, 1n, later);
      this.#began = performance.now();
    } catch (error) {
      if (error !== LATER) throw error;
    }
    return false;
  }

  /** Gives up what has no answer; returns whether a trial is over with that. */
  #isLate(): boolean {
    const { provider, name } = this.#options;
    if (performance.now() < this.#began + ANSWER_MS[provider]!) return false;
    // What is not answered stands before all that follows.
    leave(this.#peer.side);
    this.#peer = meet(provider, name);
    this.#began = 0;
    return provider === "udp" ? this.#next() : false;
  }

  /** The trial is over: each key is tried to read, and then to write. */
  #next(): true {
    this.#began = 0;
    if (this.#writes) {
      this.keys++;
      this.#takeKey();
    }
    this.#writes = !this.#writes;
    return true;
  }

  #takeKey(): void {
    const next = this.#options.keys.next();
    if (next.done) this.isOver = true;
    else this.#key = next.value;
  }
}

const LATER = new Error("the provider has no room now");

function later(): never {
  throw LATER;
}
