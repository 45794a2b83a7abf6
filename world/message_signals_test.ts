import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { sendCollective } from "../am/mod.ts";
import { enginePes } from "../am/pes_test.ts";
import { generator } from "../am/random_test.ts";
import { CollectiveMismatchError, LamellarError, ProtocolError } from "../internal/errors.ts";
import { EXCHANGE_BYTES } from "../internal/limits.ts";
import type { MemoryViews } from "../internal/memory_views.ts";
import {
  callOf,
  type Collective,
  type NextTurn,
  type PeGroup,
  PeGroups,
  roundsOf,
} from "../lamellae/mod.ts";
import { MessageSignals } from "./message_signals.ts";
import { newSeed } from "../internal/random_test_numbers.ts";

/** The collectives of a team of PEs that live in one thread. */
interface TestTeam {
  readonly members: readonly PeGroup[];
  /** Every PE handles what has arrived. */
  settle(): void;
  /** Calls a function at each step of a PE, as handlers are called. */
  inHandler(pe: number, what: () => void): void;
  /** One PE handles a little of what has arrived. */
  step(pe: number): void;
  readonly failure: () => LamellarError | null;
  close(): void;
  /** Sends a message from one PE to another as it is. */
  send(from: number, to: number, message: Uint8Array): void;
}

const ID = 1234567890123;

/** A team of all but PE 0, in descending order. */
function testTeam(size: number, ringBytes = 4096, partners = 1): TestTeam {
  const members: PeGroup[] = [];
  const signals: MessageSignals[] = [];
  const pes = Array.from({ length: size }, (_, i) => size - i);
  const teams = (pe: number) => ({
    context: () => undefined,
    knows: () => false,
    describe: () => new Uint8Array(0),
    learn: () => {},
    receive: (source: number, views: MemoryViews, at: number, bytes: number) =>
      signals[pes.indexOf(pe)]!.receive(source, views, at, bytes),
  });
  const { network, engines } = enginePes({}, { numPes: size + 1, ringBytes, teams });
  for (const [me, pe] of pes.entries()) {
    const group = { name: "team 3", id: ID, pes, me };
    const rounds = roundsOf(group, partners);
    signals.push(new MessageSignals(engines[pe]!, group, rounds));
    members.push(new PeGroups(network.progress[pe]!).some(group, rounds, signals[me]!));
  }
  const flush = () => engines.forEach((engine) => engine.outbox.flush());
  return {
    members,
    settle: () => (flush(), void network.settle()),
    inHandler: (me, what) => network.progress[pes[me]!]!.addPoller(() => (what(), 0)),
    step: (member) => (flush(), void network.progress[pes[member]!]!.step()),
    failure: () => network.failure,
    close: () => network.close(),
    send: (from, to, message) => {
      const write = (views: MemoryViews, at: number) => views.u8.set(message, at);
      sendCollective(engines[pes[from]!]!.outbox, pes[to]!, message.length, write);
    },
  };
}

