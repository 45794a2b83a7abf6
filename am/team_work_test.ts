import { sendCollective } from "./services.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ClosedError, LamellarError, ProtocolError, TimeoutError } from "../internal/errors.ts";
import { FRAME, IN_TEAM } from "./wire/frames.ts";
import { type EnginePes, enginePes, microtasks, refusal, type TestAm } from "./pes_test.ts";
import { u32 } from "./schema/schema.ts";
import { type TeamHost, TeamWork } from "./team_work.ts";

const TEAM = 2 ** 52 + 1;
const CLOSED = 77;

/** What handlers of the tests' team get, and what arrives for its collectives. */
class FakeTeams implements TeamHost {
  readonly received: [number, number[]][] = [];
  readonly known = new Set([TEAM, CLOSED]);

  context(id: number): object | undefined {
    if (id === CLOSED) throw new ClosedError("Cannot run the AM: team 77 is closed");
    return id === TEAM ? { where: "in the team" } : undefined;
  }

  knows(id: number): boolean {
    return this.known.has(id);
  }

  describe(id: number): Uint8Array {
    return new TextEncoder().encode(id === TEAM ? "the team" : "");
  }

  learn(id: number, description: Uint8Array): void {
    const text = new TextDecoder().decode(description);
    if (text !== "the team") throw new ProtocolError(`a description: ${text}`);
    this.known.add(id);
  }

  receive(pe: number, views: { u8: Uint8Array }, at: number, bytes: number): void {
    if (bytes === 3) throw new ProtocolError("a message of 3 bytes");
    this.received.push([pe, [...views.u8.subarray(at, at + bytes)]]);
  }
}

/** Resolved by a test, for a handler that waits. */
let gate = Promise.withResolvers<void>();

const AMS: Record<string, TestAm> = {
  Where: {
    schema: { n: u32 },
    handler: ({ n }, context) => [n, (context as unknown as { where?: string }).where],
  },
  Wait: { schema: {}, handler: () => gate.promise },
  Throws: {
    schema: {},
    handler: () => {
      throw new Error("thrown");
    },
  },
};

function teamPes(): { pes: EnginePes; teams: FakeTeams; work: TeamWork } {
  const teams = new FakeTeams();
  gate = Promise.withResolvers();
  const work = new TeamWork(TEAM, () => ({ where: "in the team" }));
  return { pes: enginePes(AMS, { teams: () => teams }), teams, work };
}

Deno.test("AMs and closures launched in a team see it, on this PE and on others", () => {
  const { pes, work } = teamPes();
  const engine = pes.engines[0]!;
  for (const pe of [0, 1]) {
    const there = engine.launch(pe, pes.call("Where", { n: 5 }), undefined, work);
    assertEquals(there.block(), [5, "in the team"]);
    const closure = (n: number, l: { where: string }): string => `${n} ${l.where}`;
    assertEquals(engine.launchClosure(pe, closure, [6], undefined, work).block(), "6 in the team");
    assertEquals(engine.launch(pe, pes.call("Where", { n: 5 })).block(), [5, undefined]);
  }
  assertEquals([work.launched, work.outstanding, engine.outstanding], [4, 0, 0]);
  pes.network.close();
});

Deno.test("An AM for a team that is closed at its target is refused, and harms nothing", () => {
  const { pes } = teamPes();
  const engine = pes.engines[0]!;
  const closed = new TeamWork(CLOSED, () => ({}));
  for (let i = 0; i < 2; i++) {
    const handle = engine.launch(1, pes.call("Where", { n: 1 }), undefined, closed);
    assertThrows(() => handle.block(), LamellarError, "team 77 is closed");
    assertEquals(engine.launch(1, pes.call("Where", { n: 1 })).block(), [1, undefined]);
  }
  pes.network.close();
});

