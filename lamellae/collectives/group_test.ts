import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CollectiveMismatchError, LamellarError, PeFailedError } from "../../internal/errors.ts";
import { randomizer } from "../../internal/kernels_test_bench.ts";
import { EXCHANGE_BYTES } from "../../internal/limits.ts";
import type { CollectiveKind } from "./collective_call.ts";
import type { PeGroup } from "./group.ts";
import type { Continuation } from "./operation.ts";
import { PeGroups } from "./groups.ts";
import { localPes, type Pe, settle } from "../pes_test.ts";
import { LANES } from "../lanes.ts";
import { newSeed } from "../../internal/random_test_numbers.ts";

/** A PE with the group of all. */
interface Member extends Pe {
  readonly group: PeGroup;
}

/** PEs that only move when they are stepped. */
function members(numPes: number, factor: number, turns = 0): Member[] {
  return localPes(numPes).pes.map((pe) => {
    pe.progress.close();
    return { ...pe, group: new PeGroups(pe.progress).world(factor, turns) };
  });
}

/** Enters a collective; `done` turns true some microtasks after it is over. */
function enter(member: Member, kind: CollectiveKind = "barrier", args = ""): { done: boolean } {
  const state = { done: false };
  member.group.call(kind, { args }).finished().then(() => state.done = true);
  return state;
}

/** Lets the reactions run to promises that are settled. */
async function microtasks(): Promise<void> {
  for (let i = 0; i < 6; i++) await undefined;
}

for (let factor = 1; factor <= 7; factor++) {
  Deno.test(`With ${factor} partners a round, nobody leaves before all are there`, async () => {
    for (let numPes = 1; numPes <= 17; numPes++) {
      const all = members(numPes, factor);
      for (let late = 0; late < numPes; late++) {
        const states = all.map((member, pe) => pe === late ? { done: false } : enter(member));
        settle(all);
        await microtasks();
        const early = states.findIndex(({ done }) => done);
        assertEquals(early, -1, `PE ${early} of ${numPes} did not wait for PE ${late}`);
        states[late] = enter(all[late]!);
        settle(all);
        await microtasks();
        assert(states.every(({ done }) => done), `${numPes} PEs, PE ${late} last`);
      }
    }
  });
}

Deno.test("A blocking barrier waits for everybody, whoever called the other form", async () => {
  for (const [numPes, factor] of [[2, 1], [3, 1], [4, 3], [5, 2], [8, 1], [13, 4]] as const) {
    const all = members(numPes, factor);
    let blocked = -1;
    let others: Member[] = [];
    let states: { done: boolean }[] = [];
    let steps = 0;
    // While one blocks, the others arrive one after the other.
    all.forEach(({ progress }, pe) =>
      progress.addPoller(() => {
        if (pe !== blocked) return 0;
        const next = others[states.length];
        if (next && ++steps % 3 === 0) states.push(enter(next));
        settle(others);
        return 1;
      })
    );
    for (let pe = 0; pe < numPes; pe++) {
      others = all.filter((_, other) => other !== pe);
      states = [];
      blocked = pe;
      all[pe]!.group.barrier();
      blocked = -1;
      assertEquals(states.length, others.length, `PE ${pe} of ${numPes} left early`);
      settle(others);
      await microtasks();
      assert(states.every(({ done }) => done));
    }
  }
});

Deno.test("A blocking barrier behind queued collectives comes after these", async () => {
  const [a, b] = members(2, 1) as [Member, Member];
  const first = enter(a, "world close");
  const order: string[] = [];
  let calls = 0;
  a.progress.addPoller(() => {
    if (++calls > 3) return 0;
    if (calls === 1) enter(b, "world close");
    if (calls === 2) enter(b);
    order.push(`step ${calls}`);
    return 1 + b.progress.step();
  });
  a.group.barrier();
  await microtasks();
  assert(first.done);
  assertEquals(order.slice(0, 2), ["step 1", "step 2"]);
});

