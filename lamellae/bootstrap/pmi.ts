/**
 * Start-up by PMI-1: MPICH's hydra, `srun --mpi=pmi2`, and our own launcher.
 *
 * @module
 */

import { connect, Socket } from "node:net";
import { FeatureLevelError, HandshakeError } from "../../internal/errors.ts";
import type { Environment } from "../../internal/config.ts";
import type { LifeWord } from "../../internal/life_phases.ts";
import {
  type Bootstrap,
  checkNetPermission,
  checkRank,
  exchangeBytes,
  LEAVE_MS,
  Turns,
  within,
} from "./bootstrap.ts";
import { closedHere, LineChannel } from "./line_channel.ts";
import {
  formatPmi,
  fromValues,
  parsePmi,
  type PmiFields,
  pmiNumber,
  toValues,
  VALUE_DIGITS_MAX,
  VALUE_DIGITS_MIN,
  valueCount,
} from "./pmi_wire.ts";

/** Most bytes of a line of a launcher. */
const LINE_BYTES_MAX = 16 * 1024;

/** Most characters of the reason, with its stack, that goes to our launcher with an abort. */
const REASON_MAX = 4000;

/** What a process has to know to speak PMI-1. */
export interface PmiOptions {
  /** Where `PMI_FD` and the like come from. */
  readonly env: Environment;
  /** How long to wait for an answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether the launcher of this library started the process. */
  readonly agent: "lamellar" | "other";
}

/**
 * Joins a job by PMI-1.
 *
 * @param options The environment and the limit.
 * @returns The connection.
 * @throws {FeatureLevelError} If the environment names no launcher to speak to, or the permission
 * for the network is missing where it speaks TCP.
 * @throws {HandshakeError} If the launcher does not speak PMI-1.
 * @throws {TimeoutError} If it does not answer.
 */
export async function startPmi(options: PmiOptions): Promise<Bootstrap> {
  const channel = openChannel(options.env);
  try {
    const identity = await introduce(channel, options);
    return new PmiBootstrap(channel, identity, options);
  } catch (error) {
    channel.end(closedHere());
    throw error;
  }
}

function openChannel(env: Environment): LineChannel {
  const [fd, port] = [env("PMI_FD"), env("PMI_PORT")];
  if (fd) {
    const number = /^\d{1,9}$/.test(fd) ? Number(fd) : -1;
    if (number < 0) throw unusable(`PMI_FD is ${JSON.stringify(fd)}, which is not a descriptor`);
    const peer = `the launcher (PMI_FD=${fd})`;
    try {
      const socket = new Socket({ fd: number, readable: true, writable: true });
      return new LineChannel(socket, { peer, lineBytesMax: LINE_BYTES_MAX });
    } catch (cause) {
      throw unusable(`PMI_FD is ${fd}, which cannot be opened`, cause);
    }
  }
  if (!port) throw unusable("neither PMI_FD nor PMI_PORT is set");
  const [, host, number] = /^(.+):(\d{1,5})$/.exec(port) ?? [];
  if (!host || !/^\d+$/.test(env("PMI_ID") ?? "")) {
    throw unusable(`PMI_PORT is ${JSON.stringify(port)} and PMI_ID ${env("PMI_ID") ?? "not set"}`);
  }
  checkNetPermission(host, Number(number));
  const socket = connect({ host, port: Number(number) });
  const peer = `the launcher (PMI_PORT=${port})`;
  return new LineChannel(socket, { peer, lineBytesMax: LINE_BYTES_MAX });
}

function unusable(what: string, cause?: unknown): FeatureLevelError {
  return new FeatureLevelError(
    `Cannot start by PMI: ${what}; start the program by mpiexec.hydra, srun --mpi=pmi2 or ` +
      "scripts/launch.ts",
    { op: "bootstrap", ...(cause === undefined ? {} : { cause }) },
  );
}

/** What the launcher said of this process and of the job. */
interface Identity {
  readonly rank: number;
  readonly size: number;
  readonly job: string;
  readonly digitsMax: number;
}

async function introduce(channel: LineChannel, options: PmiOptions): Promise<Identity> {
  const { env, timeoutMs } = options;
  const receive = (command: string) =>
    channel.receive(timeoutMs, `cmd=${command}`).then((line) => parsePmi(line, command));
  const ask = (command: Record<string, string | number>, answer: string) => {
    channel.send(formatPmi(command));
    return receive(answer);
  };
  let [rank, size] = [Number(env("PMI_RANK") ?? NaN), Number(env("PMI_SIZE") ?? NaN)];
  if (!env("PMI_FD")) {
    // Over TCP the launcher first has to learn which process this is, and then tells it the rest.
    await ask({ cmd: "initack", pmiid: env("PMI_ID")! }, "initack");
    size = pmiNumber(await receive("set"), "size", 1);
    rank = pmiNumber(await receive("set"), "rank", 0);
    await receive("set");
  }
  checkRank(rank, size, "the launcher");
  const version = await ask(
    { cmd: "init", pmi_version: 1, pmi_subversion: 1 },
    "response_to_init",
  );
  pmiNumber(version, "pmi_version", 1);
  const limits = await ask({ cmd: "get_maxes" }, "maxes");
  const digitsMax = pmiNumber(limits, "vallen_max", VALUE_DIGITS_MIN);
  const names = await ask({ cmd: "get_my_kvsname" }, "my_kvsname");
  const job = word(names, "kvsname");
  if (job === "") {
    throw new HandshakeError("The launcher gave no name of the job", { op: "bootstrap" });
  }
  return { rank, size, job, digitsMax: Math.min(digitsMax, VALUE_DIGITS_MAX) };
}

