/**
 * What a process of a job learns at its start: its rank, how many there are, and what the others
 * have to tell. Every means of start-up implements this one interface.
 *
 * **Order.** `exchange()` and `barrier()` are collective: every process calls the same ones in the
 * same order, and a call waits for the one before it. **Completion.** A call settles once every
 * process has called it. **Failure.** Every wait is bounded by `LAMELLAR_BOOTSTRAP_TIMEOUT`; a
 * launcher or a process that goes away rejects what is pending and settles `lost()`. After a call
 * failed, nothing but `abort()` and `close()` is of use.
 *
 * @module
 */

import { FeatureLevelError, HandshakeError, LamellarError } from "../../internal/errors.ts";
import type { LifeWord } from "../../internal/life_phases.ts";

/** The means by which a process learns its rank. */
export type BootstrapMeans = "pmi" | "pmix" | "rendezvous" | "alone";

/** The start-up connection of a process; used by its main thread. */
export interface Bootstrap {
  /** By what means this was learnt. */
  readonly means: BootstrapMeans;
  /** Number of this process, from 0. */
  readonly rank: number;
  /** How many processes the job has. */
  readonly size: number;
  /** Names the job; the same text in every process of it. */
  readonly job: string;
  /** Whether the launcher of this library started the process, or something else. */
  readonly agent: "lamellar" | "other";

  /**
   * Tells all processes a text. Collective.
   *
   * @param text What to tell, at most {@linkcode EXCHANGE_TEXT_BYTES_MAX} bytes in UTF-8.
   * @returns The text of each process, by rank.
   * @throws {RangeError} If the text is too long.
   * @throws {TimeoutError} If a process does not come.
   * @throws {HandshakeError} If what came does not follow the protocol.
   */
  exchange(text: string): Promise<string[]>;

  /**
   * Waits until every process has come here. Collective.
   *
   * @param limitMs How long, in milliseconds; as long as an exchange by default. With `Infinity`
   * only the loss of a process or of the launcher ends the wait.
   * @throws {TimeoutError} If a process does not come.
   */
  barrier(limitMs?: number): Promise<void>;

  /**
   * Tells the watcher of the start of the processes what this one does next, or that they now watch
   * each other. Who has said nothing for long is looked at more closely.
   *
   * @param word What it does.
   */
  enter(word: LifeWord): void;

  /**
   * Ends the whole job, as well as the launcher can. The launcher may end this process before the
   * promise settles.
   *
   * @param exitCode Exit code of the job, from 1 to 255.
   * @param message Why, in one line; shown by launchers that can.
   * @returns A promise that settles once the launcher has been told, at the latest after a second.
   * It never rejects.
   */
  abort(exitCode: number, message: string): Promise<void>;

  /**
   * Tells when the launcher, or a process that the launcher watches over, is gone.
   *
   * @returns A promise that settles when that happens, with what is known; not after `close()`.
   */
  lost(): Promise<Error>;

  /**
   * Takes leave of the job in good order. Idempotent, bounded, and it never rejects.
   *
   * @returns A promise that settles once the connection is closed.
   */
  close(): Promise<void>;
}

/** Most bytes of a text in an exchange: a greeting and addresses, not data. */
export const EXCHANGE_TEXT_BYTES_MAX = 1024 * 1024;

/** Most processes of a job; bounds what a wrong launcher can make this process allocate. */
export const PROCESSES_MAX = 65536;

/** How long `close()` and `abort()` wait for the other side, in milliseconds. */
export const LEAVE_MS = 1000;

/** How often a process moves that waits without a limit, in milliseconds. */
const ALIVE_MS = 500;

/**
 * Turns a text of an exchange into bytes.
 *
 * @param text The text.
 * @returns Its bytes in UTF-8.
 * @throws {RangeError} If it is too long.
 */
export function exchangeBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= EXCHANGE_TEXT_BYTES_MAX) return bytes;
  throw new RangeError(
    `Cannot exchange a text of ${bytes.length} bytes: at most ${EXCHANGE_TEXT_BYTES_MAX} are ` +
      "allowed",
  );
}

/**
 * Checks a rank and a size that came from outside.
 *
 * @param rank Number of a process.
 * @param size Number of processes.
 * @param source Who says so, for the error.
 * @throws {HandshakeError} If the two cannot be.
 */
export function checkRank(rank: number, size: number, source: string): void {
  const sane = Number.isInteger(rank) && Number.isInteger(size) && size >= 1 &&
    size <= PROCESSES_MAX && rank >= 0 && rank < size;
  if (sane) return;
  throw new HandshakeError(
    `Cannot join a job as rank ${rank} of ${size} according to ${source}: ` +
      `the size must be 1 to ${PROCESSES_MAX}, and the rank less than the size`,
    { op: "bootstrap" },
  );
}

/**
 * Checks that a process may be reached over the network; without it, trying would go on for long.
 *
 * @param host A name or an address.
 * @param port Where it listens.
 * @throws {FeatureLevelError} If the permission is missing; says which flag gives it.
 */
export function checkNetPermission(host: string, port: number): void {
  const at = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (Deno.permissions.querySync({ name: "net", host: at }).state === "granted") return;
  throw new FeatureLevelError(
    `Cannot use ${at}: permission for the network is missing; run with --allow-net`,
    { op: "bootstrap" },
  );
}

/**
 * The error of a launcher that is gone.
 *
 * @param what What was noticed.
 * @param cause Why, where it is known.
 * @returns The error.
 */
export function launcherLost(what: string, cause?: unknown): LamellarError {
  return new LamellarError("ERR_LAUNCHER_LOST", what, {
    op: "bootstrap",
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * Waits for a promise, but not longer than is said.
 *
 * @param promise What to wait for; nobody else needs to handle its rejection.
 * @param limitMs How long to wait, in milliseconds.
 * @param expired Makes the error once the time is over.
 * @returns What the promise gives.
 */
export async function within<T>(
  promise: Promise<T>,
  limitMs: number,
  expired: () => Error,
): Promise<T> {
  if (limitMs === Infinity) return await alive(promise);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(expired()), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
    // Whoever lost the race may still reject, which is then nobody's concern.
    promise.catch(() => {});
  }
}

/** Waits for a promise; meanwhile the process neither ends nor looks as if it were stuck. */
async function alive<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, ALIVE_MS);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}

/** Lets calls follow one another: a collective begins when the one before it is over. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Runs a task after those that came before it, whether they succeeded or not.
   *
   * @param task What to run.
   * @returns What the task gives.
   */
  take<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
