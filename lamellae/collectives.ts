/**
 * Collectives of the world over an n-way dissemination barrier: in each round a PE signals `factor`
 * partners and waits for as many, and after ⌈log(factor + 1) P⌉ rounds everyone has heard of
 * everyone (Hensgen, Finkel, Manber: Two algorithms for barrier synchronization, 1988).
 *
 * Every signal carries the kind of the collective and a hash of its arguments, so that PEs that
 * call different ones fail at once and by name instead of waiting for ever. Collectives run one
 * after the other, in the order in which they were called; each can exchange a few bytes between
 * all PEs.
 *
 * @module
 */

import { CollectiveMismatchError } from "../internal/errors.ts";
import { EXCHANGE_BYTES } from "../internal/limits.ts";
import { type Lamella, WAIT_FOR } from "./lamella.ts";
import type { Progress } from "./progress.ts";

/** Names of the collectives; the index travels with every signal. */
const KINDS = [
  "barrier",
  "build",
  "allocSharedMemRegion",
  "world close",
  "exchange",
] as const;

/** A kind of collective. */
export type CollectiveKind = typeof KINDS[number];

/** One collective under way. */
interface Operation {
  readonly kind: CollectiveKind;
  /** Kind and arguments, as the partners have to send it too. */
  readonly tag: number;
  readonly arguments: string;
  readonly own: Uint8Array | undefined;
  /** 0 until it begins. */
  sequence: number;
  round: number;
  /** Everyone's bytes once it is done. */
  result: Uint8Array[] | undefined;
  error: Error | undefined;
  settle: (() => void) | undefined;
}

/** A collective that was called. */
export interface Collective {
  /** Blocks until it is done; returns what each PE contributed. */
  block(): Uint8Array[];
  /** Settles when it is done. */
  finished(): Promise<Uint8Array[]>;
}

/** The collectives of a world, seen from one PE. */
export class Collectives {
  readonly #lamella: Lamella;
  readonly #progress: Progress;
  /** Distances to the partners of each round. */
  readonly #rounds: number[][] = [];
  readonly #factor: number;
  #sequence: number;
  #queue: Operation[] = [];

  /**
   * @param progress The engine that waits.
   * @param factor Partners in each round.
   * @param last Number of the collective before the first, the same on every PE.
   */
  constructor(progress: Progress, factor: number, last = 0) {
    this.#lamella = progress.lamella;
    this.#progress = progress;
    this.#sequence = last;
    const { numPes, slotsMax } = this.#lamella;
    this.#factor = Math.min(factor, Math.max(1, numPes - 1), slotsMax);
    while (roundsFor(numPes, this.#factor) * this.#factor > slotsMax) this.#factor--;
    for (let reach = 1; reach < numPes; reach *= this.#factor + 1) {
      const distances = [];
      for (let i = 1; i <= this.#factor && i * reach < numPes; i++) distances.push(i * reach);
      this.#rounds.push(distances);
    }
    progress.addPoller(() => this.#advanceAll());
    progress.addReason(() =>
      this.#queue.length === 0
        ? { kind: WAIT_FOR.nothing, pe: -1 }
        : { kind: WAIT_FOR.collective, pe: this.waitingFor() }
    );
    progress.onFailure((error) => this.#failAll(error));
  }

  /**
   * Calls a collective.
   *
   * @param kind Which.
   * @param args Its arguments, which have to be the same on every PE.
   * @param own Bytes this PE contributes, at most `EXCHANGE_BYTES`.
   * @returns A handle to wait for it.
   * @throws {RangeError} If `own` is too long.
   */
  call(kind: CollectiveKind, args = "", own?: Uint8Array): Collective {
    this.#progress.checkFailure();
    if (own && own.length > EXCHANGE_BYTES) {
      throw new RangeError(
        `Cannot exchange ${own.length} bytes in ${kind}: the limit is ${EXCHANGE_BYTES} bytes`,
      );
    }
    const operation: Operation = {
      kind,
      tag: KINDS.indexOf(kind) | (args === "" ? 0 : hash(args) << 8),
      arguments: args,
      own,
      sequence: 0,
      round: 0,
      result: undefined,
      error: undefined,
      settle: undefined,
    };
    this.#queue.push(operation);
    if (this.#queue.length === 1) this.#begin(operation);
    this.#progress.kick();
    return {
      block: () => this.#block(operation),
      finished: () => this.#finished(operation),
    };
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
    for (let round = 0; round < this.#rounds.length; round++) {
      this.#signalRound(round, sequence, 0, 0);
      const distances = this.#rounds[round]!;
      for (let i = 0; i < distances.length; i++) {
        const partner = this.#partner(-distances[i]!);
        this.#progress.blockForSignal(round * this.#factor + i, sequence, partner);
        if (this.#lamella.tagOf(round * this.#factor + i, sequence) !== 0) {
          throw this.#mismatch("barrier", "", round * this.#factor + i, sequence, partner);
        }
      }
    }
  }

  #begin(operation: Operation): void {
    this.#sequence = nextSequence(this.#sequence);
    operation.sequence = this.#sequence;
    const own = this.#lamella.exchange(this.#lamella.pe, operation.sequence);
    const described = new TextEncoder().encode(operation.arguments).subarray(0, EXCHANGE_BYTES);
    own.set(operation.own ?? described);
    this.#signalRound(0, operation.sequence, operation.tag, 1);
  }

  /** Signals the partners of a round, and tells them what `known` PEs contribute. */
  #signalRound(round: number, sequence: number, tag: number, known: number): void {
    const distances = this.#rounds[round];
    if (!distances) return;
    for (let i = 0; i < distances.length; i++) {
      this.#lamella.signal(
        this.#partner(distances[i]!),
        round * this.#factor + i,
        sequence,
        tag,
        known,
      );
    }
  }

  #partner(distance: number): number {
    const { pe, numPes } = this.#lamella;
    return ((pe + distance) % numPes + numPes) % numPes;
  }

  #block(operation: Operation): Uint8Array[] {
    this.#progress.block(
      () => operation.result !== undefined || operation.error !== undefined,
      operation.kind,
      { kind: WAIT_FOR.collective, pe: this.waitingFor() },
    );
    if (operation.error) throw operation.error;
    return operation.result!;
  }

