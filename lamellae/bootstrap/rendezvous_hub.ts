/**
 * The middle of a rendezvous, in the process of rank 0: it lets the members in, passes their texts
 * on, and tells them when one is gone. Rank 0 is a member like the others, over the loopback.
 *
 * @module
 */

import { createServer, isIP, type Server, type Socket } from "node:net";
import { HandshakeError } from "../../internal/errors.ts";
import { LEAVE_MS, within } from "./bootstrap.ts";
import { closedHere, LineChannel } from "./line_channel.ts";
import { BEAT_MS, StartSilence } from "./start_silence.ts";
import {
  type Address,
  type Claim,
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
  strange,
  STRANGER_LINE_BYTES_MAX,
} from "./rendezvous_wire.ts";

/** How many connections beyond the size of the job may be open that have proved nothing. */
const STRANGERS_MAX = 64;

/** What rank 0 was told. */
export interface HubOptions {
  readonly address: Address;
  readonly size: number;
  readonly secret: string;
  /** How long the members may take to come, in milliseconds. */
  readonly timeoutMs: number;
}

/** What is in messages of members. */
const TEXT = { text: "string" } as const;
const ABORT = { code: "number", why: "string" } as const;

/** How long members have to read the last word, in milliseconds. */
const LAST_MS = 200;

/** Most characters of the reason for which a job ends. */
const REASON_MAX = 1000;

/** The middle of a rendezvous. */
export class RendezvousHub {
  readonly #options: HubOptions;
  readonly #job: string = crypto.randomUUID();
  readonly #server: Server;
  readonly #members = new Map<number, LineChannel>();
  /** Connections that have proved nothing, the oldest first, and from where each comes. */
  readonly #strangers = new Map<LineChannel, string>();
  readonly #silence: StartSilence;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #gone = Promise.withResolvers<void>();
  #texts = new Map<number, string>();
  #exchanges = 0;
  #complete = false;
  #failure: string | undefined;
  /** The first process that claimed a rank that has not come, and did not know the secret. */
  #doubt: string | undefined;
  #closed = false;

  private constructor(options: HubOptions) {
    this.#options = options;
    this.#silence = new StartSilence(options.size);
    this.#server = createServer((socket) => this.#admit(socket));
  }

  /**
   * Listens, and lets members in until all are there or the time is over.
   *
   * @param options Where to listen, and for which processes.
   * @returns The hub; members may come.
   * @throws {HandshakeError} If it cannot listen there.
   */
  static async listen(options: HubOptions): Promise<RendezvousHub> {
    const hub = new RendezvousHub(options);
    const { host, port } = options.address;
    try {
      await new Promise<void>((resolve, reject) => {
        hub.#server.once("error", reject);
        hub.#server.listen({ host, port }, resolve);
      });
    } catch (cause) {
      throw new HandshakeError(
        `Cannot listen at ${host}:${port} for the other processes: ${(cause as Error).message}`,
        { op: "bootstrap", cause },
      );
    }
    hub.#server.on("error", (error: Error) => hub.#fail(`rank 0 failed: ${error.message}`));
    hub.#server.unref();
    hub.#later(options.timeoutMs, () => hub.#giveUp());
    hub.#later(BEAT_MS, () => hub.#beat());
    return hub;
  }

  /** The address of this hub for a member in the same process. */
  get loopback(): Address {
    const { address, port } = this.#server.address() as { address: string; port: number };
    const everywhere: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
    return { host: everywhere[address] ?? address, port };
  }

