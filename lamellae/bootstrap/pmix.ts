/**
 * Start-up by PMIx: OpenMPI's mpirun, PRRTE, `srun --mpi=pmix`.
 *
 * @module
 */

import { Pmix } from "../../ffi/mod.ts";
import type { Environment } from "../../internal/config.ts";
import { HandshakeError, TimeoutError } from "../../internal/errors.ts";
import {
  type Bootstrap,
  checkRank,
  exchangeBytes,
  launcherLost,
  LEAVE_MS,
  Turns,
  within,
} from "./bootstrap.ts";
import { closedHere } from "./line_channel.ts";

/** What a process has to know to speak with a PMIx server. */
export interface PmixOptions {
  /** Where `PMIX_NAMESPACE` and `PMIX_RANK` come from. */
  readonly env: Environment;
  /** How long to wait for an answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether the launcher of this library started the process. */
  readonly agent: "lamellar" | "other";
}

/**
 * Joins a job by PMIx.
 *
 * @param options The limit.
 * @returns The connection.
 * @throws {FeatureLevelError} If the library is missing, or may not be used.
 * @throws {HandshakeError} If there is no server, or it fails.
 * @throws {TimeoutError} If it does not answer.
 */
export async function startPmix(options: PmixOptions): Promise<Bootstrap> {
  const { env, timeoutMs } = options;
  const lost = Promise.withResolvers<Error>();
  const late = () => tooLate("the PMIx server", timeoutMs);
  const pmix = await within(
    Pmix.start((error) => lost.resolve(launcherLost(error.message, error))),
    timeoutMs,
    late,
  );
  const size = await within(pmix.size(), timeoutMs, late);
  checkRank(pmix.rank, size, "PMIx");
  // The environment says the same; were a structure another one, this is where it would show.
  if (pmix.namespace !== env("PMIX_NAMESPACE") || String(pmix.rank) !== env("PMIX_RANK")) {
    throw new HandshakeError(
      `PMIx says that this is rank ${pmix.rank} of ${pmix.namespace}, and the environment rank ` +
        `${env("PMIX_RANK")} of ${env("PMIX_NAMESPACE")}`,
      { op: "bootstrap" },
    );
  }
  return new PmixBootstrap(pmix, size, options, lost.promise);
}

function tooLate(whom: string, timeoutMs: number): TimeoutError {
  return new TimeoutError(`Waited ${timeoutMs / 1000} s for ${whom}`, { op: "bootstrap" });
}

class PmixBootstrap implements Bootstrap {
  readonly means = "pmix";
  readonly rank: number;
  readonly size: number;
  readonly job: string;
  readonly agent: "lamellar" | "other";
  readonly #pmix: Pmix;
  readonly #timeoutMs: number;
  readonly #turns = new Turns();
  readonly #lost = Promise.withResolvers<Error>();
  #exchanges = 0;
  #end: Error | undefined;
  #calling = false;
  #closing: Promise<void> | undefined;

  constructor(pmix: Pmix, size: number, options: PmixOptions, lost: Promise<Error>) {
    this.#pmix = pmix;
    this.rank = pmix.rank;
    this.size = size;
    this.job = pmix.namespace;
    this.agent = options.agent;
    this.#timeoutMs = options.timeoutMs;
    lost.then((error) => {
      if (this.#closing) return;
      this.#end ??= error;
      this.#lost.resolve(error);
    });
  }

  exchange(text: string): Promise<string[]> {
    const bytes = exchangeBytes(text);
    return this.#call(async () => {
      const key = `lamellar.${this.#exchanges++}`;
      await this.#pmix.put(key, bytes);
      await this.#pmix.fence(true);
      const texts: string[] = [];
      for (let rank = 0; rank < this.size; rank++) {
        const theirs = rank === this.rank ? bytes : await this.#pmix.get(rank, key);
        texts.push(new TextDecoder("utf-8", { ignoreBOM: true }).decode(theirs));
      }
      return texts;
    });
  }

  barrier(limitMs?: number): Promise<void> {
    return this.#call(() => this.#pmix.fence(false), limitMs);
  }

  enter(): void {}

  async abort(exitCode: number, message: string): Promise<void> {
    const told = this.#pmix.abort(exitCode, message);
    await within(told, LEAVE_MS, closedHere).catch(() => {});
  }

  lost(): Promise<Error> {
    return this.#lost.promise;
  }

  close(): Promise<void> {
    this.#closing ??= this.#leave();
    return this.#closing;
  }

  async #leave(): Promise<void> {
    // The library must not be asked to end while a call of it has not come back.
    const orderly = !this.#calling && this.#end === undefined;
    this.#end ??= closedHere();
    if (!orderly) return;
    await within(this.#pmix.finalize(), LEAVE_MS, closedHere).catch(() => {});
  }

  #call<T>(task: () => Promise<T>, limitMs = this.#timeoutMs): Promise<T> {
    return this.#turns.take(async () => {
      if (this.#end) throw this.#end;
      this.#calling = true;
      const late = () => tooLate("the other processes", limitMs);
      const gone = this.#lost.promise.then((error) => Promise.reject(error));
      try {
        const result = await within(Promise.race([task(), gone]), limitMs, late);
        this.#calling = false;
        return result;
      } catch (error) {
        this.#end ??= error as Error;
        throw error;
      }
    });
  }
}