Deno.test("The numbers of collectives wrap, with a partner one ahead at every step", async () => {
  for (const numPes of [2, 3, 5]) {
    for (let ahead = 0; ahead < numPes; ahead++) {
      const all = members(numPes, 1, 0x0fffffff - 2);
      const done = all.map(() => 0);
      const count = 5 * LANES;
      all.forEach((member, pe) => {
        for (let i = 0; i < count; i++) {
          member.group.call("build", { own: Uint8Array.of(pe, i) }).finished().then((all) => {
            all.forEach((bytes, other) => assertEquals([...bytes.slice(0, 2)], [other, i]));
            done[pe]!++;
          });
        }
      });
      // One PE always goes on as far as it can before the others look.
      for (let turn = 0; turn < 1000; turn++) {
        settle([all[ahead]!]);
        all[turn % numPes]!.progress.step();
      }
      await microtasks();
      assertEquals(done, all.map(() => count), `${numPes} PEs, PE ${ahead} ahead`);
    }
  }
});

Deno.test("Everyone gets everyone's bytes, up to the most there may be", () => {
  for (const numPes of [1, 2, 7]) {
    const all = members(numPes, 2);
    for (const length of [0, 1, EXCHANGE_BYTES]) {
      const handles = all.map(({ group }, pe) =>
        group.call("build", { own: new Uint8Array(length).fill(pe + length) })
      );
      settle(all);
      const expected = all.map((_, pe) => new Uint8Array(length).fill(pe + length));
      for (const handle of handles) {
        assertEquals(handle.block(), expected);
      }
    }
  }
});

Deno.test("More bytes than a collective exchanges are refused before anything is signalled", () => {
  const all = members(2, 1);
  const own = new Uint8Array(EXCHANGE_BYTES + 1);
  assertThrows(() => all[0]!.group.call("build", { own }), RangeError, "513 bytes");
  const handles = all.map(({ group }) => group.call("barrier"));
  settle(all);
  assertEquals(handles.map((handle) => handle.block()), [[], []]);
});

Deno.test("What a collective gave stays as it was when later ones exchange other bytes", () => {
  const all = members(3, 1);
  const round = (value: number): Uint8Array[][] => {
    const handles = all.map(({ group }, pe) =>
      group.call("build", { own: Uint8Array.of(value + pe) })
    );
    settle(all);
    return handles.map((handle) => handle.block());
  };
  const first = round(10);
  round(20);
  round(30);
  for (const bytes of first) assertEquals(bytes.map((one) => one[0]), [10, 11, 12]);
});

Deno.test("Collectives of many kinds run side by side, and none passes a barrier", async () => {
  const seed = newSeed();
  const below = randomizer(seed);
  const kinds: CollectiveKind[] = ["barrier", "build", "allReduce", "broadcast", "gather", "scan"];
  const all = members(6, 2);
  const script = Array.from({ length: 80 }, (_, i) => {
    const kind = kinds[below(kinds.length)]!;
    return { kind, args: `${i}`, turns: 1 + below(4) };
  });
  const called = all.map(() => 0);
  const ended: number[][] = all.map(() => []);
  for (let turn = 0; turn < 200_000 && ended.some((list) => list.length < 80); turn++) {
    const pe = below(all.length);
    const { group, progress } = all[pe]!;
    if (below(3) === 0 && called[pe]! < script.length) {
      const number = called[pe]!++;
      const { kind, args, turns } = script[number]!;
      const own = Uint8Array.of(pe, number);
      const goesOn: Continuation = (bytes, over) => {
        assertEquals(bytes.map((one) => [one[0], one[1]]), all.map((_, i) => [i, number]));
        return over === turns ? undefined : { ready: () => below(3) === 0, own: () => own };
      };
      // Nobody may be over with what somebody has not called.
      group.call(kind, { args, own, goesOn }).finished().then(() => {
        assert(called.every((count) => count > number), `seed ${seed}: left early`);
        ended[pe]!.push(number);
      });
    } else progress.step();
    await undefined;
  }
  await microtasks();
  for (const list of ended) {
    assertEquals(list.length, script.length, `seed ${seed}`);
    list.forEach((number, place) => {
      const { kind } = script[number]!;
      if (kind !== "barrier" && kind !== "build") return;
      const before = list.slice(0, place);
      assert(place === number && before.every((other) => other < number), `seed ${seed}`);
    });
  }
  const overtaken = ended.some((list) => list.some((number, place) => number !== place));
  assert(overtaken, `seed ${seed}: nothing ran side by side`);
});

