/**
 * The watchdog: sees when nothing moves any more and tells which PE waits for which.
 *
 * @module
 */

import { atomicLoad } from "../../internal/atomics.ts";
import type { Config } from "../../internal/config.ts";
import type { MemoryViews } from "../../internal/memory_views.ts";
import { ACTIVITY, WAIT_FOR, WAIT_KINDS, waitsForPrograms } from "../lamella.ts";
import { BLOCK, blockOf, type Layout, NOTE_BYTES } from "../local/layout.ts";
import { LIVE, PE_STATE, REST, STATUS } from "../local/pe_status.ts";
import { Questions, restsIn } from "./liveness.ts";

/** How long nothing moves before a PE that can never finish ends the job, in milliseconds. */
const STILL_MS = 200;

/** How long nothing moves before the job is ended, in milliseconds, where the user set no limit. */
const DEADLOCK_MS = 600_000;
/** How long it holds that nothing keeps a PE alive that does not move, in milliseconds. */
const ANSWER_HOLDS_MS = 5000;

/** Stands in the verdict of the watchdog, by which other processes know it. */
export const DEADLOCK_MARK = "(LAMELLAR_DEADLOCK_TIMEOUT)";

/** Watches what all PEs do. */
export class Watchdog {
  readonly #layout: Layout;
  readonly #views: MemoryViews;
  readonly #config: Config;
  readonly #everywhere: (stalledMs: number) => number;
  #seen = "";
  #since = performance.now();
  #reported = false;
  #lostSeen = "";
  #lostSince = 0;
  #movement = "";
  #movedAt = performance.now();
  readonly #questions: Questions;
  /** Up to which limit all PEs at rest have answered that nothing keeps them alive. */
  #answeredMs = 0;
  /** Whether something kept one of them alive when they were asked last. */
  #alive = false;
  #culprits: string | undefined;

  /**
   * @param layout Where everything is.
   * @param views The memory.
   * @param config How long is too long.
   * @param everywhere Tells other processes how long nothing moved in this one, in milliseconds,
   * and returns how long nothing moved in any.
   */
  constructor(
    layout: Layout,
    views: MemoryViews,
    config: Config,
    everywhere: (stalledMs: number) => number = (stalledMs) => stalledMs,
  ) {
    this.#everywhere = everywhere;
    this.#layout = layout;
    this.#views = views;
    this.#config = config;
    this.#questions = new Questions(layout, views);
  }

  /**
   * Looks once; prints a report when nothing moved for the warning time.
   *
   * @param states The state of each PE.
   * @param now The time, in milliseconds.
   * @returns Why the job has to end, or undefined.
   */
  look(states: readonly number[], now: number = performance.now()): string | undefined {
    // Where nobody waits, somebody computes or is at its own I/O: the time runs from the first that
    // waits, and anew whenever one works or waits for something else.
    const waits = this.#waits(states);
    const movement = this.#movementOf(states);
    if (movement !== this.#movement) this.#move(now);
    else this.#culprits = this.#describeCulprits(states);
    this.#movement = movement;
    const stillMs = this.#askedStillMs(states, now);
    const everywhere = this.#everywhere(this.#shared(states, stillMs));
    const seen = waits || this.#allIdle(states) ? movement : "";
    if (seen === "" || seen !== this.#seen) {
      this.#seen = seen;
      this.#since = now;
      this.#reported = false;
      return undefined;
    }
    return this.#judge(states, waits, Math.min(now - this.#since, everywhere));
  }

  #move(now: number): void {
    this.#movedAt = now;
    this.#seen = "";
    this.#answeredMs = 0;
    this.#questions.takeBack();
  }

