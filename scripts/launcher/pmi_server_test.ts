import { assert, assertEquals } from "@std/assert";
import { answerFrom, parsePmiLine, PmiServer, type PmiVerdict } from "./pmi_server.ts";

/** A server that keeps what it says to each process. */
class Fixture {
  readonly said: string[] = [];
  readonly published: Readonly<Record<string, string>>[] = [];
  readonly server: PmiServer;

  constructor(size: number) {
    this.server = new PmiServer({
      size,
      name: "space",
      entries: { given: "there" },
      reply: (ranks, line) => this.said.push(`${ranks.join()} ${line}`),
      publish: (entries) => {
        this.published.push(entries);
        this.said.push("published");
      },
    });
  }

  /** Sends a line and returns what was said for it. */
  ask(rank: number, line: string): string[] {
    this.said.length = 0;
    assertEquals(this.server.receive(rank, line), undefined);
    return [...this.said];
  }

  init(...ranks: number[]): void {
    for (const rank of ranks) this.ask(rank, "cmd=init pmi_version=1 pmi_subversion=1");
  }
}

Deno.test("PmiServer answers what a client asks at its start", () => {
  const pmi = new Fixture(3);
  assertEquals(pmi.ask(1, "cmd=init pmi_version=1 pmi_subversion=1"), [
    "1 cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0",
  ]);
  const maxes = "1 cmd=maxes rc=0 kvsname_max=256 keylen_max=64 vallen_max=1024";
  assertEquals(pmi.ask(1, "cmd=get_maxes"), [maxes]);
  assertEquals(pmi.ask(1, "cmd=get_my_kvsname"), ["1 cmd=my_kvsname rc=0 kvsname=space"]);
  assertEquals(pmi.ask(1, "cmd=get_universe_size"), ["1 cmd=universe_size rc=0 size=3"]);
  assertEquals(pmi.ask(1, "cmd=get_appnum"), ["1 cmd=appnum rc=0 appnum=0"]);
});

Deno.test("PmiServer keeps what one process puts for all others, however long", () => {
  const pmi = new Fixture(2);
  pmi.init(0, 1);
  const long = "f".repeat(100_000);
  assertEquals(pmi.ask(0, `cmd=put kvsname=space key=k value=${long}`), [
    "0 cmd=put_result rc=0 msg=success",
  ]);
  assertEquals(pmi.ask(1, "cmd=get kvsname=space key=k"), [
    `1 cmd=get_result rc=0 msg=success value=${long}`,
  ]);
  pmi.ask(1, "cmd=put kvsname=space key=k value=two words=3");
  assertEquals(pmi.ask(0, "cmd=get kvsname=space key=k"), [
    "0 cmd=get_result rc=0 msg=success value=two words=3",
  ]);
  assertEquals(pmi.ask(0, "cmd=get kvsname=space key=none"), [
    "0 cmd=get_result rc=-1 msg=key_not_found value=unknown",
  ]);
  assertEquals(pmi.ask(0, "cmd=get kvsname=space key=given"), [
    "0 cmd=get_result rc=0 msg=success value=there",
  ]);
});

Deno.test("PmiServer lets nobody out of a barrier before everybody is in", () => {
  const pmi = new Fixture(3);
  pmi.init(0, 1, 2);
  for (let round = 0; round < 3; round++) {
    assertEquals(pmi.ask(2, "cmd=barrier_in"), []);
    assertEquals(pmi.server.waiting, 2);
    assertEquals(pmi.ask(0, "cmd=barrier_in"), []);
    assertEquals(pmi.ask(1, "cmd=barrier_in"), ["2,0,1 cmd=barrier_out rc=0"]);
    assertEquals(pmi.server.waiting, undefined);
  }
});

Deno.test("PmiServer publishes what is new before it opens a barrier", () => {
  const pmi = new Fixture(2);
  pmi.init(0, 1);
  const put = (key: string, value: string) =>
    pmi.ask(0, `cmd=put kvsname=space key=${key} value=${value}`);
  const meet = () => [...pmi.ask(0, "cmd=barrier_in"), ...pmi.ask(1, "cmd=barrier_in")];
  put("a", "1");
  put("b", "2");
  put("b", "3");
  assertEquals(meet(), ["published", "0,1 cmd=barrier_out rc=0"]);
  assertEquals(meet(), ["0,1 cmd=barrier_out rc=0"]);
  put("c", "x".repeat(300_000));
  put("d", "4");
  assertEquals(meet(), ["published", "published", "0,1 cmd=barrier_out rc=0"]);
  assertEquals(pmi.published.map((entries) => Object.keys(entries).join()), ["a,b", "c", "d"]);
  assertEquals(pmi.published[0], { a: "1", b: "3" });
});