Deno.test("A team counts work until it is over, even if nobody waits any more", async () => {
  const { pes, work } = teamPes();
  const engine = pes.engines[0]!;
  for (const pe of [0, 1]) {
    const handle = engine.launch(pe, pes.call("Wait"), { timeoutMs: 1 }, work);
    await assertRejects(async () => await handle, TimeoutError);
  }
  assertEquals([work.outstanding, work.asynchronous], [2, 1]);
  let idle = false;
  const waiting = engine.awaitAll(work).then(() => idle = true);
  await microtasks();
  assert(!idle);
  gate.resolve();
  await waiting;
  assertEquals([work.outstanding, work.asynchronous, engine.outstanding], [0, 0, 0]);
  pes.network.close();
});

Deno.test("The errors of a team are its own, and the world's until they are seen", async () => {
  const { pes, work } = teamPes();
  const engine = pes.engines[0]!;
  const other = new TeamWork(CLOSED, () => ({}));
  engine.launch(1, pes.call("Throws"), undefined, work);
  engine.track(() => Promise.reject(new SyntaxError("a task")), () => false, work)
    .catch(() => {});
  await engine.awaitAll(other);
  await assertRejects(() => engine.awaitAll(work), AggregateError, "2 AMs and tasks failed");
  await engine.awaitAll();
  engine.launch(1, pes.call("Throws"), undefined, work);
  await assertRejects(() => engine.awaitAll(), LamellarError, "thrown");
  await engine.awaitAll(work);
  pes.network.close();
});

Deno.test("The failure of the job ends what a team waits for", async () => {
  const { pes, work } = teamPes();
  const engine = pes.engines[0]!;
  for (const pe of [0, 1]) engine.launch(pe, pes.call("Wait"), undefined, work).catch(() => {});
  pes.network.settle();
  const waiting = assertRejects(() => engine.awaitAll(work), LamellarError, "the end");
  pes.network.lamellas[1]!.fail(new Error("the end"));
  work.fail();
  gate.resolve();
  await waiting;
  await microtasks();
  assertEquals([work.outstanding, work.asynchronous], [0, 0]);
  pes.network.close();
});

Deno.test("Frames of no team are refused", () => {
  const five = new Uint8Array(new Float64Array([5]).buffer);
  const half = new Uint8Array(new Float64Array([0.5]).buffer);
  for (const kind of [FRAME.request | IN_TEAM, FRAME.closure | IN_TEAM]) {
    const text = "Cannot read the frames of PE 1: there is a request in team";
    assertEquals(refusal(teamPes().pes, kind, half), `${text} 0.5, which this PE does not know`);
    const short = refusal(teamPes().pes, kind, five.subarray(0, 7));
    assertEquals(short, `${text} NaN, which this PE does not know`);
    assertEquals(refusal(enginePes(AMS), kind, five), `${text} 5, which this PE does not know`);
  }
  const bad = refusal(teamPes().pes, FRAME.collective, new Uint8Array(3));
  assertEquals(bad, "Cannot read the frames of PE 1: there is a message of 3 bytes");
  const none = refusal(enginePes(AMS), FRAME.collective, five);
  assertEquals(none.split("there is ")[1], "a collective of a team where there are none");
});

Deno.test("A request in a team that was given up waits for what its sender tells", async () => {
  const { pes, teams, work } = teamPes();
  const engine = pes.engines[0]!;
  teams.known.delete(TEAM);
  const closure = (n: number, l: { where: string }): string => `${n} ${l.where}`;
  const handles = [
    engine.launch(1, pes.call("Where", { n: 5 }), undefined, work),
    engine.launch(1, pes.call("Where", { n: 6 })),
    engine.launchClosure(1, closure, [7], undefined, work),
    engine.launch(1, pes.call("Wait"), undefined, work),
    engine.launch(1, pes.call("Throws"), undefined, work).catch((error) =>
      (error as Error).message
    ),
  ];
  pes.network.settle();
  gate.resolve();
  await microtasks();
  pes.network.settle();
  assertEquals(await Promise.all(handles), [
    [5, "in the team"],
    [6, undefined],
    "7 in the team",
    undefined,
    'AM "Throws" failed on PE 1: Error: thrown',
  ]);
  // The sender has forgotten it: there is nothing to wait for.
  const other = new TeamWork(5, () => ({}));
  const lost = engine.launch(1, pes.call("Where", { n: 5 }), undefined, other);
  assertThrows(() => lost.block(), LamellarError, "its team is closed");
  assertEquals([work.outstanding, other.outstanding, engine.outstanding], [0, 0, 0]);
  pes.network.close();
});