/** Calls a collective with a second turn, for which a PE waits until it is let go. */
function enterHeld(member: Member, state: { held: boolean }): { done: boolean } {
  const own = Uint8Array.of(member.lamella.pe);
  const done = { done: false };
  const goesOn: Continuation = (_, turn) =>
    turn === 1 ? { ready: () => !state.held, own: () => own } : undefined;
  member.group.call("allReduce", { own, goesOn }).finished().then(() => done.done = true);
  return done;
}

Deno.test("Eight collectives of a group run side by side, and the ninth waits", async () => {
  const all = members(2, 1);
  const state = { held: true };
  const first = all.map((member) => enterHeld(member, state));
  const later = all.map((member) => Array.from({ length: 9 }, () => enter(member, "broadcast")));
  settle(all);
  await microtasks();
  assertEquals(first.map(({ done }) => done), [false, false]);
  for (const list of later) {
    assertEquals(list.map(({ done }) => done), [...Array(7).fill(true), false, false]);
  }
  state.held = false;
  settle(all);
  await microtasks();
  assert([...first, ...later.flat()].every(({ done }) => done));
});

Deno.test("A barrier waits for all before it, and holds back what comes after", async () => {
  const all = members(2, 1);
  const state = { held: true };
  const first = all.map((member) => enterHeld(member, state));
  const behind = all.flatMap((member) => [enter(member), enter(member, "broadcast")]);
  settle(all);
  await microtasks();
  assert([...first, ...behind].every(({ done }) => !done));
  state.held = false;
  settle(all);
  await microtasks();
  assert([...first, ...behind].every(({ done }) => done));
});

Deno.test("A collective can be awaited and blocked on any number of times", async () => {
  const all = members(2, 1);
  const handles = all.map(({ group }) => group.call("barrier"));
  const waits = [handles[0]!.finished(), handles[0]!.finished(), handles[1]!.finished()];
  settle(all);
  assertEquals((await Promise.all(waits)).length, 3);
  assertEquals(handles[0]!.block(), await handles[0]!.finished());
});

Deno.test("PEs that call different collectives fail, naming both sides", async () => {
  const [a, b] = members(2, 1) as [Member, Member];
  const handle = a.group.call("barrier");
  const other = b.group.call("allocSharedMemRegion", { args: "u8, 100" });
  const rejected = assertRejects(() => other.finished(), PeFailedError);
  const error = assertThrows(() => {
    settle([a]);
    handle.block();
  }, CollectiveMismatchError);
  assertEquals(
    error.message,
    "PE 0 called barrier as collective number 1 of the world where PE 1 called " +
      "allocSharedMemRegion(u8, 100): all PEs of the world must call the same collectives in the " +
      "same order",
  );
  assertEquals([error.pe, error.op], [1, "barrier"]);
  assertThrows(() => b.progress.checkFailure(), PeFailedError, error.message);
  await rejected;
});

Deno.test("A blocking barrier fails where the partner calls something else", () => {
  const [a, b] = members(2, 1) as [Member, Member];
  b.group.call("world close");
  assertThrows(
    () => a.group.barrier(),
    CollectiveMismatchError,
    "PE 0 called barrier as collective number 1 of the world where PE 1 called world close",
  );
});

Deno.test("PEs that differ in the arguments fail, naming those of both", () => {
  const [a, b] = members(2, 1) as [Member, Member];
  a.group.call("allocSharedMemRegion", { args: "f64, 10" });
  const handle = b.group.call("allocSharedMemRegion", { args: "f64, 11" });
  const error = assertThrows(() => {
    settle([b]);
    handle.block();
  }, CollectiveMismatchError);
  assert(
    error.message.startsWith(
      "PE 1 called allocSharedMemRegion(f64, 11) as collective number 1 of the world where PE 0 " +
        "called allocSharedMemRegion(f64, 10): ",
    ),
    error.message,
  );
});

