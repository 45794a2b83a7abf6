import { assert, assertEquals, assertThrows } from "@std/assert";
import type { HandlerTeam } from "../am/mod.ts";
import { enginePes } from "../am/pes_test.ts";
import { CollectiveMismatchError, LamellarError } from "../internal/errors.ts";
import { EXCHANGE_BYTES } from "../internal/limits.ts";
import { compareContributions, writeContribution } from "./team_creation.ts";
import { hash53, NOTHING, Team, type TeamParent, Teams } from "./teams.ts";

function parentOf(numPes: number): TeamParent {
  const pes = Array.from({ length: numPes }, (_, pe) => pe + 100);
  const createOp = "createTeamFromArch";
  const shared = { name: "the world", path: "", pes, parentPes: pes, children: 0, createOp };
  return { ...shared, me: 0, exchange: () => NOTHING };
}

/** Makes teams that this PE is no member of. */
function maker(): { team(path: string, members: readonly number[]): Team; teams: Teams } {
  const { network, engines } = enginePes({});
  const [engine, progress] = [engines[0]!, network.progress[0]!];
  const parent = parentOf(256);
  const view = (): HandlerTeam => ({}) as HandlerTeam;
  return {
    team: (path, members) => new Team({ engine, progress, parent, path, members, view }),
    teams: new Teams(progress),
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