  /**
   * How long nothing has moved in this process, in milliseconds. Before that reaches a limit, PEs
   * at rest are asked what keeps them alive: if something does, a server is idle, and that counts
   * as moving. Until they have answered the time stands still, halfway to the limit.
   */
  #askedStillMs(states: readonly number[], now: number): number {
    const stillMs = now - this.#movedAt;
    const { deadlockWarningMs, deadlockMs = DEADLOCK_MS } = this.#config;
    const limits = [deadlockWarningMs, deadlockMs].filter((ms) => ms > this.#answeredMs);
    const half = Math.min(...limits) / 2;
    if (stillMs < half) return stillMs;
    const resting = [...states.keys()].filter((index) => this.#rests(index, states[index]!));
    const answer = this.#questions.ask(resting, now);
    if (answer === LIVE.asked) return half;
    if (answer === LIVE.yes || this.#alive) {
      // When it was over is not known: the time runs from now.
      this.#alive = answer === LIVE.yes;
      this.#move(now);
      return 0;
    }
    this.#answeredMs = Math.max(2 * half, stillMs + ANSWER_HOLDS_MS);
    return stillMs;
  }

  /** Reports that nothing moved for so long, or tells why the job has to end. */
  #judge(states: readonly number[], waits: boolean, stalledMs: number): string | undefined {
    const { deadlockWarningMs, deadlockMs = DEADLOCK_MS } = this.#config;
    if (deadlockWarningMs > 0 && stalledMs >= deadlockWarningMs && !this.#reported) {
      this.#reported = true;
      console.error(
        `lamellar: nothing moved for ${seconds(deadlockWarningMs)} s: ${this.#describeAll(states)}`,
      );
    } else if (waits && deadlockMs > 0 && stalledMs >= deadlockMs && !this.#isSpared(states)) {
      return `the job is stuck, nothing moved for ${seconds(deadlockMs)} s ` +
        `${DEADLOCK_MARK}: ${this.#describeAll(states)}`;
    }
    return undefined;
  }

  /** Whether a PE is at work that may take as long as it likes, since the user set no limit. */
  #isSpared(states: readonly number[]): boolean {
    return this.#config.deadlockMs === undefined &&
      states.some((state, index) => this.#computes(index, state));
  }

  /** A PE that does not answer what keeps it alive is kept from that by its program. */
  #computes(index: number, state: number): boolean {
    if (state === PE_STATE.finished) return false;
    if (this.#rests(index, state)) return this.#questions.answerOf(index) !== LIVE.no;
    return this.#status(index, STATUS.activity) !== ACTIVITY.blocked;
  }

  #rests(index: number, state: number): boolean {
    if (state === PE_STATE.finished) return false;
    return restsIn(this.#status(index, STATUS.activity));
  }