Deno.test("Arguments that are too long to travel are compared all the same", () => {
  const [a, b] = members(2, 1) as [Member, Member];
  const long = "f64, ".repeat(20);
  a.group.call("allocSharedMemRegion", { args: `${long}1` });
  const handle = b.group.call("allocSharedMemRegion", { args: `${long}2` });
  settle([b]);
  assertThrows(
    () => handle.block(),
    CollectiveMismatchError,
    "where PE 0 called allocSharedMemRegion with other arguments: all PEs",
  );
});

Deno.test("A handler may call what comes after the barrier its program blocks in", async () => {
  const all = members(2, 1);
  const [a, b] = all as [Member, Member];
  const states: { done: boolean }[] = [];
  let steps = 0;
  a.progress.addPoller(() => {
    steps++;
    if (steps === 1) states.push(enter(a), enter(a));
    if (steps === 2) states.push(enter(b));
    return steps < 4 ? 1 + b.progress.step() : 0;
  });
  a.group.barrier();
  settle(all);
  await microtasks();
  assertEquals(states.map(({ done }) => done), [false, false, true]);
  states.push(enter(b), enter(b));
  settle(all);
  await microtasks();
  assert(states.every(({ done }) => done));
});

Deno.test("A mismatch that only a later round sees is found too", async () => {
  // With one partner a round, PE 0 hears of PE 1 by way of PE 3 at first.
  const all = members(4, 1);
  const kinds: CollectiveKind[] = ["barrier", "world close", "barrier", "barrier"];
  all.forEach(({ group }, pe) => group.call(kinds[pe]!));
  settle(all);
  // Whoever awaited it would come first.
  await new Promise((resolve) => setTimeout(resolve, 0));
  const { message } = all[0]!.lamella.failure()!;
  assert(/PE [02] called barrier .* PE 1 called world close|PE 1 called world close/.test(message));
});

Deno.test("When the job fails, what is in flight settles and nothing new begins", async () => {
  const [a, b] = members(2, 1) as [Member, Member];
  const handles = ["barrier", "world close"].map((kind) => a.group.call(kind as CollectiveKind));
  const waits = handles.map((handle) => assertRejects(() => handle.finished(), PeFailedError));
  b.lamella.fail(new Error("on purpose"));
  assertThrows(() => a.progress.checkFailure(), PeFailedError, "on purpose");
  await Promise.all(waits);
  for (const handle of handles) assertThrows(() => handle.block(), PeFailedError, "on purpose");
  assertThrows(() => a.group.call("barrier"), PeFailedError, "on purpose");
  assertThrows(() => a.group.barrier(), PeFailedError, "on purpose");
  assertEquals(a.group.waitingFor(), -1);
});

Deno.test("waitingFor() names the PE whose signal is missing", () => {
  const all = members(5, 2);
  assertEquals(all[0]!.group.waitingFor(), -1);
  all.forEach((member, pe) => pe === 3 || member.group.call("barrier"));
  settle(all);
  // With two partners a round PEs 4 and 0 hear of PE 3 directly.
  assertEquals([4, 0].map((pe) => all[pe]!.group.waitingFor()), [3, 3]);
});

Deno.test("A barrier inside a handler is refused before anybody is signalled", () => {
  const [a, b] = members(2, 1) as [Member, Member];
  let error: unknown;
  a.progress.addPoller(() => {
    error ??= assertThrows(() => a.group.barrier(), LamellarError, "Cannot call barrier");
    return 0;
  });
  a.progress.step();
  assertEquals((error as LamellarError).code, "ERR_BLOCKING_IN_HANDLER");
  b.group.call("barrier");
  settle([b]);
  assertEquals(b.group.waitingFor(), 0);
});