Deno.test("answerFrom() answers as the server does, and only what it knows", () => {
  const pmi = new Fixture(1);
  pmi.init(0);
  pmi.ask(0, "cmd=put kvsname=space key=k value=two words");
  const line = "cmd=get kvsname=space key=k";
  const known = new Map([["k", "two words"]]);
  assertEquals([`0 ${answerFrom(line, known)}`], pmi.ask(0, line));
  for (const other of ["cmd=get key=x", "cmd=getx key=k", "cmd=get", "cmd=put key=k value=1", ""]) {
    assertEquals(answerFrom(other, known), undefined);
  }
});

Deno.test("PmiServer knows who has begun and who is done", () => {
  const pmi = new Fixture(1);
  assertEquals([pmi.server.hasInitialised(0), pmi.server.hasFinalized(0)], [false, false]);
  pmi.init(0);
  assertEquals([pmi.server.hasInitialised(0), pmi.server.hasFinalized(0)], [true, false]);
  assertEquals(pmi.ask(0, "cmd=finalize"), ["0 cmd=finalize_ack rc=0"]);
  assertEquals(pmi.server.hasFinalized(0), true);
});

Deno.test("PmiServer reads the exit code and the reason of an abort", () => {
  const cases: [string, number, string][] = [
    ["cmd=abort exitcode=7", 7, ""],
    ["cmd=abort exitcode=7 msg=PE%203%20failed%3A%20100%25", 7, "PE 3 failed: 100%"],
    ["cmd=abort exitcode=7 msg=100%", 7, "100%"],
    ["cmd=abort", 1, ""],
    // Exit codes have eight bits, and none of a failure may look like success.
    ["cmd=abort exitcode=0", 1, ""],
    ["cmd=abort exitcode=256", 1, ""],
    ["cmd=abort exitcode=-1", 255, ""],
    ["cmd=abort exitcode=x", 1, ""],
  ];
  for (const [line, exitCode, message] of cases) {
    const verdict = new Fixture(1).server.receive(0, line);
    assertEquals<PmiVerdict | undefined>(verdict, { kind: "abort", exitCode, message }, line);
  }
});

Deno.test("PmiServer refuses lines that are against the protocol", () => {
  const refused = (line: string, ...before: string[]): string => {
    const pmi = new Fixture(2);
    for (const one of before) pmi.ask(0, one);
    const verdict = pmi.server.receive(0, line);
    assert(verdict?.kind === "refused", line);
    return verdict.why;
  };
  const init = "cmd=init pmi_version=1 pmi_subversion=1";
  assertEquals(refused("cmd=get_maxes"), 'it sent "cmd=get_maxes" before init');
  assertEquals(refused("cmd=put", init, "cmd=finalize"), 'it sent "cmd=put" after finalize');
  assertEquals(refused(init, init), "it initialised PMI twice");
  assertEquals(refused("cmd=init pmi_version=2"), "it speaks version 2 of PMI instead of 1");
  assertEquals(refused("cmd=put key=a", init), "it put something without a key and a value");
  assertEquals(refused("cmd=get", init), "it asked for a value without a key");
  assertEquals(
    refused("cmd=barrier_in", init, "cmd=barrier_in"),
    "it entered a barrier that it was in already",
  );
  assertEquals(
    refused("cmd=spawn", init),
    'it asked for "spawn", which this launcher does not offer',
  );
  for (const line of ["", "hello", "mcmd=spawn", "=x", "cmd", "cmd=a cmd=b"]) {
    assertEquals(refused(line, init), `it sent ${JSON.stringify(line)}`);
  }
});

Deno.test("parsePmiLine() takes any text without an error", () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state % below;
  };
  const alphabet = ["=", " ", "cmd", "value", "a", "\t", "é", "\u0000", "1"];
  for (let round = 0; round < 20_000; round++) {
    const line = Array.from({ length: next(12) }, () => alphabet[next(alphabet.length)]).join("");
    const fields = parsePmiLine(line);
    for (const [name, value] of fields ?? []) {
      assert(line.includes(`${name}=${value}`), `seed ${seed}: ${line}`);
    }
  }
});
