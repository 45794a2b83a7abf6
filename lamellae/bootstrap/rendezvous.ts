/**
 * Start-up by a TCP rendezvous, for hosts without a launcher: rank 0 listens, the others come, and
 * both sides prove that they know the secret.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { HandshakeError, PeFailedError, TimeoutError } from "../../internal/errors.ts";
import {
  type Bootstrap,
  checkNetPermission,
  checkRank,
  exchangeBytes,
  launcherLost,
  LEAVE_MS,
  Turns,
  within,
} from "./bootstrap.ts";
import { closedHere, LineChannel } from "./line_channel.ts";
import { RendezvousHub } from "./rendezvous_hub.ts";
import {
  type Address,
  expectMessage,
  hasFields,
  LINE_BYTES_MAX,
  makeNonce,
  parseMessage,
  PROOF_MS,
  prove,
  RENDEZVOUS_PROTOCOL,
  sameProof,
  SECRET_LENGTH_MIN,
  strange,
} from "./rendezvous_wire.ts";

/** The first pause between two attempts to reach rank 0, and the longest, in milliseconds. */
const RETRY_MS = { first: 20, longest: 500 };

/** What rank 0 has to say when the time is over is waited for so much longer, in milliseconds. */
const VERDICT_MS = 3000;

/** What a process has to know to take part in a rendezvous. */
export interface RendezvousOptions {
  /** Where rank 0 listens. */
  readonly address: Address;
  readonly rank: number;
  readonly size: number;
  /** What all processes of the job know, and nobody else. */
  readonly secret: string;
  /** How long to wait for the others, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether the launcher of this library started the process. */
  readonly agent: "lamellar" | "other";
}

/**
 * Joins a job by a rendezvous.
 *
 * @param options Where, as whom, and with which secret.
 * @returns The connection, once all processes have joined.
 * @throws {HandshakeError} If a secret is wrong, or a rank or size does not fit.
 * @throws {TimeoutError} If rank 0 cannot be reached in time.
 * @throws {RangeError} If the secret is too short.
 * @throws {FeatureLevelError} If the permission for the network is missing.
 */
export async function startRendezvous(options: RendezvousOptions): Promise<Bootstrap> {
  const { rank, size, secret } = options;
  checkRank(rank, size, "LAMELLAR_RANK and LAMELLAR_SIZE");
  if (secret.length < SECRET_LENGTH_MIN) {
    throw new RangeError(
      `The secret of a rendezvous must have at least ${SECRET_LENGTH_MIN} characters, ` +
        `got ${secret.length}`,
    );
  }
  checkNetPermission(options.address.host, options.address.port);
  const hub = rank === 0 ? await RendezvousHub.listen(options) : undefined;
  let channel: LineChannel | undefined;
  try {
    channel = await reach(hub?.loopback ?? options.address, options);
    await introduce(channel, options);
    const job = await welcome(channel, options);
    return new RendezvousBootstrap(channel, hub, options, job);
  } catch (error) {
    channel?.end(closedHere());
    await hub?.close();
    throw error;
  }
}

