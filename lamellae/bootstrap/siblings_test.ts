import { assertEquals, assertRejects } from "@std/assert";
import { HandshakeError } from "../../internal/errors.ts";
import { Siblings, unlessStopped } from "./siblings.ts";

const VARIABLES = { rank: "RANK", job: "JOB" };

/** Processes as the kernel shows them: this one has number 0, a wrapper, and siblings 30 to 34. */
class FakeProc {
  readonly files = new Map<string, string>();
  readonly siblings: Siblings;
  /** How many files have been read. */
  reads = 0;
  #now = 0;

  constructor() {
    this.process("self", "S", "20", "0");
    this.process("20", "S", "10", "0", "11");
    this.process("10", "S", "1", "", "20 30 31 32 33");
    this.process("30", "S", "10", "1", "40");
    this.process("40", "S", "30", "1");
    this.process("31", "S", "10", "2");
    this.process("32", "S", "10", "3", "", "another job");
    this.process("33", "S", "10", "");
    // Another thread of the parent has started this one.
    this.files.set("10/task/7/children", "34 ");
    this.process("34", "S", "10", "4");
    this.siblings = new Siblings({
      read: (path) => (this.reads++, this.files.get(path)),
      list: (path) => [path.split("/")[0]!, "7"],
    }, VARIABLES);
  }

  process(
    pid: string,
    state: string,
    parent: string,
    rank: string,
    children = "",
    job = "j",
  ): void {
    const number = pid === "self" ? "19" : pid;
    this.files.set(`${pid}/stat`, `${number} (a) T (b) ${state} ${parent} 1`);
    this.files.set(`${pid}/task/${pid}/children`, `${children} `);
    this.files.set(`${pid}/environ`, rank === "" ? "A=b\0" : `A=b\0RANK=${rank}\0JOB=${job}\0`);
  }

  /** Lets seconds go by, and returns whom the looks found. */
  after(seconds: number): string[] {
    const found: string[] = [];
    for (let half = 0; half < 2 * seconds; half++) {
      const rank = this.siblings.look(this.#now += 500);
      if (rank !== undefined) found.push(rank);
    }
    return [...new Set(found)];
  }

  skip(seconds: number): void {
    this.#now += 1000 * seconds;
  }
}

Deno.test("a process of the job that has been stopped for five seconds is found", () => {
  const cases = [["31", "T", "10", "2"], ["40", "t", "30", "1"], ["34", "T", "10", "4"]] as const;
  for (const [pid, state, parent, rank] of cases) {
    const it = new FakeProc();
    // Only two that run are looked at.
    if (pid === "34") it.process("31", "S", "10", "");
    assertEquals(it.after(60), []);
    it.process(pid, state, parent, rank);
    assertEquals([it.after(5), it.after(0.5)], [[], [rank]]);
  }
});

Deno.test("each looks at the next two that run, and at who is stopped before them", () => {
  const it = new FakeProc();
  it.process("34", "T", "10", "4");
  assertEquals(it.after(60), []);
  it.process("30", "T", "10", "1", "40");
  it.process("31", "T", "10", "2");
  it.after(5);
  assertEquals(it.after(0.5), ["1"]);
  it.process("30", "S", "10", "1", "40");
  assertEquals(it.after(0.5), ["2"]);
  it.process("31", "S", "10", "2");
  it.process("34", "S", "10", "4");
  it.reads = 0;
  it.after(0.5);
  const few = it.reads;
  const pids = Array.from({ length: 100 }, (_, i) => String(200 + i));
  it.process("10", "S", "1", "", `20 30 31 ${pids.join(" ")}`);
  for (const pid of pids) it.process(pid, "S", "10", pid);
  it.reads = 0;
  it.after(0.5);
  assertEquals(it.reads, few);
});

Deno.test("a process that goes on, of another job, or that is none of a job is let alone", () => {
  const it = new FakeProc();
  it.process("32", "T", "10", "3", "", "another job");
  it.process("33", "T", "10", "");
  assertEquals(it.after(60), []);
  for (let turn = 0; turn < 5; turn++) {
    it.process("31", "T", "10", "2");
    assertEquals(it.after(4), []);
    it.process("31", "S", "10", "2");
    assertEquals(it.after(0.5), []);
  }
});

Deno.test("who looks does not count the time for which it stood still itself", () => {
  const it = new FakeProc();
  it.process("31", "T", "10", "2");
  assertEquals(it.after(4), []);
  it.skip(60);
  assertEquals([it.after(5), it.after(1)], [[], ["2"]]);
});

Deno.test("a wait for others ends once one of them is found stopped", async () => {
  const siblings = { look: () => "2" } as unknown as Siblings;
  await assertRejects(
    () => unlessStopped(siblings, new Promise(() => {}), "network"),
    HandshakeError,
    "rank 2 has been stopped for 5 s, and the others wait for it: this process opened the network",
  );
  assertEquals(await unlessStopped(siblings, Promise.resolve(7), "network"), 7);
  assertEquals(await unlessStopped(undefined, Promise.resolve(7), "network"), 7);
});
