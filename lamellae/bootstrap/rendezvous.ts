/**
 * Start-up by a TCP rendezvous, for hosts without a launcher: rank 0 listens, the others come, and
 * both sides prove that they know the secret.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import type { LifeWord } from "../../internal/life_phases.ts";
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
import { BEAT_MS, StartSilence } from "./start_silence.ts";
import {
  type Address,
  expectMessage,
  hasFields,
  LINE_BYTES_MAX,
  makeNonce,
  type Message,
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
  /** How long to wait for the others to come, in milliseconds. */
  readonly timeoutMs: number;
  /** How long an exchange may take then, in milliseconds; as long by default. */
  readonly exchangeMs?: number;
  /** Whether the launcher of this library started the process. */
  readonly agent: "lamellar" | "other";
}

/**
 * Joins a job by a rendezvous.
 *
 * @param options Where, as which rank, and with which secret.
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
    channel = await joinHub(hub?.loopback ?? options.address, options);
    const life = new SignsOfLife(channel, options.size);
    const job = await welcome(channel, options, life);
    return new RendezvousBootstrap(channel, hub, options, { job, life });
  } catch (error) {
    channel?.end(closedHere());
    await hub?.close();
    throw error;
  }
}

/**
 * Connects to rank 0 and is let in. Rank 0 closes connections where strangers open too many: one
 * that ends before anything was proved is begun again.
 */
async function joinHub(address: Address, options: RendezvousOptions): Promise<LineChannel> {
  const until = performance.now() + options.timeoutMs;
  for (;;) {
    const channel = await reach(address, options, until);
    try {
      await introduce(channel, options);
      return channel;
    } catch (error) {
      channel.end(closedHere());
      const refused = error instanceof HandshakeError;
      if (refused || performance.now() >= until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS.first));
  }
}

/** Connects to rank 0, which may not be there yet. */
async function reach(
  address: Address,
  options: RendezvousOptions,
  until: number,
): Promise<LineChannel> {
  const { host, port } = address;
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
async function welcome(
  channel: LineChannel,
  options: RendezvousOptions,
  life: SignsOfLife,
): Promise<string> {
  const end = performance.now() + options.timeoutMs + VERDICT_MS;
  let line: string;
  let message: Message;
  do {
    line = await channel.receive(end - performance.now(), "the other processes");
    message = parseMessage(line, channel.peer);
  } while (life.hear(message));
  if (message.t === "fail") {
    throw new HandshakeError(`Cannot start the job: ${message.why}`, { op: "bootstrap" });
  }
  return expectMessage(line, channel.peer, "welcome", { job: "string" }).job;
}

/** The signs of life between a member and rank 0, until the processes watch each other. */
class SignsOfLife {
  readonly #channel: LineChannel;
  readonly #silence: StartSilence;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(channel: LineChannel, size: number) {
    this.#channel = channel;
    this.#silence = new StartSilence(size);
    this.#silence.begin(0, performance.now());
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
    Deno.unrefTimer(this.#timer);
    channel.closed.then(() => clearInterval(this.#timer));
  }

  /** Notes what came from rank 0; returns whether it was nothing but a sign of life. */
  hear(message: Message): boolean {
    this.#silence.hear(0, performance.now(), message.phase);
    return message.t === "beat";
  }

  /** Says what this process does next. */
  enter(word: LifeWord): void {
    this.#channel.send(JSON.stringify({ t: "beat", phase: word }));
    if (word === "started") clearInterval(this.#timer);
  }

  #beat(): void {
    // Rank 0 may have said its last word and closed: that is read first, for a write would fail.
    setTimeout(() => this.#channel.send(JSON.stringify({ t: "beat" })), 0);
    const silent = this.#silence.look(performance.now());
    if (silent) {
      const { peer } = this.#channel;
      this.#channel.end(new TimeoutError(`${peer} ${silent.why}`, { op: "bootstrap" }));
    }
  }
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
  readonly #exchangeMs: number;
  readonly #life: SignsOfLife;
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
    { job, life }: { readonly job: string; readonly life: SignsOfLife },
  ) {
    this.rank = options.rank;
    this.size = options.size;
    this.job = job;
    this.agent = options.agent;
    this.#channel = channel;
    this.#hub = hub;
    this.#exchangeMs = options.exchangeMs ?? options.timeoutMs;
    this.#life = life;
    this.#listen();
  }

  exchange(text: string): Promise<string[]> {
    return this.#exchange(text, this.#exchangeMs);
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

  async barrier(limitMs = this.#exchangeMs): Promise<void> {
    await this.#exchange("", limitMs);
  }

  enter(word: LifeWord): void {
    if (!this.#end) this.#life.enter(word);
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
      const silent = reason instanceof TimeoutError;
      const what = silent ? reason.message : `${this.#channel.peer} is gone: ${reason.message}`;
      this.#finish(launcherLost(what, reason));
    }
    this.#bye.resolve();
  }

  #hear(line: string): void {
    const message = parseMessage(line, this.#channel.peer);
    if (this.#life.hear(message)) return;
    if (message.t === "bye") {
      // Rank 0 has left in good order, which is not a loss, but no exchange can follow.
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
      // After a time-out here, nothing that still comes matters.
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