/** What a collective gave, undefined while it is under way. */
function resultOf(collective: Collective): string[] | undefined {
  try {
    const refused = collective as { block: () => Uint8Array[] };
    return refused.block().map((bytes) => new TextDecoder().decode(bytes));
  } catch (error) {
    assertInstanceOf(error, LamellarError);
    return undefined;
  }
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("Every member gets what all contribute in their order, for any number of members", () => {
  for (let size = 1; size <= 17; size++) {
    const team = testTeam(size, 32768, 1 + size % 4);
    for (let round = 0; round < 5; round++) {
      const calls = team.members.map((member, me) =>
        member.call("createSubteamFromArch", {
          own: encode(`${round}:${"x".repeat(me * round)}${me}`),
        })
      );
      team.settle();
      const expected = calls.map((_, me) => `${round}:${"x".repeat(me * round)}${me}`);
      for (const call of calls) assertEquals(resultOf(call), expected);
    }
    team.close();
  }
});

Deno.test("No collective ends before every member has called it, whatever the order", async () => {
  const seed = newSeed();
  const random = generator(seed);
  for (let run = 0; run < 150; run++) {
    const size = 1 + Math.floor(random() * 9);
    const team = testTeam(size, 4096, 1 + Math.floor(random() * 3));
    const calls: number[] = new Array(size).fill(0);
    const ended: number[] = new Array(size).fill(0);
    const all = 1 + Math.floor(random() * 12);
    while (ended.some((count) => count < all)) {
      const me = Math.floor(random() * size);
      if (calls[me]! < all && random() < 0.3) {
        const number = ++calls[me]!;
        const own = number % 3 === 0
          ? encode(`${me}`.repeat(random() < 0.1 ? EXCHANGE_BYTES : 3))
          : undefined;
        const kind = own ? "team close" : "barrier";
        team.members[me]!.call(kind, own ? { own } : {}).finished().then((result) => {
          ended[me]!++;
          assert(calls.every((count) => count >= number), `TEST_SEED=${seed}`);
          if (own) {
            const firsts = result.map((bytes) => new TextDecoder().decode(bytes)[0]);
            assertEquals(firsts, calls.map((_, pe) => `${pe}`[0]), `TEST_SEED=${seed}`);
          }
        });
      } else team.step(me);
      await undefined;
    }
    assertEquals(team.failure(), null);
    team.close();
  }
});

Deno.test("A member knows for whom it waits", () => {
  const team = testTeam(4);
  assertEquals(team.members[0]!.waitingFor(), -1);
  team.members[0]!.call("barrier");
  team.settle();
  // The member before the first is the last, PE 1; two before is PE 2.
  assertEquals(team.members[0]!.waitingFor(), 1);
  team.members[3]!.call("barrier");
  team.settle();
  assertEquals(team.members[0]!.waitingFor(), 2);
  team.close();
});

Deno.test("Members that call different collectives fail, naming both sides", () => {
  const team = testTeam(2);
  team.members[1]!.call("barrier");
  team.members[0]!.call("barrier");
  team.settle();
  team.members[1]!.call("createSubteamFromArch", { own: encode("a") });
  const mine = team.members[0]!.call("barrier");
  const behind = team.members[0]!.call("barrier");
  team.settle();
  const error = assertThrows(() => mine.block(), CollectiveMismatchError);
  assertEquals(
    error.message,
    "PE 2 called barrier as collective number 2 of team 3 where PE 1 called " +
      "createSubteamFromArch: all PEs of team 3 must call the same collectives in the same order",
  );
  assertEquals([error.pe, error.op], [1, "barrier"]);
  assert(team.failure());
  assertThrows(() => behind.block(), LamellarError);
  assertThrows(() => team.members[0]!.call("barrier"), LamellarError);
  team.close();
});

Deno.test("Members that differ in the arguments fail, naming those of both", async () => {
  const team = testTeam(2);
  team.members[1]!.call("allocSharedMemRegion", { args: "f64, 10" });
  const mine = team.members[0]!.call("allocSharedMemRegion", { args: "f64, 11" });
  const awaited = mine.finished().catch((error) => error);
  team.settle();
  const error = await awaited;
  assertInstanceOf(error, CollectiveMismatchError);
  assertEquals(
    error.message,
    "PE 2 called allocSharedMemRegion(f64, 11) as collective number 1 of team 3 where PE 1 " +
      "called allocSharedMemRegion(f64, 10): all PEs of team 3 must call the same collectives " +
      "in the same order",
  );
  assert(team.failure());
  team.close();
});

Deno.test("A collective of a team takes turns, and those called after it wait", async () => {
  for (const size of [1, 2, 3, 5]) {
    const team = testTeam(size);
    const ready: boolean[] = new Array(size).fill(false);
    const order: string[][] = team.members.map(() => []);
    team.members.forEach((member, me) => {
      const own = encode(`first ${me}`);
      const goesOn = (all: Uint8Array[], turn: number): NextTurn | undefined => {
        const text = all.map((bytes) => new TextDecoder().decode(bytes)).join();
        order[me]!.push(text);
        if (turn === 3) return undefined;
        return { ready: () => ready[me]!, own: () => encode(`turn ${turn} ${me}`) };
      };
      member.call("allocSharedMemRegion", { args: "f64, 1", own, goesOn }).finished()
        .then(() => order[me]!.push("over"));
      member.call("barrier").finished().then(() => order[me]!.push("barrier"));
    });
    team.settle();
    const texts = (text: string): string => team.members.map((_, me) => `${text}${me}`).join();
    assertEquals(order, team.members.map(() => [texts("first ")]));
    for (let me = 0; me < size; me++) {
      await microtasks();
      assert(order.every((list) => list.length === 1), "a turn went on without a member");
      ready[me] = true;
      team.settle();
    }
    await microtasks();
    const expected = [texts("first "), texts("turn 1 "), texts("turn 2 "), "over", "barrier"];
    assertEquals(order, team.members.map(() => expected));
    team.close();
  }
});

/** Lets the reactions run to promises that are settled. */
async function microtasks(): Promise<void> {
  for (let i = 0; i < 8; i++) await undefined;
}

/** A message; each word may lie. */
function message(words: readonly number[], more = 0): Uint8Array {
  const bytes = new Uint8Array(24 + more);
  new Float64Array(bytes.buffer, 0, 1)[0] = ID;
  new Int32Array(bytes.buffer, 8, 4).set(words);
  return bytes;
}

Deno.test("Messages that cannot come now are refused", () => {
  // The first collective is in lane 1, and its turns have the numbers 9, 17, 25 ...
  const refused: [number[], number, RegExp][] = [
    [[1, 0, 0, 0], 0, /signal 1 of team 3 at slot 0, where 1 was the last/],
    [[17, 0, 0, 0], 0, /signal 17 of team 3/],
    [[9, 2, 0, 0], 0, /slot 2/],
    [[9, -1, 0, 0], 0, /slot -1/],
    [[9, 1, 0, 0], 0, /slot 1/],
    [[9, 0, 1, 1], 0, /contribution 0 of 1 that is cut off/],
    [[9, 0, 1, 1], 8, /4 bytes behind the contributions/],
    [[9, 0, 1, 2], 4, /2 contributions at slot 0 of team 3, not 1/],
  ];
  for (const [words, more, text] of refused) {
    const team = testTeam(3);
    team.send(0, 1, message(words, more));
    assertThrows(() => team.step(1), ProtocolError, undefined, text.source);
    assert(text.test(String(team.failure())), String(team.failure()));
    team.close();
  }
  const twice = testTeam(3);
  for (let i = 0; i < 2; i++) twice.send(0, 1, message([9, 0, 0, 0]));
  assertThrows(() => twice.settle(), ProtocolError, "signal 9 of team 3 at slot 0");
  twice.close();
  const lacking = testTeam(2);
  lacking.members[1]!.call("createSubteamFromArch", { own: encode("a") });
  lacking.send(0, 1, message([9, 0, callOf("createSubteamFromArch", "").tag, 0]));
  const text = "a signal of team 3 without what PE 2 contributes";
  assertThrows(() => lacking.step(1), ProtocolError, text);
  lacking.close();
  const short = testTeam(2);
  short.send(0, 1, message([9, 0, 0, 0]).subarray(0, 16));
  assertThrows(() => short.step(1), ProtocolError, "a message of a team of 16 bytes");
  short.close();
});

Deno.test("A barrier inside a handler is refused before anything is sent", () => {
  const team = testTeam(2);
  let refused: unknown;
  team.inHandler(0, () => {
    refused ??= assertThrows(() => team.members[0]!.barrier(), LamellarError);
  });
  team.step(0);
  assertEquals((refused as LamellarError).code, "ERR_BLOCKING_IN_HANDLER");
  assertEquals(team.members[0]!.waitingFor(), -1);
  team.members[0]!.call("barrier");
  team.members[1]!.barrier();
  assertEquals(team.failure(), null);
  team.close();
});
