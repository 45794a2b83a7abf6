import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect, createServer, type Socket } from "node:net";
import {
  ClosedError,
  HandshakeError,
  LamellarError,
  PeFailedError,
  TimeoutError,
} from "../../internal/errors.ts";
import type { Bootstrap } from "./bootstrap.ts";
import { lossOf } from "./fake_launcher_test.ts";
import { Nonsense } from "./random_test.ts";
import { type RendezvousOptions, startRendezvous } from "./rendezvous.ts";
import { makeNonce, prove, RENDEZVOUS_PROTOCOL } from "./rendezvous_wire.ts";

const SECRET = "a secret of the tests";

/** Finds a port that nobody has, below those that connections get by themselves. */
function freePort(hostname = "127.0.0.1"): number {
  for (;;) {
    const port = 10_000 + crypto.getRandomValues(new Uint16Array(1))[0]! % 20_000;
    try {
      Deno.listen({ hostname, port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

function options(port: number, rank: number, size: number): RendezvousOptions {
  const address = { host: "127.0.0.1", port };
  return { address, rank, size, secret: SECRET, timeoutMs: 5000, agent: "other" };
}

function joinAll(size: number, port = freePort()): Promise<Bootstrap[]> {
  const ranks = Array.from({ length: size }, (_, rank) => rank);
  return Promise.all(ranks.map((rank) => startRendezvous(options(port, rank, size))));
}

function closeAll(all: readonly Bootstrap[]): Promise<void[]> {
  return Promise.all(all.map((one) => one.close()));
}

Deno.test("rendezvous: exchange() gives each process the texts of all", async () => {
  const all = await joinAll(4);
  assertEquals(all.map(({ rank, size, means }) => [rank, size, means].join()), [
    "0,4,rendezvous",
    "1,4,rendezvous",
    "2,4,rendezvous",
    "3,4,rendezvous",
  ]);
  assertEquals(new Set(all.map(({ job }) => job)).size, 1);
  const texts = ["", "line\nü\0\ud800".toWellFormed(), "\u0001".repeat(1024 * 1024), "x"];
  for (let round = 0; round < 3; round++) {
    const got = await Promise.all(all.map((one) => one.exchange(texts[one.rank]!)));
    for (const each of got) {
      assertEquals(each.map((text, at) => text === texts[at]), Array(4).fill(true));
    }
    await Promise.all(all.map((one) => one.barrier()));
  }
  await closeAll(all);
});

Deno.test("rendezvous: the others may come before rank 0", async () => {
  const port = freePort();
  const early = startRendezvous(options(port, 1, 2));
  // It has been refused at least once when the port is still free a while later.
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }));
  const all = await Promise.all([startRendezvous(options(port, 0, 2)), early]);
  await closeAll(all);
});

for (const host of ["::1", "localhost"]) {
  Deno.test(`rendezvous: it can be at ${host}`, async () => {
    const address = { host, port: freePort(host) };
    const all = await Promise.all(
      [0, 1].map((rank) => startRendezvous({ ...options(0, rank, 2), address })),
    );
    assertEquals(await Promise.all(all.map((one) => one.exchange(`${one.rank}`))), [
      ["0", "1"],
      ["0", "1"],
    ]);
    await closeAll(all);
  });
}

Deno.test("rendezvous: a wrong secret is refused on both sides", async () => {
  const port = freePort();
  const zero = assertRejects(
    () => startRendezvous({ ...options(port, 0, 2), timeoutMs: 500 }),
    HandshakeError,
    "Cannot start the job: 1 of 2 processes did not come within 0.5 s: rank 1; a process at " +
      "127.0.0.1 that says it is rank 1 does not have the secret that rank 0 has",
  );
  await assertRejects(
    () => startRendezvous({ ...options(port, 1, 2), secret: "another secret of the tests" }),
    HandshakeError,
    `Cannot join as rank 1: rank 0 (127.0.0.1:${port}) does not have the secret that this ` +
      "process has",
  );
  await zero;
});

Deno.test("rendezvous: who was refused does no harm if the right one comes", async () => {
  const port = freePort();
  const zero = startRendezvous(options(port, 0, 2));
  const wrong = { ...options(port, 1, 2), secret: "another secret of the tests" };
  await assertRejects(() => startRendezvous(wrong), HandshakeError);
  // However late that is.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  const all = await Promise.all([zero, startRendezvous(options(port, 1, 2))]);
  await closeAll(all);
});

Deno.test("rendezvous: connections that say nothing keep nobody out", async () => {
  const port = freePort();
  const zero = startRendezvous(options(port, 0, 8));
  const idle = [await connectTo(port)];
  while (idle.length < 300) idle.push(await connectTo(port));
  const rest = Array.from({ length: 7 }, (_, i) => startRendezvous(options(port, i + 1, 8)));
  const all = await Promise.all([zero, ...rest]);
  // Once all are there, nobody is waited for.
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }));
  assertEquals(
    await Promise.all(all.map((one) => one.exchange(""))),
    Array(8).fill(Array(8).fill("")),
  );
  await closeAll(all);
  for (const socket of idle) socket.destroy();
});