/** Connects to rank 0, which may not be there yet. */
async function reach(address: Address, options: RendezvousOptions): Promise<LineChannel> {
  const { host, port } = address;
  const until = performance.now() + options.timeoutMs;
  let pauseMs = RETRY_MS.first;
  for (;;) {
    const leftMs = until - performance.now();
    try {
      const socket = await open(address, leftMs);
      const peer = `rank 0 (${host}:${port})`;
      return new LineChannel(socket, { peer, lineBytesMax: LINE_BYTES_MAX });
    } catch (cause) {
      if (leftMs <= pauseMs) {
        throw new TimeoutError(
          `Cannot reach rank 0 at ${host}:${port} within ${options.timeoutMs / 1000} s: ` +
            (cause as Error).message,
          { op: "bootstrap", cause },
        );
      }
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(2 * pauseMs, RETRY_MS.longest);
  }
}

async function open(address: Address, limitMs: number): Promise<Socket> {
  const socket = connect(address);
  const connected = new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  try {
    await within(connected, limitMs, () => new TimeoutError("no answer"));
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Proves that this process knows the secret, after rank 0 has. */
async function introduce(channel: LineChannel, options: RendezvousOptions): Promise<void> {
  const { rank, size, secret } = options;
  const memberNonce = makeNonce();
  channel.send(
    JSON.stringify({ t: "hello", protocol: RENDEZVOUS_PROTOCOL, rank, size, nonce: memberNonce }),
  );
  const challenge = expectMessage(
    await channel.receive(PROOF_MS, "its challenge"),
    channel.peer,
    "challenge",
    { nonce: "string", proof: "string" },
  );
  const claim = { rank, size, memberNonce, hubNonce: challenge.nonce };
  if (!sameProof(challenge.proof, prove(secret, "hub", claim))) {
    await channel.send(JSON.stringify({ t: "refuse", why: "the secret is another one" }));
    throw new HandshakeError(
      `Cannot join as rank ${rank}: ${channel.peer} does not have the secret that this process has`,
      { op: "bootstrap" },
    );
  }
  channel.send(JSON.stringify({ t: "proof", proof: prove(secret, "member", claim) }));
}

/** Waits until all processes are there; returns the name of the job. */
async function welcome(channel: LineChannel, options: RendezvousOptions): Promise<string> {
  const line = await channel.receive(options.timeoutMs + VERDICT_MS, "the other processes");
  const message = parseMessage(line, channel.peer);
  if (message.t === "fail") {
    throw new HandshakeError(`Cannot start the job: ${message.why}`, { op: "bootstrap" });
  }
  return expectMessage(line, channel.peer, "welcome", { job: "string" }).job;
}

/** An exchange that is under way. */
interface Pending {
  readonly texts: string[];
  readonly done: PromiseWithResolvers<string[]>;
}

class RendezvousBootstrap implements Bootstrap {
  readonly means = "rendezvous";
  readonly rank: number;
  readonly size: number;
  readonly job: string;
  readonly agent: "lamellar" | "other";
  readonly #channel: LineChannel;
  readonly #hub: RendezvousHub | undefined;
  readonly #timeoutMs: number;
  readonly #turns = new Turns();
  readonly #lost = Promise.withResolvers<Error>();
  readonly #bye = Promise.withResolvers<void>();
  #exchanges = 0;
  #pending: Pending | undefined;
  #end: Error | undefined;
  #leaving = false;
  #closing: Promise<void> | undefined;

  constructor(
    channel: LineChannel,
    hub: RendezvousHub | undefined,
    options: RendezvousOptions,
    job: string,
  ) {
    this.rank = options.rank;
    this.size = options.size;
    this.job = job;
    this.agent = options.agent;
    this.#channel = channel;
    this.#hub = hub;
    this.#timeoutMs = options.timeoutMs;
    this.#listen();
  }

  exchange(text: string): Promise<string[]> {
    return this.#exchange(text, this.#timeoutMs);
  }

  #exchange(text: string, limitMs: number): Promise<string[]> {
    exchangeBytes(text);
    return this.#turns.take(() => {
      if (this.#end) return Promise.reject(this.#end);
      const exchange = this.#exchanges++;
      const pending = { texts: [], done: Promise.withResolvers<string[]>() };
      this.#pending = pending;
      this.#channel.send(JSON.stringify({ t: "text", exchange, text }));
      return within(pending.done.promise, limitMs, () => {
        const error = new TimeoutError(
          `Waited ${limitMs / 1000} s for the other processes in an exchange`,
          { op: "bootstrap" },
        );
        this.#finish(error);
        return error;
      });
    });
  }

  async barrier(limitMs = this.#timeoutMs): Promise<void> {
    await this.#exchange("", limitMs);
  }

  async abort(exitCode: number, message: string): Promise<void> {
    const code = Math.trunc(Math.abs(exitCode)) || 1;
    const sent = this.#channel.send(JSON.stringify({ t: "abort", code, why: message }));
    // Only an answer shows that it arrived: what is sent can still be lost with the process.
    const heard = sent.then(() => this.#channel.closed);
    await within(Promise.race([heard, this.#lost.promise]), LEAVE_MS, closedHere).catch(() => {});
  }

  lost(): Promise<Error> {
    return this.#lost.promise;
  }

  close(): Promise<void> {
    this.#closing ??= this.#leave();
    return this.#closing;
  }

  async #leave(): Promise<void> {
    this.#leaving = true;
    this.#finish(closedHere());
    this.#channel.send(JSON.stringify({ t: "bye" }));
    await within(this.#bye.promise, LEAVE_MS, closedHere).catch(() => {});
    this.#channel.end(closedHere());
    await this.#hub?.close();
  }

  async #listen(): Promise<void> {
    try {
      for (;;) this.#hear(await this.#channel.next());
    } catch (error) {
      const reason = error as Error;
      this.#finish(launcherLost(`${this.#channel.peer} is gone: ${reason.message}`, reason));
    }
    this.#bye.resolve();
  }

  #hear(line: string): void {
    const message = parseMessage(line, this.#channel.peer);
    if (message.t === "bye") {
      // Rank 0 has left in good order, which is no loss, but no exchange can follow.
      this.#leaving = true;
      this.#finish(closedHere());
      this.#channel.end(closedHere());
    } else if (message.t === "fail" && typeof message.why === "string") {
      this.#finish(new PeFailedError(`The job failed: ${message.why}`, { op: "bootstrap" }));
    } else if (message.t === "text" && hasFields(message, { rank: "number", text: "string" })) {
      this.#collect(line, message.exchange, message.rank as number, message.text as string);
    } else throw strange(line, this.#channel.peer);
  }

  #collect(line: string, exchange: unknown, rank: number, text: string): void {
    const pending = this.#pending;
    const expected = pending?.texts.length;
    if (exchange !== this.#exchanges - 1 || rank !== expected) {
      // After a time-out here, what still comes is no concern of anybody.
      if (this.#end) return;
      throw strange(line, this.#channel.peer);
    }
    if (pending!.texts.push(text) < this.size) return;
    this.#pending = undefined;
    pending!.done.resolve(pending!.texts);
  }

  #finish(reason: Error): void {
    if (this.#end) return;
    this.#end = reason;
    this.#pending?.done.reject(reason);
    if (!this.#leaving) this.#lost.resolve(reason);
  }
}