function word(fields: PmiFields, name: string): string {
  return fields.get(name) ?? "";
}

class PmiBootstrap implements Bootstrap {
  readonly means = "pmi";
  readonly rank: number;
  readonly size: number;
  readonly job: string;
  readonly agent: "lamellar" | "other";
  readonly #channel: LineChannel;
  readonly #timeoutMs: number;
  readonly #digitsMax: number;
  readonly #turns = new Turns();
  readonly #lost = Promise.withResolvers<Error>();
  #exchanges = 0;
  #asking = false;
  /** Settles once the agent knows what this process does. */
  #told: Promise<unknown> = Promise.resolve();
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(channel: LineChannel, identity: Identity, options: PmiOptions) {
    this.rank = identity.rank;
    this.size = identity.size;
    this.job = identity.job;
    this.agent = options.agent;
    this.#channel = channel;
    this.#timeoutMs = options.timeoutMs;
    this.#digitsMax = identity.digitsMax;
    channel.closed.then((reason) => {
      if (!this.#closing) this.#lost.resolve(reason);
    });
  }

  exchange(text: string): Promise<string[]> {
    const values = toValues(exchangeBytes(text), this.#digitsMax);
    return this.#turns.take(async () => {
      const exchange = this.#exchanges++;
      for (const [chunk, value] of values.entries()) {
        const key = keyOf(exchange, this.rank, chunk);
        await this.#ask({ cmd: "put", kvsname: this.job, key, value }, "put_result");
      }
      await this.#ask({ cmd: "barrier_in" }, "barrier_out");
      const texts: string[] = [];
      for (let rank = 0; rank < this.size; rank++) {
        texts.push(rank === this.rank ? text : await this.#fetch(exchange, rank));
      }
      return texts;
    });
  }

  barrier(limitMs?: number): Promise<void> {
    return this.#turns.take(async () => {
      await this.#ask({ cmd: "barrier_in" }, "barrier_out", limitMs);
    });
  }

  /** Only agents of our launcher ask for it. */
  enter(word: LifeWord): void {
    if (this.agent !== "lamellar") return;
    const key = "lamellar-phase";
    const told = this.#turns.take(() =>
      this.#ask({ cmd: "put", kvsname: this.job, key, value: word }, "put_result")
    );
    // The wait for an answer finds what is wrong with the connection.
    this.#told = told.catch(() => {});
  }

  async abort(exitCode: number, message: string): Promise<void> {
    // Our launcher says which process failed, and why; others know nothing of reasons.
    const reason: Readonly<Record<string, string>> = this.agent === "lamellar"
      ? { msg: encodeURIComponent(message.toWellFormed().slice(0, REASON_MAX)) }
      : {};
    const sent = this.#channel.send(formatPmi({ cmd: "abort", exitcode: exitCode, ...reason }));
    await within(sent, LEAVE_MS, closedHere).catch(() => {});
  }

  lost(): Promise<Error> {
    return this.#lost.promise;
  }

  close(): Promise<void> {
    this.#closing ??= this.#leave();
    return this.#closing;
  }

  async #leave(): Promise<void> {
    await within(this.#told, LEAVE_MS, closedHere).catch(() => {});
    // Where a call still waits for its answer, there is no good order to leave in.
    if (!this.#asking && !this.#failure) {
      this.#channel.send(formatPmi({ cmd: "finalize" }));
      try {
        await this.#channel.receive(LEAVE_MS, "finalize_ack");
      } catch {
        // The launcher is gone, or has no answer: this process leaves all the same.
      }
    }
    this.#channel.end(closedHere());
  }

  async #fetch(exchange: number, rank: number): Promise<string> {
    const values: string[] = [];
    let count = 1;
    for (let chunk = 0; chunk < count; chunk++) {
      const key = keyOf(exchange, rank, chunk);
      const got = await this.#ask({ cmd: "get", kvsname: this.job, key }, "get_result");
      values.push(word(got, "value"));
      if (chunk === 0) count = valueCount(values[0]!, this.#digitsMax);
    }
    return fromValues(values);
  }

  async #ask(
    command: Record<string, string | number>,
    answer: string,
    limitMs = this.#timeoutMs,
  ): Promise<PmiFields> {
    if (this.#closing) throw closedHere();
    if (this.#failure) throw this.#failure;
    this.#asking = true;
    try {
      this.#channel.send(formatPmi(command));
      const line = await this.#channel.receive(limitMs, `cmd=${answer}`);
      return parsePmi(line, answer);
    } catch (error) {
      // The connection stays for an abort, but what comes over it answers nothing any more.
      this.#failure = error as Error;
      throw error;
    } finally {
      this.#asking = false;
    }
  }
}

function keyOf(exchange: number, rank: number, chunk: number): string {
  return `lamellar-${exchange}-${rank}-${chunk}`;
}
