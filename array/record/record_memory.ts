/**
 * Records in memory that this PE reaches, each with a lock of its own.
 *
 * @module
 */

import { LamellarError } from "../../internal/errors.ts";
import type { Lamella, Progress } from "../../lamellae/mod.ts";
import type { RecordCall, RecordResult } from "./record_am.ts";
import type { RecordType } from "./record_type.ts";

/** Looks at a lock before the time is asked for. */
const SPINS = 1000;
/** An operation does not take longer: its PE has died, or the operation does not end. */
const LOCKED_MS = 10_000;

/** Records of one type, wherever they are. */
export class RecordMemory<V> {
  readonly #type: RecordType<V>;
  readonly #lamella: Lamella;
  readonly #progress: Progress;
  readonly #kernels: ReturnType<Lamella["kernels"]["of"]>;

  /**
   * @param type The type.
   * @param progress The engine of this PE.
   */
  constructor(type: RecordType<V>, progress: Progress) {
    this.#type = type;
    this.#progress = progress;
    this.#lamella = progress.lamella;
    this.#kernels = progress.lamella.kernels.of("i32") as never;
  }

  /**
   * Does operations on records of one part.
   *
   * @param records The address of the part's records.
   * @param locks The address of their locks, of 4 bytes each.
   * @param call What is done.
   * @param what How messages call the array.
   * @returns What came of it.
   */
  perform(records: number, locks: number, call: RecordCall<V>, what: string): RecordResult<V> {
    const { gives, op, operands, expected, places } = call;
    const { views: { u8 }, views } = this.#lamella;
    const type = this.#type;
    const { bytes } = type;
    const change = op === "load" || op === "exchange" ? undefined : type.ops.get(op)!;
    const replaces = op === "store" || op === "swap" || op === "exchange";
    const before: V[] = [];
    const ok = new Uint8Array(op === "exchange" ? places.length : 0);
    const itemOf = (list: readonly V[], i: number): V => list[list.length === 1 ? 0 : i]!;
    for (let i = 0; i < places.length; i++) {
      const at = records + places[i]! * bytes;
      const lock = locks + 4 * places[i]!;
      // What is wrong with an operand is found before the record is locked.
      const written = replaces ? type.encode(itemOf(operands, i)) : undefined;
      const wanted = op === "exchange" ? type.encode(itemOf(expected, i), 1) : undefined;
      this.#lock(lock, `${op} of a record of ${what}`);
      try {
        const record = gives || !replaces ? type.decode(views, at) : undefined;
        if (gives) before.push(record!);
        if (wanted !== undefined) {
          if (!isEqual(u8, at, wanted)) continue;
          ok[i] = 1;
        }
        if (written !== undefined) u8.set(written, at);
        else if (change !== undefined) {
          // What is given away must not be what the operation may have changed.
          const own = gives ? type.decode(views, at) : record!;
          // The operand is an operation's own, too: it may be the same for all records.
          const [operand] = type.taken([itemOf(operands, i)], op);
          const [after] = type.taken([change(own, operand!)], op);
          u8.set(type.encode(after!), at);
        }
      } finally {
        this.#kernels.atomicStore(lock, 0 as never);
      }
    }
    return { before, ok };
  }

  /** Takes the lock of a record. Nothing else of this PE runs meanwhile. */
  #lock(at: number, what: string): void {
    const me = this.#lamella.pe + 1;
    for (let spins = 0, until = 0;; spins++) {
      const holder = Number(this.#kernels.cas(at, 0 as never, me as never));
      if (holder === 0) return;
      if (holder !== me && spins % SPINS !== SPINS - 1) continue;
      this.#progress.checkFailure();
      const now = performance.now();
      until ||= now + LOCKED_MS;
      if (holder !== me && now < until) continue;
      const why = holder === me
        ? "an operation on a record must not use that record of the array"
        : `PE ${holder - 1} has been at it for ${LOCKED_MS / 1000} s`;
      const pe = this.#lamella.pe;
      throw new LamellarError("ERR_RECORD_LOCKED", `Cannot ${what} on PE ${pe}: ${why}`, { pe });
    }
  }
}

function isEqual(memory: Uint8Array, at: number, bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (memory[at + i] !== bytes[i]) return false;
  return true;
}
