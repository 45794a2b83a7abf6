import { assert, assertEquals, assertThrows } from "@std/assert";
import type { HandlerTeam } from "../am/mod.ts";
import { enginePes } from "../am/pes_test.ts";
import {
  ClosedError,
  CollectiveMismatchError,
  LamellarError,
  ProtocolError,
} from "../internal/errors.ts";
import { EXCHANGE_BYTES } from "../internal/limits.ts";
import { PeGroups } from "../lamellae/mod.ts";
import { compareContributions, writeContribution } from "./team_creation.ts";
import { hash53, Team, type TeamParent, Teams } from "./teams.ts";

function parentOf(numPes: number): TeamParent {
  const pes = Array.from({ length: numPes }, (_, pe) => pe + 100);
  return {
    name: "the world",
    path: "",
    pes,
    parentPes: pes,
    children: 0,
    createOp: "createTeamFromArch",
    me: 0,
    group: undefined,
  };
}

/** Makes teams that this PE is no member of. */
function maker(): { team(path: string, members: readonly number[]): Team; teams: Teams } {
  const { network, engines } = enginePes({});
  const [engine, progress] = [engines[0]!, network.progress[0]!];
  const groups = new PeGroups(progress);
  const parent = parentOf(256);
  const view = (): HandlerTeam => ({}) as HandlerTeam;
  const team = (path: string, parentPes: readonly number[]): Team =>
    new Team({
      engine,
      groups,
      path,
      pes: parentPes.map((pe) => parent.pes[pe]!),
      parentPes,
      view,
    });
  return {
    team,
    teams: new Teams(progress, ({ path, parentPes }) => team(path, parentPes)),
  };
}

Deno.test("The ids of teams are exact numbers, and those of many paths differ", () => {
  const ids = new Set<number>();
  for (let i = 0; i < 300; i++) for (let j = 0; j < 300; j++) ids.add(hash53(`${i}.${j}`));
  assertEquals(ids.size, 90_000);
  assert([...ids].every((id) => Number.isSafeInteger(id) && id >= 0));
});

Deno.test("Two teams of one id are refused, even if the first is closed", () => {
  const { team, teams } = maker();
  const first = teams.add(team("1.2", [1]));
  const text = "Cannot create team 1.2: its id is that of team 1.2";
  const error = assertThrows(() => teams.add(team("1.2", [2])), LamellarError, text);
  assertEquals(error.code, "ERR_TEAM_ID");
  teams.close(first);
  assertThrows(() => teams.add(team("1.2", [2])), LamellarError, text);
  const other = teams.add(team("2.1", [2]));
  teams.remove(other);
  teams.add(team("2.1", [2]));
});

Deno.test("A team that was given up is known as long as anything of it is under way", () => {
  const { team, teams } = maker();
  for (let i = 0; i < 1000; i++) {
    const one = teams.add(team(`1.${i}`, [1]));
    assert(teams.knows(one.id));
    one.work.begin(false);
    teams.giveUp(one);
    assert(teams.knows(one.id));
    one.work.end(false);
    assert(!teams.knows(one.id));
    // A handler that still has it may launch in it.
    one.work.begin(true);
    assert(teams.knows(one.id));
    one.work.end(true);
    assertEquals([teams.knows(one.id), teams.context(one.id)], [false, undefined]);
  }
  const closed = teams.add(team("2", [1]));
  teams.close(closed);
  teams.giveUp(closed);
  assertThrows(() => teams.context(closed.id), ClosedError, "team 2 is closed");
});

Deno.test("A PE learns of others what teams are that it had given up, and keeps a few", () => {
  const { team, teams } = maker();
  const descriptions = Array.from({ length: 200 }, (_, i) => {
    const one = teams.add(team(`${i}`, [1, 0]));
    const description = teams.describe(one.id);
    teams.giveUp(one);
    assertEquals(teams.describe(one.id).length, 0);
    return { id: one.id, description };
  });
  for (const { id, description } of descriptions) {
    teams.learn(id, description);
    teams.learn(id, description);
    assert(teams.context(id));
    teams.context(descriptions[0]!.id);
  }
  const known = descriptions.filter(({ id }) => teams.knows(id));
  assertEquals([known.length, known[0], known[1]], [64, descriptions[0], descriptions[137]]);
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const wrong = ["", "{", "null", '{"path":"1","pes":[0]}', '{"path":1,"pes":[0],"parentPes":[0]}'];
  for (const text of [...wrong, '{"path":"1","pes":[-1],"parentPes":[0]}']) {
    assertThrows(() => teams.learn(5, bytes(text)), ProtocolError, "a description", text);
  }
  const other = bytes('{"path":"1","pes":[0],"parentPes":[0]}');
  assertThrows(() => teams.learn(5, other), ProtocolError, "a description of team 1 for team 5");
});

Deno.test("PEs with the same members agree, however many there are", () => {
  const { team } = maker();
  const members = Array.from({ length: 128 }, (_, i) => 2 * i);
  const all = [1, 2, 3].map(() => writeContribution(team("1", members)));
  compareContributions(parentOf(3), all);
  assert(all.every((bytes) => bytes.length <= EXCHANGE_BYTES));
});

Deno.test("PEs that disagree name both sides, in a text that fits", () => {
  const { team } = maker();
  const members = Array.from({ length: 128 }, (_, i) => 2 * i);
  const long = writeContribution(team("1", members));
  const other = writeContribution(team("1", members.with(127, 255)));
  assert(long.length <= EXCHANGE_BYTES);
  const error = assertThrows(
    () => compareContributions(parentOf(3), [long, long, other]),
    CollectiveMismatchError,
  );
  assertEquals([error.pe, error.op], [102, "createTeamFromArch"]);
  assert(/PE 100 called createTeamFromArch for PEs 0, 2, 4, .*… of the world/.test(error.message));
  const refused = writeContribution(new TypeError("ü€".repeat(1000)));
  assert(refused.length <= EXCHANGE_BYTES);
  assertThrows(
    () => compareContributions(parentOf(2), [long, refused]),
    CollectiveMismatchError,
    "where PE 101 could not: ü€ü€",
  );
});