Deno.test("rendezvous: a name makes rank 0 listen at what it means, and nowhere else", async () => {
  const port = freePort();
  // To the system this is a name, which means 127.0.0.1 everywhere.
  const address = { host: "127.1", port };
  const zero = startRendezvous({ ...options(port, 0, 2), address });
  (await connectTo(port)).destroy();
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.2", port }));
  const all = await Promise.all([zero, startRendezvous({ ...options(port, 1, 2), address })]);
  await closeAll(all);
  await assertRejects(
    () => startRendezvous({ ...options(port, 0, 2), address, timeoutMs: 200 }),
    HandshakeError,
    "rank 1; 127.1 means 127.0.0.1 here; an address means the same everywhere",
  );
});

/** Says lines to rank 0 without knowing the secret, and gives what comes back. */
async function say(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port });
  let text = "";
  socket.on("data", (chunk: Uint8Array) => text += new TextDecoder().decode(chunk));
  await new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
    socket.on("error", () => resolve());
    for (const line of lines) socket.write(`${line}\n`);
  });
  return text;
}

const HELLO = { t: "hello", protocol: RENDEZVOUS_PROTOCOL, rank: 1, size: 2, nonce: "00" };

Deno.test("rendezvous: a proof of rank 0 cannot be sent back to it", async () => {
  const port = freePort();
  const zero = assertRejects(
    () => startRendezvous({ ...options(port, 0, 2), timeoutMs: 1000 }),
    HandshakeError,
  );
  const socket = await connectTo(port);
  const answer = await new Promise<string>((resolve) => {
    socket.on("data", (chunk: Uint8Array) => {
      const message = JSON.parse(new TextDecoder().decode(chunk).split("\n")[0]!);
      if (message.t !== "challenge") return resolve(message.why);
      socket.write(`${JSON.stringify({ t: "proof", proof: message.proof })}\n`);
    });
    socket.write(`${JSON.stringify(HELLO)}\n`);
  });
  assertEquals(answer, "rank 1 does not have the secret that rank 0 has");
  socket.destroy();
  await zero;
});

/** Connects as soon as somebody listens. */
async function connectTo(port: number): Promise<ReturnType<typeof connect>> {
  for (;;) {
    const socket = connect({ host: "127.0.0.1", port });
    const open = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    if (open) return socket;
  }
}

Deno.test("rendezvous: strangers who talk nonsense are let go, and the job starts", async () => {
  const port = freePort();
  const zero = startRendezvous(options(port, 0, 2));
  (await connectTo(port)).destroy();
  const nonsense = new Nonsense();
  const pieces = ['{"t":', '"hello"', ",", '"rank":', "1", "}", "null", "[", "\n", "ü", "GET / "];
  const hello = JSON.stringify(HELLO);
  for (let round = 0; round < 300; round++) {
    const line = round % 2 === 0 ? nonsense.of(pieces, 20) : nonsense.spoil(hello);
    await say(port, [line, "[]", "no proof", "no proof"]);
  }
  await say(port, ["x".repeat(5000)]);
  await say(port, [JSON.stringify({ ...HELLO, rank: 7, protocol: RENDEZVOUS_PROTOCOL + 1 })]);
  const all = await Promise.all([zero, startRendezvous(options(port, 1, 2))]);
  assertEquals(await Promise.all(all.map((one) => one.exchange("x"))), [["x", "x"], ["x", "x"]]);
  await closeAll(all);
});

