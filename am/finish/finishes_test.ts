import { assert, assertEquals, assertThrows } from "@std/assert";
import { LamellarError, ProtocolError, RemoteError } from "../../internal/errors.ts";
import type { AmContext } from "../context.ts";
import type { AmEngine } from "../engine.ts";
import { type EnginePes, enginePes, microtasks, refusal, type TestAm } from "../pes_test.ts";
import { sendService, SERVICE } from "../services.ts";
import { FinishWork } from "../team_work.ts";
import { FRAME, IN_FINISH, IN_TEAM } from "../wire/frames.ts";
import { decodeFailures, encodeFailures } from "../wire/thrown.ts";
import type { Finish } from "./finish.ts";
import { finishId, messageBytes, SAYS, writeMessage } from "./messages.ts";

/** What handlers of these tests get in a finish. */
interface InFinish {
  readonly currentPe: number;
  readonly engine: AmEngine;
  readonly work?: FinishWork;
}

let pes: EnginePes;
const gates: PromiseWithResolvers<void>[] = [];
let ran = 0;
let kept: InFinish | undefined;

/** AMs that launch through what they get. */
const AMS: Record<string, TestAm> = {
  Leaf: { handler: () => void ran++ },
  Keep: { handler: (_self, context) => void (kept = context as InFinish) },
  Relay: {
    handler: ({ to }: { to: number[] }, context) => {
      const { engine, work } = context as InFinish;
      const [next, ...rest] = to;
      ran++;
      if (next === undefined) throw new RangeError("the last");
      engine.launch(next, pes.call("Relay", { to: rest }), undefined, work);
    },
  },
  Wait: {
    handler: (_self, context) => {
      const { engine, work } = context as InFinish;
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      return gate.promise.then(() => void engine.launch(0, pes.call("Leaf"), undefined, work));
    },
  },
  Flood: {
    handler: (_self, context) => {
      const { engine, work } = context as InFinish;
      for (let i = 0; i < 1000; i++) engine.launch(1, pes.call("Leaf"), undefined, work);
    },
  },
  Throw: {
    handler: ({ n }: { n: number }, context) => {
      const { engine, work } = context as InFinish;
      for (let i = 0; i < n; i++) engine.launch(0, pes.call("Relay", { to: [] }), undefined, work);
    },
  },
};

function setUp(numPes: number, ringBytes?: number): void {
  ran = 0;
  pes = enginePes(AMS, {
    numPes,
    ...ringBytes !== undefined && { ringBytes },
    makeFinishContext: (base, finish) => {
      const work: FinishWork = new FinishWork(undefined, () => ({ ...base, work }), finish);
      return work.context as AmContext;
    },
  });
}

/** Calls a finish on PE 0 whose body is over. */
function call(launch: (engine: AmEngine, work: FinishWork) => void): {
  readonly finish: Finish;
  readonly errors: () => readonly unknown[] | undefined;
  readonly further: () => number;
} {
  const engine = pes.engines[0]!;
  const { finish, over } = engine.finishes.call();
  let failures: Awaited<typeof over> | undefined;
  over.then((all) => failures = all, () => {});
  launch(engine, new FinishWork(undefined, () => ({}), finish));
  engine.finishes.endBody(finish);
  return { finish, errors: () => failures?.errors, further: () => failures?.further ?? -1 };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    pes.network.settle();
    await microtasks();
  }
}

Deno.test("A finish follows what it launches from PE to PE, and gets the errors", async () => {
  setUp(4);
  const to = [2, 3, 1, 0, 0, 3, 2, 2, 1];
  const { errors } = call((engine, work) => {
    engine.launch(1, pes.call("Relay", { to }), undefined, work);
  });
  await settle();
  assertEquals(ran, to.length + 1);
  const [error, ...others] = errors()!;
  assert(error instanceof RemoteError && others.length === 0);
  assertEquals([error.pe, error.op, (error.cause as Error).name], [1, 'AM "Relay"', "RangeError"]);
  assertEquals(error.message, 'AM "Relay" failed on PE 1: RangeError: the last');
  for (const engine of pes.engines) await engine.awaitAll();
  pes.network.close();
});

Deno.test("A finish waits for an async handler that launches late", async () => {
  setUp(3);
  const { errors } = call((engine, work) => {
    engine.launch(2, pes.call("Wait"), undefined, work);
    engine.launch(1, pes.call("Wait"), undefined, work);
    engine.launch(2, pes.call("Leaf"), undefined, work);
  });
  await settle();
  assertEquals([ran, errors()], [1, undefined]);
  gates.shift()!.resolve();
  await settle();
  assertEquals([ran, errors()], [2, undefined]);
  gates.shift()!.resolve();
  await settle();
  assertEquals([ran, errors()], [3, []]);
  pes.network.close();
});