  async #finished(operation: Operation): Promise<Uint8Array[]> {
    if (!operation.result && !operation.error) {
      await new Promise<void>((resolve) => {
        const others = operation.settle;
        operation.settle = () => {
          others?.();
          resolve();
        };
        this.#progress.kick();
      });
    }
    if (operation.error) throw operation.error;
    return operation.result!;
  }

  /** The PE whose signal the first collective of the queue lacks, -1 if none. */
  waitingFor(): number {
    const operation = this.#queue[0];
    if (!operation) return -1;
    const distances = this.#rounds[operation.round] ?? [];
    for (let i = 0; i < distances.length; i++) {
      const slot = operation.round * this.#factor + i;
      if (!this.#lamella.signalled(slot, operation.sequence)) return this.#partner(-distances[i]!);
    }
    return -1;
  }

  #advanceAll(): number {
    let done = 0;
    for (let operation = this.#queue[0]; operation; operation = this.#queue[0]) {
      if (!this.#advance(operation)) break;
      this.#queue.shift();
      const next = this.#queue[0];
      if (next) this.#begin(next);
      operation.settle?.();
      done++;
    }
    return done;
  }

  /** Goes as far as the signals allow; returns whether the collective is over. */
  #advance(operation: Operation): boolean {
    const { sequence, tag } = operation;
    for (; operation.round < this.#rounds.length; operation.round++) {
      const distances = this.#rounds[operation.round]!;
      for (let i = 0; i < distances.length; i++) {
        const slot = operation.round * this.#factor + i;
        if (!this.#lamella.signalled(slot, sequence)) return false;
        if (this.#lamella.tagOf(slot, sequence) === tag) continue;
        const partner = this.#partner(-distances[i]!);
        operation.error = this.#mismatch(
          operation.kind,
          operation.arguments,
          slot,
          sequence,
          partner,
        );
        return true;
      }
      const known = Math.min((this.#factor + 1) ** (operation.round + 1), this.#lamella.numPes);
      this.#signalRound(operation.round + 1, sequence, tag, known);
    }
    operation.result = [];
    for (let pe = 0; pe < this.#lamella.numPes; pe++) {
      operation.result.push(this.#lamella.exchange(pe, sequence).slice());
    }
    return true;
  }

  #mismatch(
    kind: CollectiveKind,
    args: string,
    slot: number,
    sequence: number,
    partner: number,
  ): CollectiveMismatchError {
    const { pe } = this.#lamella;
    const theirs = KINDS[this.#lamella.tagOf(slot, sequence) & 0xff] ?? "an unknown collective";
    const other = theirs === kind ? `${theirs} with other arguments` : theirs;
    const error = new CollectiveMismatchError(
      `PE ${pe} called ${kind}${args && `(${args})`} as its collective number ${sequence} where ` +
        `PE ${partner} called ${other}: all PEs have to call the same ones in the same order`,
      { pe: partner, op: kind },
    );
    this.#lamella.fail(error);
    return error;
  }

  #failAll(error: Error): void {
    for (const operation of this.#queue.splice(0)) {
      operation.error ??= error;
      operation.settle?.();
    }
  }
}

function roundsFor(numPes: number, factor: number): number {
  let rounds = 0;
  for (let reach = 1; reach < numPes; reach *= factor + 1) rounds++;
  return rounds;
}

/**
 * Sequence numbers stay positive 31-bit integers. Even and odd ones alternate even where they wrap,
 * because a partner that is one ahead writes the other set of flags.
 */
function nextSequence(sequence: number): number {
  return sequence === 0x7fffffff ? 2 : sequence + 1;
}

/** FNV-1a, 24 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  return (value ^ (value >>> 24)) & 0xffffff;
}