Deno.test("rendezvous: a size or rank that does not fit is refused on both sides", async () => {
  const cases: [number, number, string][] = [
    [1, 3, "rank 1 was started for 3 processes, rank 0 for 2"],
    [0, 2, "Cannot listen at 127.0.0.1:"],
  ];
  for (const [rank, size, message] of cases) {
    const port = freePort();
    const ended = Promise.allSettled([
      startRendezvous({ ...options(port, 0, 2), timeoutMs: 1000 }),
      startRendezvous(options(port, rank, size)),
    ]);
    const errors = (await ended).map((one) => one.status === "rejected" ? one.reason : undefined);
    assert(errors.every((error) => error instanceof HandshakeError), Deno.inspect(errors));
    assert(errors.some((error) => error.message.includes(message)), Deno.inspect(errors));
  }
});

Deno.test("rendezvous: two processes of one rank are told so", async () => {
  const port = freePort();
  const ended = await Promise.allSettled(
    [0, 1, 1].map((rank) => startRendezvous(options(port, rank, 3))),
  );
  for (const one of ended) {
    assert(one.status === "rejected" && one.reason instanceof HandshakeError);
    assertStringIncludes(one.reason.message, "rank 1 has joined already, from elsewhere");
  }
});

Deno.test("rendezvous: rank 0 says who did not come", async () => {
  await assertRejects(
    () => startRendezvous({ ...options(freePort(), 0, 3), timeoutMs: 300 }),
    HandshakeError,
    "Cannot start the job: 2 of 3 processes did not come within 0.3 s: rank 1, 2",
  );
});

Deno.test("rendezvous: a rank that cannot reach rank 0 says where it tried and why", async () => {
  const port = freePort();
  const error = await assertRejects(
    () => startRendezvous({ ...options(port, 1, 2), timeoutMs: 300 }),
    TimeoutError,
  );
  assertStringIncludes(error.message, `Cannot reach rank 0 at 127.0.0.1:${port} within 0.3 s: `);
  assert(error.cause instanceof Error);
});

Deno.test("rendezvous: a short secret, or a rank that cannot be, is refused", async () => {
  await assertRejects(
    () => startRendezvous({ ...options(1, 0, 2), secret: "secret" }),
    RangeError,
    "The secret of a rendezvous must have at least 16 characters, got 6",
  );
  await assertRejects(
    () => startRendezvous(options(1, 2, 2)),
    HandshakeError,
    "Cannot join a job as rank 2 of 2 according to LAMELLAR_RANK and LAMELLAR_SIZE: ",
  );
});

Deno.test("rendezvous: abort() of one process reaches all others", async () => {
  const all = await joinAll(3);
  const pending = assertRejects(() => all[0]!.barrier(), PeFailedError);
  // The connections alone keep no process alive.
  const alive = setInterval(() => {}, 1000);
  await all[2]!.abort(7, "enough");
  for (const one of all) {
    assertEquals(
      (await lossOf(one)).message,
      "The job failed: rank 2 ended the job with exit code 7: enough",
    );
  }
  await pending;
  clearInterval(alive);
  await assertRejects(() => all[1]!.exchange("x"), PeFailedError);
  await closeAll(all);
});

Deno.test("rendezvous: after close() of rank 0 nothing is lost or exchanged", async () => {
  const all = await joinAll(2);
  const lost = all[1]!.lost().then(() => "lost");
  await all[0]!.close();
  await assertRejects(() => all[1]!.exchange("x"), ClosedError);
  assertEquals(await Promise.race([lost, Promise.resolve("kept")]), "kept");
  await closeAll(all);
  assertEquals(await Promise.race([lost, Promise.resolve("kept")]), "kept");
});