Deno.test("Of more than 1000 errors a finish keeps the first 1000 and the number", async () => {
  setUp(3);
  const { errors, further } = call((engine, work) => {
    engine.launch(1, pes.call("Throw", { n: 700 }), undefined, work);
    engine.launch(2, pes.call("Throw", { n: 1500 }), undefined, work);
  });
  await settle();
  assertEquals([errors()!.length, further()], [1000, 1200]);
  pes.network.close();
});

Deno.test("What handlers of a finish that is over kept launches nothing in it", async () => {
  setUp(2);
  const { errors } = call((engine, work) => {
    engine.launch(1, pes.call("Keep"), undefined, work);
  });
  await settle();
  assertEquals(errors(), []);
  const { engine, work } = kept!;
  const launch = (): unknown => engine.launch(0, pes.call("Leaf"), undefined, work);
  const error = assertThrows(launch, LamellarError, "its work on PE 1 is over");
  assertEquals(error.code, "ERR_FINISH_OVER");
  assertEquals(engine.outstanding, 0);
  // A PE forgets finishes that were over long ago, and refuses the same for them.
  for (let i = 0; i < 200; i++) {
    call((engine, work) => void engine.launch(1, pes.call("Leaf"), undefined, work));
    pes.network.settle();
  }
  await settle();
  assertEquals(ran, 200);
  assertThrows(launch, LamellarError, "its work on PE 1 is over");
  pes.network.close();
});

Deno.test("A finish that is stopped tells all PEs, also where nothing was launched", async () => {
  setUp(3);
  const { finish } = call((engine, work) => {
    engine.launch(1, pes.call("Keep"), undefined, work);
    engine.launch(1, pes.call("Wait"), undefined, work);
    engine.launch(2, pes.call("Wait"), undefined, work);
  });
  await settle();
  const { engine, work } = kept!;
  engine.launch(0, pes.call("Leaf"), undefined, work);
  await settle();
  const { finishes } = pes.engines[0]!;
  finishes.stop(finish, "of a test", () => new Error("stopped"));
  await settle();
  const launch = (): unknown => engine.launch(0, pes.call("Leaf"), undefined, work);
  const error = assertThrows(launch, LamellarError, "it was stopped because of a test");
  assertEquals(error.code, "ERR_FINISH_STOPPED");
  // What has not begun does not run any more.
  pes.engines[1]!.launch(
    2,
    pes.call("Leaf"),
    undefined,
    new FinishWork(undefined, () => ({}), {
      ...finish,
      enter() {},
      begin() {},
      end() {},
    }),
  );
  await settle();
  gates.pop()!.resolve();
  await settle();
  gates.pop()!.resolve();
  await settle();
  assertEquals([ran, finish.membership.state.over], [1, true]);
  for (const engine of pes.engines) await engine.awaitAll();
  pes.network.close();
});

Deno.test("To stop a finish does not wait for room in the rings", async () => {
  setUp(2, 4096);
  const { finish } = call((engine, work) => {
    engine.launch(0, pes.call("Flood"), undefined, work);
  });
  // Its handler fills the ring to PE 1, which does not read it.
  pes.network.progress[0]!.step();
  const { finishes } = pes.engines[0]!;
  finishes.stop(finish, "of a test", () => new Error("stopped"));
  pes.network.progress[0]!.step();
  assertEquals([ran, finish.membership.state.over], [0, false]);
  await settle();
  // What had left before the stop runs.
  assertEquals([ran, finish.membership.state.over], [1000, true]);
  pes.network.close();
});

Deno.test("Many long errors arrive, each with what there is room for", () => {
  const long = "x".repeat(600_000);
  const fail = (n: number): RemoteError =>
    new RemoteError(`${n} ${long}`, { pe: 1, op: "a task", cause: new RangeError(`${n} ${long}`) });
  const bytes = encodeFailures(1, Array.from({ length: 1000 }, (_, n) => fail(n)), 0);
  assert(bytes.length < 16 << 20, `${bytes.length} bytes`);
  const { errors } = decodeFailures(bytes);
  assertEquals(errors.length, 1000);
  for (const n of [0, 500, 999]) {
    const cause = errors[n]!.cause as Error;
    assert(errors[n]!.message.startsWith(`${n} xxx`) && cause.message.startsWith(`${n} xxx`));
    assertEquals(cause.name, "RangeError");
  }
});

Deno.test("Errors of errors are bounded in number", () => {
  const leaves = Array.from({ length: 1000 }, (_, n) => new Error(`${n}`));
  const branches = Array.from({ length: 1000 }, () => new AggregateError(leaves, "all"));
  const error = new RemoteError("x", { pe: 1, cause: new AggregateError(branches, "all of all") });
  const bytes = encodeFailures(1, [error], 0);
  assert(bytes.length < 16 << 20, `${bytes.length} bytes`);
  const { errors: [read] } = decodeFailures(bytes);
  const { errors } = read!.cause as AggregateError;
  assert(errors.length < 1000);
  assertEquals(errors.at(-1)!.message, `${1001 - errors.length} more errors`);
});