  /** What other processes are told: that a PE computes they report, but it ends nothing. */
  #shared(states: readonly number[], stillMs: number): number {
    return this.#isSpared(states) ? Math.min(stillMs, DEADLOCK_MS / 2) : stillMs;
  }

  /** Whether some PE can never finish and no other moves. */
  get suspects(): boolean {
    return this.#lostSeen !== "";
  }

  /**
   * Looks whether some PE can never finish, and no other has anything left to do but wait.
   *
   * @param states The state of each PE.
   * @returns Why the job has to end, or undefined.
   */
  lookForLost(states: readonly number[]): string | undefined {
    const now = performance.now();
    const lost = states.some((_, pe) => this.#status(pe, STATUS.rest) === REST.lost);
    const still = lost && states.every((state, pe) => this.#isStill(pe, state));
    const seen = still ? this.#movementOf(states) : "";
    if (seen === "" || seen !== this.#lostSeen) {
      this.#lostSeen = seen;
      this.#lostSince = now;
      return undefined;
    }
    return now - this.#lostSince < STILL_MS ? undefined : this.#describeLost(states);
  }

  #isStill(index: number, state: number): boolean {
    if (state === PE_STATE.finished) return true;
    const activity = this.#status(index, STATUS.activity);
    if (activity === ACTIVITY.blocked) {
      return waitsForPrograms(this.#status(index, STATUS.waitKind));
    }
    return this.#rests(index, state) && this.#status(index, STATUS.rest) !== REST.none;
  }

  #describeLost(states: readonly number[]): string {
    const pes = [...states.keys()];
    const lost = pes.filter((pe) => this.#status(pe, STATUS.rest) === REST.lost);
    const others = pes.filter((pe) => !lost.includes(pe));
    const what = lost.length === 1
      ? "finishes: its program awaits"
      : "finish: their programs await";
    const text = `PE ${ranges(lost)} never ${what} a promise that nothing can settle any more`;
    return others.length > 0 ? `${text}; ${this.#describeAll(states, others)}` : text;
  }

  #waits(states: readonly number[]): boolean {
    return states.some((_, i) => this.#status(i, STATUS.waitKind) !== WAIT_FOR.nothing);
  }

  #allIdle(states: readonly number[]): boolean {
    return states.every((state, i) =>
      state === PE_STATE.finished || this.#status(i, STATUS.activity) === ACTIVITY.idle
    );
  }

  #movementOf(states: readonly number[]): string {
    const words = [STATUS.progress, STATUS.waitKind, STATUS.waitPe];
    return states.map((state, i) =>
      `${state} ${words.map((word) => this.#status(i, word)).join(" ")}`
    ).join();
  }

  /** A word of the status of a PE, by its place among those of this process. */
  #status(index: number, word: number): number {
    const block = blockOf(this.#layout, this.#layout.firstPe + index);
    return atomicLoad(this.#views.i32, (block + BLOCK.status) / 4 + word);
  }

  /** What PEs do that waited for no other at the last look, which others may wait for. */
  get culprits(): string | undefined {
    return this.#culprits;
  }

  #describeCulprits(states: readonly number[]): string | undefined {
    const indices = [...states.keys()].filter((index) =>
      states[index] !== PE_STATE.finished &&
      this.#status(index, STATUS.waitKind) === WAIT_FOR.nothing
    );
    return indices.length > 0 ? this.#describeAll(states, indices) : undefined;
  }

  /** PEs that do the same are named together. */
  #describeAll(states: readonly number[], which: Iterable<number> = states.keys()): string {
    const groups = Map.groupBy(which, (index) => this.#describe(index, states[index]!));
    const { firstPe } = this.#layout;
    return [...groups].map(([what, indices]) =>
      `PE ${ranges(indices.map((index) => firstPe + index))}: ${what}`
    ).join("; ");
  }

  #describe(index: number, state: number): string {
    if (state === PE_STATE.starting) return "starting";
    if (state === PE_STATE.finished) return "finished";
    const activity = this.#status(index, STATUS.activity);
    if (activity === ACTIVITY.running) return "running without calling the runtime";
    const kind = this.#status(index, STATUS.waitKind);
    if (kind === WAIT_FOR.nothing && activity === ACTIVITY.serving) {
      return "at the end of its program, with a timer or an operation under way";
    }
    const [what, underWay] = this.#note(index, kind);
    const beside = underWay ? `, with ${underWay} under way` : "";
    if (kind === WAIT_FOR.nothing) {
      if (this.#layout.clients > 0) {
        return `idle, or awaiting something that is not the runtime's in a handler${beside}`;
      }
      const where = underWay ? "in its program" : "in its program or in a handler";
      return `awaiting something that is not the runtime's, ${where}${beside}`;
    }
    const other = this.#status(index, STATUS.waitPe);
    // The network knows processes only.
    const others = Array.from(
      { length: kind === WAIT_FOR.network ? this.#layout.nearPes : 1 },
      (_, i) => other + i,
    );
    const isOther = other >= 0 && other !== this.#layout.firstPe + index;
    const whom = isOther ? ` (PE ${ranges(others)})` : "";
    const program = activity === ACTIVITY.serving ? "at the end of its program, " : "";
    return `${program}waiting for ${what || (WAIT_KINDS[kind] ?? "something")}${whom}${beside}`;
  }

  /** What a PE says of its wait itself, if it did: what for, and what else is under way there. */
  #note(index: number, kind: number): string[] {
    if (this.#status(index, STATUS.noteKind) !== kind) return [];
    const at = blockOf(this.#layout, this.#layout.firstPe + index) + BLOCK.note;
    const bytes = Math.min(this.#status(index, STATUS.noteBytes), NOTE_BYTES);
    return new TextDecoder().decode(this.#views.u8.slice(at, at + bytes)).split("\n");
  }
}

/** Writes ascending numbers as `0-3, 5`. */
function ranges(numbers: readonly number[]): string {
  const texts: string[] = [];
  for (let at = 0; at < numbers.length; at++) {
    const first = numbers[at]!;
    while (numbers[at + 1] === numbers[at]! + 1) at++;
    const last = numbers[at]!;
    texts.push(first === last ? `${first}` : `${first}-${last}`);
  }
  return texts.join(", ");
}

function seconds(ms: number): string {
  return String(Math.round(ms / 100) / 10);
}
