/**
 * Groups of AMs: their results and their order, static fields, teams, errors, and what is refused.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  am,
  AmGroup,
  array,
  BlockedArch,
  ClosedError,
  Darc,
  darc,
  f64Array,
  LamellarTaskGroup,
  type LamellarWorld,
  localAm,
  region,
  RemoteError,
  staticField,
  str,
  typedAmGroup,
  u32,
} from "../../../mod.ts";
import { type Case, rightOf } from "../case.ts";
import { Instance } from "./darcs.ts";

let ran = 0;
const Note = am("amGroups.Note", { n: u32 }, (self) => {
  ran += self.n;
});
const Ran = am("amGroups.Ran", {}, () => ran);
const Square = am("amGroups.Square", { n: u32 }, (self) => self.n * self.n);
const Text = am(
  "amGroups.Text",
  { text: str },
  ({ text }, { currentPe }) => `${text}@${currentPe}`,
);
const Any = am("amGroups.Any", (self: { deep: unknown[] }) => self.deep);
const Listed = am("amGroups.Listed", { n: u32 }, (self) => [self.n, self.n + 1], {
  returns: array(u32),
});
const Where = am("amGroups.Where", {}, (_self, { currentPe, team }) => [currentPe, team.myPe]);
const Later = am("amGroups.Later", { n: u32 }, async (self) => {
  for (let i = 0; i < self.n % 4; i++) await new Promise((resolve) => setImmediate(resolve));
  return self.n % 2 === 0 ? self.n : undefined;
});
const Back = am(
  "amGroups.Back",
  { n: u32 },
  (self) => self.n % 2 === 0 ? Square(self) : Text({ text: "back" }),
);
const Chain = am("amGroups.Chain", { n: u32 }, (self) => Back(self));
const Closed = am("amGroups.Closed", { n: u32 }, ({ n }, lamellar) => {
  return lamellar.onReturn((n: number, pe: number) => [n, pe], [n, lamellar.currentPe]);
});
const Fail = am("amGroups.Fail", { n: u32 }, (self) => {
  if (self.n % 10 === 3) throw new RangeError(`group AM ${self.n}`);
  return self.n;
});
const FailLater = am("amGroups.FailLater", { n: u32 }, async (self) => {
  await undefined;
  throw new RangeError(`later ${self.n}`);
});
const NoResult = am("amGroups.NoResult", { n: u32 }, (self) => {
  return self.n === 1 ? { f: () => 1 } : { n: self.n };
});
const Weigh = am(
  "amGroups.Weigh",
  { by: staticField(f64Array), at: u32, scale: staticField(u32) },
  (self) => self.by[self.at]! * self.scale,
);
const Into = am(
  "amGroups.Into",
  { into: staticField(region("u32")), at: u32 },
  (self, lamellar) => {
    self.into.add(lamellar.currentPe, self.at, 1);
  },
);
const Inner = am("amGroups.Inner", { width: u32 }, async (self, { team }) => {
  const group = typedAmGroup(Square, team);
  for (let n = 0; n < self.width; n++) group.addAmPe(n % team.numPes, Square({ n }));
  const results = await group.exec();
  return Array.from(results, (one) => one.kind === "pe" ? one.value : -1);
});
const Shared = am(
  "amGroups.Shared",
  { all: staticField(darc<Instance>()), one: darc<Instance>(), n: u32 },
  async (self) => {
    self.all.value.count += self.n;
    for (let i = 0; i < self.n % 3; i++) await new Promise((resolve) => setImmediate(resolve));
    self.one.value.count++;
  },
);
const GiveBack = am("amGroups.GiveBack", { one: darc<Instance>() }, (self) => self.one);
const Local = localAm((_self: { f: () => void }) => 1);

async function stillWorks(world: LamellarWorld): Promise<void> {
  const group = typedAmGroup(Square, world);
  group.addAmAll(Square({ n: 5 }));
  assertEquals([...await group.exec()], [{ kind: "all", values: Array(world.numPes).fill(25) }]);
}

/** The cases of rows AM-04, AM-20 and AM-21. */
export const AM_GROUP_CASES: readonly Case[] = [
  {
    name: "A typed group gives its results in the order in which AMs were added",
    async run(world, t) {
      for (const count of [1, 10, 5000]) {
        const group = typedAmGroup(Square, world);
        const pes = Array.from(
          { length: count },
          () => Math.floor(t.random() * (world.numPes + 1)),
        );
        pes.forEach((pe, n) => {
          if (pe === world.numPes) group.addAmAll(Square({ n }));
          else group.addAmPe(pe, Square({ n }));
        });
        assertEquals(group.length, count);
        const results = await group.exec();
        assertEquals(results.length, count);
        for (const [n, result] of [...results].entries()) {
          const pe = pes[n]!;
          if (pe < world.numPes) assertEquals(result, { kind: "pe", pe, value: n * n });
          else assertEquals(result, { kind: "all", values: Array(world.numPes).fill(n * n) });
          if (n % 100 === 0) assertEquals(results.at(n), result);
        }
        for (const wrong of [-1, count, 0.5]) assertThrows(() => results.at(wrong), RangeError);
      }
    },
  },
  {
    name: "A group takes AMs of any kind, whose results keep their order and their types",
    async run(world) {
      const group = new AmGroup(world);
      const right = rightOf(world);
      const text = "a text of some length, with ü and \u{1f600}";
      for (let n = 0; n < 300; n++) {
        group.addAmPe(right, Square({ n }));
        group.addAmPe(right, Text({ text: text.slice(0, n % 40) }));
        group.addAmPe(right, Any({ deep: [n, [null, "x"], { n }] }));
        group.addAmPe(right, Listed({ n }));
        group.addAmPe(right, Note({ n: 0 }));
        group.addAmAll(Where({}));
      }
      const values = [...await group.exec()].map((one) =>
        one.kind === "pe" ? one.value : one.values
      );
      const all = world.team.getPes().map((pe) => [pe, pe]);
      for (let n = 0; n < 300; n++) {
        assertEquals(values.slice(6 * n, 6 * n + 6), [
          n * n,
          `${text.slice(0, n % 40)}@${right}`,
          [n, [null, "x"], { n }],
          [n, n + 1],
          undefined,
          all,
        ]);
      }
    },
  },
  {
    name: "Every AM of a group runs once, and waitAll() covers a group whose handle was ignored",
    async run(world) {
      ran = 0;
      await world.asyncBarrier();
      for (const isTyped of [true, false]) {
        const group = isTyped ? typedAmGroup(Note, world) : new AmGroup(world);
        for (let i = 0; i < 20_000; i++) group.addAmPe(i % world.numPes, Note({ n: 1 }));
        for (let i = 0; i < 100; i++) group.addAmAll(Note({ n: 1 }));
        group.exec();
      }
      world.waitAll();
      world.barrier();
      const all = await world.execAmAll(Ran({}));
      assertEquals(
        all.reduce((sum, n) => sum + n),
        2 * (20_000 + 100 * world.numPes) * world.numPes,
      );
      await world.asyncBarrier();
    },
  },
  {
    name: "A group that nothing was added to is done at once, with no results",
    async run(world) {
      for (const group of [new AmGroup(world), typedAmGroup(Square, world)]) {
        assertEquals(group.length, 0);
        const handle = group.exec();
        assert(handle.done);
        assertEquals([handle.block().length, [...await handle]], [0, []]);
      }
    },
  },
  {
    name: "A group that was executed takes no more AMs, and is not executed again",
    async run(world) {
      const group = new AmGroup(world);
      group.addAmPe(0, Square({ n: 1 }));
      const handle = group.exec();
      assertThrows(() => group.addAmPe(0, Square({ n: 1 })), ClosedError, "has been executed");
      assertThrows(() => group.addAmAll(Square({ n: 1 })), ClosedError, "has been executed");
      assertThrows(
        () => group.exec(),
        ClosedError,
        "Cannot call exec: the group has been executed",
      );
      assertEquals(handle.block().length, 1);
      assert(await handle === handle.block());
    },
  },
  {
    name: "A group of a team numbers PEs as the team does, and a task group waits for it",
    async run(world) {
      const team = (await world.split({ color: world.myPe % 2, key: -world.myPe }))!;
      const tasks = new LamellarTaskGroup(team);
      for (const  of of[world.team, team, tasks]) {
        const group = typedAmGroup(Where, of);
        for (let pe = 0; pe < of.numPes; pe++) group.addAmPe(pe, Where({}));
        group.addAmAll(Where({}));
        const places = of.team.team === world.team ? world.team.getPes() : team.getPes();
        const expected = places.map((pe, i) => [pe, i]);
        const results = [...await group.exec()];
        assertEquals(results.slice(0, -1).map((one) => one.kind === "pe" && one.value), expected);
        assertEquals(results.at(-1), { kind: "all", values: expected });
        assertThrows(() => typedAmGroup(Where, of).addAmPe(of.numPes, Where({})), RangeError);
      }
      const later = typedAmGroup(Later, tasks);
      for (let n = 0; n < 10; n++) later.addAmAll(Later({ n }));
      const handle = later.exec();
      await tasks.awaitAll();
      assert(handle.done);
      await team.close();
      assertThrows(() => new AmGroup(team), ClosedError, "is closed");
    },
  },
  {
    name: "A group has async handlers, and AMs and closures that come back to run at the origin",
    async run(world) {
      const group = new AmGroup(world);
      const right = rightOf(world);
      for (let n = 0; n < 20; n++) {
        group.addAmPe(right, Later({ n }));
        group.addAmPe(right, Back({ n }));
        group.addAmPe(right, Chain({ n }));
        group.addAmPe(right, Closed({ n }));
      }
      const values = [...await group.exec()].map((one) => one.kind === "pe" && one.value);
      for (let n = 0; n < 20; n++) {
        const back = n % 2 === 0 ? n * n : `back@${world.myPe}`;
        const later = n % 2 === 0 ? n : undefined;
        assertEquals(values.slice(4 * n, 4 * n + 4), [later, back, back, [n, right]]);
      }
      const quick = typedAmGroup(Back, world);
      quick.addAmAll(Back({ n: 4 }));
      assertEquals(quick.exec().block().at(0), {
        kind: "all",
        values: Array(world.numPes).fill(16),
      });
    },
  },
  {
    name: "Static fields arrive as they were, and travel once for each message",
    async run(world) {
      const by = Float64Array.from({ length: 4000 }, (_, i) => i + 0.5);
      const group = typedAmGroup(Weigh, world);
      const right = rightOf(world);
      const before = world.mbSent;
      for (let at = 0; at < 4000; at++) group.addAmPe(right, Weigh({ by, at, scale: 3 }));
      const results = await group.exec();
      const sent = world.mbSent - before;
      for (let at = 0; at < 4000; at += 7) {
        assertEquals(results.at(at), { kind: "pe", pe: right, value: 3 * (at + 0.5) });
      }
      // Each of 4000 AMs by itself would take 32 kB.
      assert(sent < 8, `${sent} MB were sent`);
      assertEquals(await world.execAmPe(right, Weigh({ by, at: 9, scale: 2 })), 19);
    },
  },
  {
    name: "A static field may be a region, which all AMs of the group work on",
    async run(world) {
      const into = await world.allocSharedMemRegion("u32", 10);
      const group = typedAmGroup(Into, world);
      for (let i = 0; i < 1000; i++) group.addAmAll(Into({ into, at: i % 10 }));
      await group.exec();
      await world.asyncBarrier();
      assertEquals([...into.asSlice()], Array(10).fill(100 * world.numPes));
      await world.asyncBarrier();
    },
  },
  {
    name: "Darcs in a group are held until its handlers are over, and freed then",
    async run(world) {
      const [all, one] = [new Instance(world.myPe), new Instance(world.myPe)];
      const handles = [await Darc.create(world, all), await Darc.create(world, one)] as const;
      const group = typedAmGroup(Shared, world);
      const back = typedAmGroup(GiveBack, world);
      for (let n = 0; n < 1000; n++) {
        // A handle that was added may be disposed of at once.
        using first = handles[0].clone();
        using second = handles[1].clone();
        group.addAmPe(n % world.numPes, Shared({ all: first, one: second, n }));
      }
      back.addAmAll(GiveBack({ one: handles[1] }));
      for (const handle of handles) handle.dispose();
      await group.exec();
      const [results] = await back.exec();
      assert(results?.kind === "all");
      for (const given of results.values) {
        assertEquals(given.value.pe, world.myPe);
        given.dispose();
      }
      await Promise.all([all.freed, one.freed]);
      await world.asyncBarrier();
      assertEquals(Instance.live, 0);
    },
  },
  {
    name: "A static field that differs is refused, and the AMs that were added run all the same",
    async run(world) {
      const group = typedAmGroup(Weigh, world);
      const by = new Float64Array([1, 2, 3]);
      group.addAmPe(0, Weigh({ by, at: 0, scale: 2 }));
      const text = 'its static fields ("by", "scale") must have the values of the first AM';
      assertThrows(() => group.addAmPe(0, Weigh({ by, at: 1, scale: 3 })), TypeError, text);
      assertThrows(
        () => group.addAmAll(Weigh({ by: by.slice(1), at: 1, scale: 2 })),
        TypeError,
        text,
      );
      group.addAmPe(0, Weigh({ by: by.slice(), at: 1, scale: 2 }));
      by[2] = 4;
      assertThrows(() => group.addAmPe(0, Weigh({ by, at: 1, scale: 2 })), TypeError, text);
      const values = [...await group.exec()].map((one) => one.kind === "pe" && one.value);
      assertEquals(values, [2, 4]);
    },
  },
  {
    name: "The error of an AM of a group names the AM and the PE; several come together",
    async run(world) {
      const right = rightOf(world);
      const one = typedAmGroup(Fail, world);
      for (let n = 0; n < 10; n++) one.addAmPe(right, Fail({ n }));
      const handle = one.exec();
      const error = await assertRejects(async () => await handle, RemoteError);
      const text = `AM "amGroups.Fail" failed on PE ${right}: RangeError: group AM 3`;
      assertEquals([error.message, error.pe], [text, right]);
      assertInstanceOf(error.cause, RangeError);
      assertMatch(error.cause.stack!, /am_groups\.ts/);
      assertThrows(() => handle.block(), RemoteError, text);
      const several = new AmGroup(world);
      several.addAmAll(FailLater({ n: 1 }));
      for (let n = 0; n < 25; n++) several.addAmPe(right, Fail({ n }));
      const all = await assertRejects(async () => await several.exec(), AggregateError);
      assertEquals(all.errors.length, world.numPes + 3);
      assert(all.errors.every((one) => one instanceof RemoteError));
      const texts = all.errors.map(({ message }) => message.replace(/.*: /, "")).sort();
      const later = Array(world.numPes).fill("later 1");
      assertEquals(texts, ["group AM 13", "group AM 23", "group AM 3", ...later]);
      await world.awaitAll();
    },
  },
  {
    name: "The errors of a group whose handle was ignored surface in waitAll()",
    async run(world) {
      const group = typedAmGroup(Fail, world);
      for (let n = 0; n < 10; n++) group.addAmPe(rightOf(world), Fail({ n }));
      group.exec();
      const error = assertThrows(() => world.waitAll(), RemoteError);
      assertMatch(error.message, /^AM "amGroups.Fail" failed on PE \d: RangeError: group AM 3$/);
      await world.awaitAll();
      const other = new AmGroup(world);
      other.addAmPe(0, Fail({ n: 3 }));
      const first = other.exec();
      await assertRejects(async () => await first, RemoteError, "group AM 3");
      await world.awaitAll();
    },
  },
  {
    name: "A result that cannot be sent fails its AM, and a handler may not block on a group",
    async run(world) {
      const group = typedAmGroup(NoResult, world);
      for (let n = 0; n < 3; n++) group.addAmPe(rightOf(world), NoResult({ n }));
      const error = await assertRejects(async () => await group.exec(), RemoteError);
      assertMatch(
        error.message,
        /^AM "amGroups.NoResult" failed on PE \d+: TypeError: Cannot send/,
      );
      await stillWorks(world);
    },
  },
  {
    name: "What cannot be added is refused, and the group goes on",
    async run(world) {
      const group = typedAmGroup(Square, world);
      for (const pe of [-1, world.numPes, 0.5, NaN]) {
        assertThrows(() => group.addAmPe(pe, Square({ n: 1 })), RangeError, "Cannot call addAmPe");
      }
      assertThrows(() => group.addAmPe(0, Square({ n: -1 })), RangeError, 'Field "n"');
      assertThrows(() => group.addAmAll(Square({ n: "1" as never })), TypeError, 'Field "n"');
      const other = `Cannot add AM "amGroups.Fail" to a group of AM "amGroups.Square"`;
      assertThrows(() => group.addAmPe(0, Fail({ n: 1 }) as never), TypeError, other);
      assertThrows(() => group.addAmPe(0, Square as never), TypeError, "call it with its payload");
      assertThrows(() => group.addAmPe(0, undefined as never), TypeError, "not an AM");
      const getter = {
        get n() {
          group.addAmPe(0, Square({ n: 1 }));
          return 1;
        },
      };
      assertThrows(
        () => group.addAmPe(0, Square(getter)),
        TypeError,
        "while the payload of another",
      );
      assertEquals(group.length, 0);
      group.addAmPe(0, Square({ n: 7 }));
      assertEquals([...await group.exec()], [{ kind: "pe", pe: 0, value: 49 }]);
      const any = new AmGroup(world);
      assertThrows(() => any.addAmPe(0, Local({ f: () => {} })), TypeError, "do not travel");
      assertThrows(() => typedAmGroup(Local, world), TypeError, "the local AM");
      assertThrows(() => typedAmGroup(Square({ n: 1 }) as never, world), TypeError, "an AM that");
      for (const wrong of [undefined, {}, 3]) {
        assertThrows(() => new AmGroup(wrong as never), TypeError, "neither a world nor a team");
      }
    },
  },
  {
    name: "Handlers make groups of the team that they get",
    async run(world) {
      const team = await world.createTeamFromArch(new BlockedArch(0, world.numPes));
      const squares = Array.from({ length: 100 }, (_, n) => n * n);
      assertEquals(await team.execAmPe(0, Inner({ width: 100 })), squares);
      const group = typedAmGroup(Inner, team);
      group.addAmAll(Inner({ width: 10 }));
      const [first] = await group.exec();
      assertEquals(first, { kind: "all", values: Array(world.numPes).fill(squares.slice(0, 10)) });
    },
  },
  {
    name: "Payloads longer than a ring, and as many short ones as there are, go through a group",
    async run(world, t) {
      const group = typedAmGroup(Text, world);
      const lengths = Array.from({ length: 200 }, () => Math.floor(t.random() ** 4 * 100_000));
      lengths.forEach((length, i) => {
        group.addAmPe(i % world.numPes, Text({ text: "x".repeat(length) }));
      });
      const results = await group.exec();
      lengths.forEach((length, i) => {
        const pe = i % world.numPes;
        const result = results.at(i);
        assert(result.kind === "pe" && result.value === `${"x".repeat(length)}@${pe}`, `${length}`);
      });
    },
  },
];