Deno.test("rendezvous: an exchange to which not all come ends after the limit", async () => {
  const port = freePort();
  const all = await Promise.all(
    [0, 1].map((rank) => startRendezvous({ ...options(port, rank, 2), timeoutMs: 300 })),
  );
  await assertRejects(
    () => all[0]!.barrier(),
    TimeoutError,
    "Waited 0.3 s for the other processes",
  );
  assert(await lossOf(all[0]!) instanceof LamellarError);
  await closeAll(all);
});

/** A side of a connection that a test plays; it says only what it is told to. */
class Played {
  readonly #socket: Socket;
  readonly #lines: Record<string, unknown>[] = [];
  #text = "";
  #came = Promise.withResolvers<void>();

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk: Uint8Array) => {
      const lines = (this.#text + new TextDecoder().decode(chunk)).split("\n");
      this.#text = lines.pop()!;
      this.#lines.push(...lines.map((line) => JSON.parse(line)));
      this.#came.resolve();
      this.#came = Promise.withResolvers<void>();
    });
  }

  say(message: unknown): void {
    this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  /** The next message of a kind. */
  async hear(kind: string): Promise<Record<string, unknown>> {
    for (;;) {
      const message = this.#lines.shift();
      if (!message) await this.#came.promise;
      else if (message.t === kind) return message;
    }
  }

  end(): void {
    this.#socket.destroy();
  }
}

/** Joins as rank 1 of 2, and says nothing by itself then. */
async function joinInSilence(port: number): Promise<Played> {
  const member = new Played(connect({ host: "127.0.0.1", port }));
  const memberNonce = makeNonce();
  member.say({ ...HELLO, nonce: memberNonce });
  const { nonce } = await member.hear("challenge");
  const claim = { rank: 1, size: 2, memberNonce, hubNonce: nonce as string };
  member.say({ t: "proof", proof: prove(SECRET, "member", claim) });
  await member.hear("welcome");
  return member;
}

Deno.test("rendezvous: a silent member is told of, and what it did", async () => {
  const port = freePort();
  const starts = startRendezvous({ ...options(port, 0, 2), exchangeMs: Infinity });
  await until(port);
  const [zero, member] = await Promise.all([starts, joinInSilence(port)]);
  member.say({ t: "beat", phase: "greeting" });
  const begin = performance.now();
  await assertRejects(
    () => zero.exchange("x"),
    PeFailedError,
    "The job failed: rank 1 (a process at 127.0.0.1) gave no sign of life for 5 s while it " +
      "greeted the others",
  );
  const ms = performance.now() - begin;
  assert(ms > 4000 && ms < 8000, `after ${ms} ms`);
  await zero.close();
  member.end();
});

Deno.test("rendezvous: a rank 0 that gives no sign of life is told of by the others", async () => {
  const port = freePort();
  const came = Promise.withResolvers<Played>();
  const server = createServer((socket) => came.resolve(new Played(socket)));
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port }, resolve));
  const starts = startRendezvous({ ...options(port, 1, 2), timeoutMs: 60_000 });
  const hub = await came.promise;
  const { nonce } = await hub.hear("hello");
  const claim = { rank: 1, size: 2, memberNonce: nonce as string, hubNonce: makeNonce() };
  hub.say({ t: "challenge", nonce: claim.hubNonce, proof: prove(SECRET, "hub", claim) });
  await assertRejects(
    () => starts,
    TimeoutError,
    `rank 0 (127.0.0.1:${port}) gave no sign of life for 5 s while it joined the job`,
  );
  hub.end();
  server.close();
});

Deno.test("rendezvous: processes that wait for a slow one give signs of life", async () => {
  const port = freePort();
  const starts = startRendezvous({ ...options(port, 0, 2), exchangeMs: Infinity });
  await until(port);
  const [zero, member] = await Promise.all([starts, joinInSilence(port)]);
  const exchange = zero.exchange("x");
  for (let beat = 0; beat < 14; beat++) {
    await member.hear("beat");
    member.say({ t: "beat" });
  }
  member.say({ t: "text", exchange: 0, text: "y" });
  assertEquals(await exchange, ["x", "y"]);
  member.say({ t: "bye" });
  await zero.close();
  member.end();
});

/** Waits until somebody listens at a port. */
async function until(port: number): Promise<void> {
  for (;;) {
    try {
      return (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
