/**
 * Watches over a process while no other does: in its start, until they watch each other, and at its
 * end, from their last meeting on. It knows what the process does by the words that it says over
 * its PMI connection, and that it lives by whatever it says there, or by what the kernel says.
 *
 * @module
 */

import {
  isLifePhase,
  LIFE_PHASES,
  LIFE_SILENCE_MS,
  type LifePhase,
} from "../../internal/life_phases.ts";
import { parsePmiLine } from "./pmi_server.ts";
import { type VitalSign, VitalSigns } from "./vital_signs.ts";

/** The key under which a process says what it does; it is for its agent alone. */
const PHASE_KEY = "lamellar-phase";
/** A look that comes so late means that the watcher has stood still as well. */
const STANDSTILL_MS = 1500;

/** A process that gives no sign of life. */
export interface Stillness {
  /** What it did last. */
  readonly phase: LifePhase;
  /** Whether a signal or a debugger has stopped it. */
  readonly stopped: boolean;
}

/** Watches over one process. */
export class LifeWatch {
  readonly #signs: { look(): VitalSign | undefined };
  #phase: LifePhase | undefined;
  /** Whether nothing is to be watched: others do, or it has been told that this one is still. */
  #rests = false;
  #isStill = false;
  /** Whether it waits for others in a barrier, where nothing is expected of it. */
  #waits = false;
  #lookedAt: number | undefined;
  #stillMs = 0;

  /**
   * @param pid The process.
   * @param ours Whether it will say what it does; else it is watched once it does.
   * @param signs Its signs of life.
   */
  constructor(
    pid: number,
    ours: boolean,
    signs: { look(): VitalSign | undefined } = new VitalSigns(pid),
  ) {
    this.#signs = signs;
    if (ours) this.#phase = "loading";
  }

  /**
   * Notes what the process said.
   *
   * @param line Its line.
   * @returns The answer, if it was for the watch.
   */
  heard(line: string): string | undefined {
    this.#stillMs = 0;
    if (line === "cmd=barrier_in") this.#meet();
    if (this.#phase === "loading") this.#phase = "joining";
    if (!line.includes(`key=${PHASE_KEY} `)) return undefined;
    const word = parsePmiLine(line)?.get("value") ?? "";
    if (word === "started") this.#rests = true;
    else if (isLifePhase(word)) this.#phase = word;
    return "cmd=put_result rc=0 msg=success";
  }

  #meet(): void {
    this.#waits = true;
    if (!this.#rests) return;
    // The one meeting after the start is that at the end.
    this.#rests = false;
    this.#phase = "ending";
  }

  /**
   * Notes what the process was told.
   *
   * @param line The line.
   */
  told(line: string): void {
    if (!line.startsWith("cmd=barrier_out")) return;
    this.#waits = false;
    this.#stillMs = 0;
  }

  /** Begins anew: the process was stopped on purpose. */
  forgive(): void {
    this.#lookedAt = undefined;
  }

  /**
   * Looks whether it lives.
   *
   * @param now The time, in milliseconds.
   * @returns What it did last, once it has given no sign of life for too long; told once.
   */
  look(now: number): Stillness | undefined {
    if (this.#rests || this.#isStill || this.#phase === undefined) return undefined;
    const sign = this.#signs.look();
    const sinceMs = now - (this.#lookedAt ?? -Infinity);
    this.#lookedAt = now;
    if (!sign) return undefined;
    const moved = sign.moved || (this.#waits && !sign.stopped);
    this.#stillMs = moved || sinceMs > STANDSTILL_MS ? 0 : this.#stillMs + sinceMs;
    if (this.#stillMs < LIFE_SILENCE_MS) return undefined;
    this.#isStill = true;
    return { phase: this.#phase, stopped: sign.stopped };
  }
}

/**
 * @param stillness What a process did last.
 * @returns The same for the user, to follow the name of the process.
 */
export function describeStillness({ phase, stopped }: Stillness): string {
  const state = stopped ? "; it is stopped" : "";
  return `gave no sign of life for ${LIFE_SILENCE_MS / 1000} s while it ${
    LIFE_PHASES[phase]
  }${state}`;
}