Deno.test("Whatever a task throws, it arrives, and the job goes on", async () => {
  const odd = [
    new Proxy(new Error("x"), {
      getPrototypeOf() {
        throw new Error("a trap");
      },
    }),
    new RemoteError("of no PE", { pe: -1 }),
    Object.assign(new RemoteError("x"), { message: 5n }),
    Object.defineProperty(new RemoteError("x"), "message", {
      get() {
        throw new Error("a trap");
      },
    }),
    undefined,
    Symbol("x"),
  ];
  for (const pe of [0, 1]) {
    setUp(2);
    const { errors } = call((engine, work) => {
      engine.launch(pe, pes.call("Keep"), undefined, work);
      engine.launch(pe, pes.call("Wait"), undefined, work);
    });
    await settle();
    const { engine, work } = kept!;
    for (const one of odd) {
      engine.track(() => Promise.reject(one), () => false, work).catch(() => {});
    }
    gates.pop()!.resolve();
    await settle();
    assertEquals(errors()!.length, odd.length);
    for (const error of errors()!) assert(error instanceof RemoteError);
    pes.network.close();
  }
});

Deno.test("A task counts before it begins, and errors that were seen are not kept", async () => {
  setUp(1);
  const engine = pes.engines[0]!;
  let counted = 0;
  await engine.track(() => counted = engine.outstanding, () => false);
  assertEquals(counted, 1);
  let seen = false;
  for (let i = 0; i < 1000; i++) {
    engine.track(() => Promise.reject(new Error(`${i}`)), () => seen).catch(() => {});
    await microtasks();
    seen = i < 990;
  }
  const left = await engine.awaitAll().catch((error) => error.errors.length);
  assert(left <= 64, `${left} are left`);
  pes.network.close();
});

/** The error of a frame that PE 1 sends to PE 0. */
function refused(kind: number, payload: Uint8Array): string {
  setUp(2);
  return refusal(pes, kind, payload).split("there is ")[1]!;
}

Deno.test("Requests of finishes that cannot be are refused", () => {
  for (const kind of [FRAME.request | IN_FINISH, FRAME.closure | IN_FINISH]) {
    for (const id of [finishId(0, 1), finishId(2, 1), -1, 0.5, NaN, 2 ** 60]) {
      const payload = new Uint8Array(new Float64Array([id]).buffer);
      assertEquals(refused(kind, payload), `a request in finish ${id}, which is not there`);
    }
    assertEquals(refused(kind, new Uint8Array(7)), "a request in finish NaN, which is not there");
  }
  const both = new Uint8Array(new Float64Array([finishId(1, 1)]).buffer);
  const text = "a request in team NaN, which this PE does not know";
  assertEquals(refused(FRAME.request | IN_FINISH | IN_TEAM, both), text);
});

/** As `refusal`, for a message about a finish. */
function refusalOf(id: number, says: number, rest = new Uint8Array()): string {
  setUp(2);
  const { outbox } = pes.engines[1]!;
  const message = { id, says, rest };
  sendService(outbox, 0, SERVICE.finishes, messageBytes(message), (views, at) => {
    writeMessage(views, at, message);
  });
  outbox.flush();
  const error = assertThrows(() => pes.network.progress[0]!.step(), ProtocolError);
  pes.network.close();
  return error.message.split("there is ")[1]!;
}

Deno.test("Messages about finishes that cannot be are refused", () => {
  const id = finishId(0, 1);
  const late = (what: string): string => {
    return `a message "${what}" about finish ${id}, which cannot come now`;
  };
  assertEquals(refusalOf(id, SAYS.joined), late("joined"));
  assertEquals(refusalOf(id, SAYS.left), late("left"));
  assertEquals(refusalOf(id, 9), `a message 9 about finish ${id}`);
  const text = new TextEncoder();
  assertEquals(refusalOf(id, SAYS.left, text.encode("{")), "a list of failures that is not JSON");
  for (const wrong of ["null", "{}", '{"failures":[{}],"further":0}', '{"failures":[]}']) {
    const lacks = "a list of failures that lacks a field";
    assertEquals(refusalOf(id, SAYS.left, text.encode(wrong)), lacks);
  }
});

Deno.test("Failures arrive with what they say", () => {
  const cause = new TypeError("inner", { cause: new Error("innermost") });
  const error = new RemoteError("outer", { pe: 3, op: "a task", cause });
  const { errors: [read], further } = decodeFailures(encodeFailures(0, [error], 5));
  assertEquals([read!.message, read!.pe, read!.op, further], ["outer", 3, "a task", 5]);
  const arrived = read!.cause as Error;
  assertEquals([arrived.name, arrived.message], ["TypeError", "inner"]);
  assertEquals((arrived.cause as Error).message, "innermost");
  assertEquals(decodeFailures(encodeFailures(0, [], 0)), { errors: [], further: 0 });
});
