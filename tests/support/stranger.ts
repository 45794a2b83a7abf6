/**
 * A stranger: a process that knows where a process of a job can be reached, and no more. It tries
 * to read and write memory under keys that it guesses, sends messages of all kinds, talks nonsense
 * and holds connections. Prints what it has seen as JSON.
 *
 *     deno run -A stranger.ts PROVIDER ADDRESS PORT SEED [KEYS]
 *
 * With KEYS it tries all keys below that, however long it takes, else a sample.
 *
 * @module
 */

import { createSocket } from "node:dgram";
import { DATA } from "./fabric_side.ts";
import { meet, type Peer, type Trials, tryKeys } from "./key_trials.ts";

/** What a stranger has seen. */
export interface Loot extends Trials {
  /** How many messages it has sent. */
  readonly messages: number;
  /** How many connections it has held. */
  readonly held: number;
}

/** Guessed keys are below this. */
const KEYS = 2 ** 16;
/** How many keys of a sample are tried in order; the others at random. */
const FIRST_KEYS = 256;
/** How long a sample is tried, in milliseconds. */
const KEYS_MS = 12_000;
/**
 * How many keys of a sample are tried over udp. Each trial is another peer to udp;ofi_rxd, which
 * hears no new ones after some 600: SECURITY.md tells what comes of that.
 */
const UDP_KEYS = 100;
const KEYS_AT_A_TIME = 16;
const MESSAGE_MS = 3000;
const HELD = 200;
/** Of all messages of this library up to now, and of none. */
const MAGICS = [0x4c4d1000, 0x4c4d2000, 0];
/** Names that launchers give to jobs. */
const JOBS = ["", "lamellar", "1.0", "42.0", "kvs_1_0", "singinit_kvs", "job", "prterun-1@1"];

const nothing = (): void => {};

/** The name of an endpoint that is at an IPv4 address: a `struct sockaddr_in`. */
function nameAt(host: string, port: number): Uint8Array {
  const name = new Uint8Array(16);
  const view = new DataView(name.buffer);
  view.setUint16(0, 2, true);
  view.setUint16(2, port);
  name.set(host.split(".").map(Number), 4);
  return name;
}

/** Random numbers that the seed repeats. */
class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor(this.#state / 2 ** 32 * limit);
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }
}

class Stranger {
  readonly #provider: string;
  readonly #host: string;
  readonly #port: number;
  readonly #chance: Chance;

  constructor(provider: string, host: string, port: number, seed: number) {
    this.#provider = provider;
    this.#host = host;
    this.#port = port;
    this.#chance = new Chance(seed);
  }

  get #name(): Uint8Array {
    return nameAt(this.#host, this.#port);
  }

  /** Tries so many keys from 0 up, or a sample of them for a while. */
  async tryKeys(count: number | undefined): Promise<Trials> {
    return await tryKeys({
      provider: this.#provider,
      name: this.#name,
      keys: count === undefined ? this.#sample() : from0(count),
      // Where the provider lets the application choose, all is named from 0 on.
      base: 0n,
      atATime: KEYS_AT_A_TIME,
      forMs: count === undefined ? KEYS_MS : undefined,
      below: (limit) => this.#chance.below(limit),
    });
  }

  *#sample(): Generator<bigint> {
    if (this.#provider === "udp") return yield* from0(UDP_KEYS);
    yield* from0(FIRST_KEYS);
    for (;;) yield BigInt(this.#chance.below(KEYS));
  }

  /** Messages that could be taken for those of the job, and others. */
  *#messages(): Generator<Uint8Array> {
    for (const job of JOBS) {
      for (const magic of MAGICS) {
        // The failure of PE 0 with exit code 7, in the old header and in the new one.
        yield headOf([magic | 9, fnv(job), 0, 0, 0, 7, 0, 0]);
        yield headOf([fnv(job), 0, magic | 9, 0, 0, 7, 0, 0]);
      }
    }
    yield headOf(Array(8).fill(-1));
    for (const length of [0, 1, 31, 32, 33, 4096, 65_600, 65_601, 900_000]) {
      yield this.#chance.bytes(length);
    }
  }

  sendMessages(): number {
    let peer = meet(this.#provider, this.#name);
    let sent = 0;
    for (const bytes of this.#messages()) {
      if (this.#send(peer, bytes)) sent++;
      // Some providers end the connection for a message that is too long.
      else peer = meet(this.#provider, this.#name);
    }
    // A long one is left half way.
    const { side, to } = meet(this.#provider, this.#name);
    side.own.send(to, DATA, 900_000, 1n, nothing);
    return sent;
  }

  #send({ side, to }: Peer, bytes: Uint8Array): boolean {
    side.own.bytes.set(bytes, DATA);
    try {
      side.own.send(to, DATA, bytes.length, 1n, nothing);
      const end = performance.now() + MESSAGE_MS;
      while (performance.now() < end) if (side.own.poll()) return true;
    } catch {
      // See above.
    }
    return false;
  }

  async talkNonsense(): Promise<void> {
    const { length } = JOBS;
    const texts = ["", "\0", "GET / HTTP/1.0\r\n\r\n", "x".repeat(100_000)].map((text) =>
      new TextEncoder().encode(text)
    );
    const random = Array.from({ length }, (_, i) => this.#chance.bytes(4 ** i));
    for (const bytes of [...texts, ...random]) {
      using connection = await this.#connect();
      await connection.write(bytes).catch(nothing);
    }
  }

  #connect(): Promise<Deno.TcpConn> {
    return Deno.connect({ hostname: this.#host, port: this.#port });
  }

  async hold(): Promise<Deno.TcpConn[]> {
    return await Promise.all(Array.from({ length: HELD }, () => this.#connect()));
  }

  /** All that udp;ofi_rxd itself survives: any other packet can be forged so that it does not. */
  async sendEmptyDatagram(): Promise<void> {
    const socket = createSocket("udp4");
    await new Promise<void>((sent) => {
      socket.send(new Uint8Array(), this.#port, this.#host, () => sent());
    });
    socket.close();
  }
}

/** The first keys, in order. */
function* from0(count: number): Generator<bigint> {
  for (let key = 0; key < count; key++) yield BigInt(key);
}

function headOf(words: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(words).buffer);
}

/** FNV-1a, which made the token of a job out of its name once. */
function fnv(text: string): number {
  let value = 0x811c9dc5 | 0;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value;
}

if (import.meta.main) {
  const [provider = "", host = "", port, seed, count] = Deno.args;
  const stranger = new Stranger(provider, host, Number(port), Number(seed));
  const connects = provider !== "udp";
  const held = connects ? await stranger.hold() : [];
  if (connects) await stranger.talkNonsense();
  else await stranger.sendEmptyDatagram();
  const keys = await stranger.tryKeys(count === undefined ? undefined : Number(count));
  const messages = stranger.sendMessages();
  if (connects) await stranger.talkNonsense();
  const loot: Loot = { ...keys, messages, held: held.length };
  console.log(JSON.stringify(loot));
  // With the message under way, and all connections open.
  Deno.exit(0);
}