Deno.test("Messages about teams that are none are refused", () => {
  const eight = (id: number): Uint8Array => new Uint8Array(new Float64Array([id]).buffer);
  const text = "Cannot read the frames of PE 1: there is a message about team";
  for (const kind of [FRAME.teamQuery, FRAME.teamReply]) {
    assertEquals(refusal(teamPes().pes, kind, eight(-1)), `${text} -1`);
    assertEquals(refusal(teamPes().pes, kind, new Uint8Array(3)), `${text} NaN`);
    assertEquals(refusal(enginePes(AMS), kind, eight(5)), `${text} 5`);
  }
  const bad = refusal(teamPes().pes, FRAME.teamReply, new Uint8Array([...eight(5), 65]));
  assertEquals(bad.split("there is ")[1], "a description: A");
});

Deno.test("Messages of collectives arrive as they were sent, and are no requests", () => {
  const { pes, teams } = teamPes();
  const engine = pes.engines[0]!;
  sendCollective(engine.outbox, 1, 5, (views, at) => views.u8.set([1, 2, 3, 4, 5], at));
  sendCollective(engine.outbox, 1, 3000, (views, at) => void views.u8.fill(9, at, at + 3000));
  assertEquals([engine.outstanding, engine.launched], [0, 0]);
  pes.network.settle();
  assertEquals(teams.received, [[0, [1, 2, 3, 4, 5]], [0, Array(3000).fill(9)]]);
  pes.network.close();
});

Deno.test("A task group counts its own launches, and what it was made in counts them too", () => {
  const { pes, work } = teamPes();
  const engine = pes.engines[0]!;
  const [group, inWorld] = [
    engine.taskGroups.make(work, engine.context),
    engine.taskGroups.make(undefined, engine.context),
  ];
  const nested = engine.taskGroups.make(group, engine.context);
  const counts = (): number[][] =>
    [work, group, nested, inWorld].map((one) => [one.outstanding, one.asynchronous, one.launched]);
  const there = engine.launch(1, pes.call("Where", { n: 5 }), undefined, nested);
  const here = engine.launch(0, pes.call("Wait"), undefined, nested);
  engine.launch(1, pes.call("Where", { n: 6 }), undefined, inWorld);
  assertEquals(counts(), [[2, 0, 2], [2, 0, 2], [2, 0, 2], [1, 0, 1]]);
  assertEquals(there.block(), [5, "in the team"]);
  engine.waitAll(inWorld);
  assertThrows(() => here.block(), LamellarError, "use await");
  assertEquals(counts(), [[1, 1, 2], [1, 1, 2], [1, 1, 2], [0, 0, 1]]);
  const launched = engine.launch(1, pes.call("Where", { n: 7 }), undefined, inWorld);
  assertEquals(launched.block(), [7, undefined]);
  pes.network.close();
});

Deno.test("When the job fails, a task group waits for nothing any more", async () => {
  const { pes, work } = teamPes();
  const engine = pes.engines[0]!;
  const [group, other] = [
    engine.taskGroups.make(work, engine.context),
    engine.taskGroups.make(undefined, engine.context),
  ];
  for (const one of [group, other]) {
    engine.track(() => new Promise(() => {}), () => false, one);
    engine.launch(1, pes.call("Where", { n: 5 }), undefined, one);
  }
  const waits = [group, other].map((one) => engine.awaitAll(one));
  pes.network.lamellas[1]!.fail(new Error("the end"));
  work.fail();
  for (const wait of waits) await assertRejects(() => wait, Error, "the end");
  assertEquals([group.outstanding, other.outstanding], [0, 0]);
});