  /** Waits a little for members that have not taken their leave, and closes. */
  async close(): Promise<void> {
    if (this.#members.size > 0) {
      await within(this.#gone.promise, LEAVE_MS, closedHere).catch(() => {});
    }
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#server.close();
    this.#dismissStrangers();
    await this.#tell({ t: "bye" });
    // Who closes while something is unread takes back what the other has not read yet.
    const left = Promise.all([...this.#members.values()].map(({ closed }) => closed));
    await within(left, LAST_MS, closedHere).catch(() => {});
    for (const channel of this.#members.values()) channel.end(closedHere());
  }

  async #admit(socket: Socket): Promise<void> {
    const peer = `a process at ${socket.remoteAddress ?? "an unknown address"}`;
    const channel = new LineChannel(socket, { peer, lineBytesMax: STRANGER_LINE_BYTES_MAX });
    if (this.#closed || this.#complete) return channel.end(closedHere());
    if (this.#strangers.size >= this.#options.size + STRANGERS_MAX) this.#dismissOne();
    this.#strangers.set(channel, socket.remoteAddress ?? "");
    // A process that says a little now and then has no more time than one that says nothing.
    const limit = this.#later(PROOF_MS, () => channel.end(closedHere()));
    try {
      const rank = await this.#examine(channel);
      this.#forget(limit);
      await this.#serve(rank, channel);
    } catch (error) {
      // A stranger may say anything: its connection is closed.
      channel.end(error as Error);
    } finally {
      this.#forget(limit);
      this.#strangers.delete(channel);
    }
  }

  /**
   * Makes room for somebody new: members prove themselves at once and try again, so an idle
   * connection has to go, and first from where most of them come.
   */
  #dismissOne(): void {
    const groups = Map.groupBy(this.#strangers.keys(), (one) => this.#strangers.get(one)!);
    const [[oldest]] = [...groups.values()].sort((a, b) => b.length - a.length) as [LineChannel[]];
    this.#strangers.delete(oldest!);
    oldest!.end(closedHere());
  }

  #dismissStrangers(): void {
    for (const channel of this.#strangers.keys()) channel.end(closedHere());
  }

  /** Checks that the peer knows the secret, and proves the same; returns its rank. */
  async #examine(channel: LineChannel): Promise<number> {
    const { secret, size } = this.#options;
    const { peer } = channel;
    const receive = () => channel.receive(PROOF_MS, "a proof");
    const hello = expectMessage(await receive(), peer, "hello", {
      protocol: "number",
      rank: "number",
      size: "number",
      nonce: "string",
    });
    const { rank } = hello;
    if (hello.protocol !== RENDEZVOUS_PROTOCOL) {
      const mine = `rank 0 speaks protocol ${RENDEZVOUS_PROTOCOL} of the rendezvous`;
      await this.#refuse(channel, `${mine}, rank ${rank} speaks ${hello.protocol}`);
    }
    const claim: Claim = {
      rank,
      size: hello.size,
      memberNonce: hello.nonce,
      hubNonce: makeNonce(),
    };
    channel.send(JSON.stringify({
      t: "challenge",
      nonce: claim.hubNonce,
      proof: prove(secret, "hub", claim),
    }));
    const answer = await receive();
    if (parseMessage(answer, peer).t !== "refuse") {
      const { proof } = expectMessage(answer, peer, "proof", { proof: "string" });
      if (sameProof(proof, prove(secret, "member", claim))) {
        return await this.#checkPlace(channel, claim, size);
      }
    }
    this.#noteDoubt(rank, peer);
    return await this.#refuse(channel, `rank ${rank} does not have the secret that rank 0 has`);
  }

  /**
   * What a process says that knows the secret: if it cannot be true, the job was started wrongly.
   */
  async #checkPlace(channel: LineChannel, claim: Claim, size: number): Promise<number> {
    const { rank } = claim;
    let why: string | undefined;
    if (claim.size !== size) {
      why = `rank ${rank} was started for ${claim.size} processes, rank 0 for ${size}`;
    } else if (rank >= size) why = `there is no rank ${rank} among ${size} processes`;
    else if (this.#members.has(rank)) why = `rank ${rank} has joined already, from elsewhere`;
    if (why === undefined) {
      this.#enter(rank, channel);
      return rank;
    }
    this.#fail(why);
    return await this.#refuse(channel, why);
  }

  async #refuse(channel: LineChannel, why: string): Promise<never> {
    await channel.send(JSON.stringify({ t: "refuse", why }));
    throw new HandshakeError(`${channel.peer} was refused: ${why}`, { op: "bootstrap" });
  }

  /**
   * The refused process may be a stranger, which must keep nobody out: the right one may come as
   * long as all others may. A wrong secret must not look like a slow host either: the user is told.
   */
  #noteDoubt(rank: number, peer: string): void {
    if (this.#doubt !== undefined || rank >= this.#options.size || this.#members.has(rank)) return;
    this.#doubt = `${peer} that says it is rank ${rank} does not have the secret that rank 0 has`;
    console.error(`lamellar: ${this.#doubt}; the job still waits for all its processes`);
  }

  /** Makes somebody a member; in the same turn as the check that the place was free. */
  #enter(rank: number, channel: LineChannel): void {
    this.#strangers.delete(channel);
    channel.setLineBytesMax(LINE_BYTES_MAX);
    this.#members.set(rank, channel);
    this.#silence.begin(rank, performance.now());
    if (this.#failure !== undefined) {
      channel.send(JSON.stringify({ t: "fail", why: this.#failure }));
    } else if (this.#members.size === this.#options.size) {
      this.#complete = true;
      // Nobody has to come any more.
      this.#server.close();
      this.#dismissStrangers();
      this.#tell({ t: "welcome", job: this.#job });
    }
  }

  async #serve(rank: number, channel: LineChannel): Promise<void> {
    const who = `rank ${rank} (${channel.peer})`;
    try {
      for (let exchange = 0;;) {
        const line = await channel.next();
        const message = parseMessage(line, who);
        if (message.t === "bye") break;
        this.#silence.hear(rank, performance.now(), message.phase);
        if (message.t === "beat") {
          // Where rank 0 is in its start, members have to know for their watch over it.
          if (rank === 0 && message.phase !== undefined) this.#tell(message);
          continue;
        }
        // A member sends its next text when it has those of all: never one ahead of the others.
        const next = exchange === this.#exchanges && message.exchange === exchange;
        if (message.t === "text" && next && hasFields(message, TEXT)) {
          exchange++;
          this.#collect(rank, message.text as string);
        } else if (message.t === "abort" && hasFields(message, ABORT)) {
          const why = String(message.why);
          this.#fail(`rank ${rank} ended the job with exit code ${message.code}: ${why}`);
        } else throw strange(line, who);
      }
      await channel.send(JSON.stringify({ t: "bye" }));
      channel.end(closedHere());
    } catch (error) {
      this.#fail(`${who} is gone: ${(error as Error).message}`);
    }
    this.#members.delete(rank);
    this.#silence.end(rank);
    if (this.#members.size === 0) this.#gone.resolve();
  }

  #collect(rank: number, text: string): void {
    const texts = this.#texts.set(rank, text);
    if (texts.size < this.#options.size) return;
    this.#texts = new Map();
    const exchange = this.#exchanges++;
    for (let from = 0; from < texts.size; from++) {
      this.#tell({ t: "text", exchange, rank: from, text: texts.get(from) });
    }
  }

  /** Gives a sign of life to the members, and looks for theirs, until all watch each other. */
  #beat(): void {
    const silent = this.#silence.look(performance.now());
    if (silent) {
      const channel = this.#members.get(silent.rank);
      this.#silence.end(silent.rank);
      this.#fail(`rank ${silent.rank} (${channel?.peer}) ${silent.why}`);
    }
    if (this.#complete && this.#silence.isOver) return;
    this.#tell({ t: "beat" });
    this.#later(BEAT_MS, () => this.#beat());
  }

  #giveUp(): void {
    if (this.#complete) return;
    const missing = Array.from({ length: this.#options.size }, (_, rank) => rank)
      .filter((rank) => !this.#members.has(rank));
    const shown = missing.slice(0, 8).join(", ") + (missing.length > 8 ? ", …" : "");
    const whole = `${missing.length} of ${this.#options.size} processes`;
    const { address: { host }, timeoutMs } = this.#options;
    // A name may mean something else here than elsewhere: Debian maps the own one to 127.0.1.1.
    const named = isIP(host) === 0 && host !== "localhost"
      ? `; ${host} means ${this.loopback.host} here; an address means the same everywhere`
      : "";
    const doubt = this.#doubt === undefined ? "" : `; ${this.#doubt}`;
    this.#fail(`${whole} did not come within ${timeoutMs / 1000} s: rank ${shown}${doubt}${named}`);
  }

  /** Tells all members, and those that still come, why the job cannot go on: the first reason. */
  #fail(why: string): void {
    if (this.#closed || this.#failure !== undefined) return;
    this.#failure = why.slice(0, REASON_MAX);
    this.#tell({ t: "fail", why: this.#failure });
  }

  async #tell(message: Message): Promise<void> {
    const line = JSON.stringify(message);
    const sent = [...this.#members.values()].map((channel) => channel.send(line));
    await within(Promise.all(sent), LEAVE_MS, closedHere).catch(() => {});
  }

  #later(ms: number, task: () => void): ReturnType<typeof setTimeout> {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      task();
    }, ms);
    this.#timers.add(timer);
    Deno.unrefTimer(timer);
    return timer;
  }

  #forget(timer: ReturnType<typeof setTimeout>): void {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }
}
