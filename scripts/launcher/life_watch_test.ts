import { assertEquals } from "@std/assert";
import { LifeWatch } from "./life_watch.ts";
import type { VitalSign } from "./vital_signs.ts";

const ANSWER = "cmd=put_result rc=0 msg=success";
const STILL: VitalSign = { moved: false, stopped: false };
const STOPPED: VitalSign = { moved: false, stopped: true };
const MOVES: VitalSign = { moved: true, stopped: false };

/** A watch over a process whose signs a test gives; it looks every half second. */
class Fixture {
  readonly watch: LifeWatch;
  sign: VitalSign | undefined = STILL;
  #now = 0;

  constructor(ours = true) {
    this.watch = new LifeWatch(1, ours, { look: () => this.sign });
  }

  /** Lets seconds go by; returns what was told of the process. */
  after(seconds: number): string[] {
    const told: string[] = [];
    for (let half = 0; half < 2 * seconds; half++) {
      const found = this.watch.look(this.#now += 500);
      if (found) told.push(`${found.phase}${found.stopped ? ", stopped" : ""}`);
    }
    return told;
  }

  /** The process itself, or who looks, does nothing for so long. */
  skip(seconds: number): void {
    this.#now += 1000 * seconds;
  }

  enter(word: string): string | undefined {
    return this.watch.heard(`cmd=put kvsname=job key=lamellar-phase value=${word}`);
  }
}

Deno.test("a process that never moves is told of once, after five seconds", () => {
  const it = new Fixture();
  assertEquals([it.after(5), it.after(0.5), it.after(60)], [[], ["loading"], []]);
});

Deno.test("a process that moves now and then may take as long as it needs", () => {
  const it = new Fixture();
  for (let turn = 0; turn < 100; turn++) {
    it.sign = STILL;
    assertEquals(it.after(4), []);
    it.sign = MOVES;
    assertEquals(it.after(0.5), []);
  }
});

Deno.test("what a process says is a sign of life, and tells in which phase it is", () => {
  const it = new Fixture();
  it.after(4);
  it.watch.heard("cmd=init pmi_version=1 pmi_subversion=1");
  assertEquals(it.after(4), []);
  assertEquals(it.enter("network"), ANSWER);
  it.after(4);
  assertEquals(it.watch.heard("cmd=get kvsname=job key=lamellar-0-1-0"), undefined);
  it.sign = STOPPED;
  assertEquals(it.after(6), ["network, stopped"]);
});

Deno.test("who waits in a barrier is not expected to move, and may not be stopped either", () => {
  for (const [sign, told] of [[STILL, []], [STOPPED, ["joining, stopped"]]] as const) {
    const it = new Fixture();
    it.watch.heard("cmd=init pmi_version=1 pmi_subversion=1");
    it.watch.heard("cmd=barrier_in");
    it.sign = sign;
    assertEquals(it.after(60), [...told]);
  }
  const it = new Fixture();
  it.watch.heard("cmd=barrier_in");
  it.after(60);
  it.watch.told("cmd=barrier_out rc=0");
  assertEquals([it.after(4.5), it.after(1)], [[], ["joining"]]);
});

Deno.test("processes that watch each other are let alone until they meet at the end", () => {
  const it = new Fixture();
  it.enter("pes");
  assertEquals(it.enter("started"), ANSWER);
  it.sign = STOPPED;
  assertEquals(it.after(60), []);
  it.sign = STILL;
  it.watch.heard("cmd=barrier_in");
  assertEquals(it.after(60), []);
  it.watch.told("cmd=barrier_out rc=0");
  it.sign = STOPPED;
  assertEquals(it.after(6), ["ending, stopped"]);
});

Deno.test("a program that is not ours is watched once it says what it does", () => {
  const it = new Fixture(false);
  it.watch.heard("cmd=init pmi_version=1 pmi_subversion=1");
  assertEquals(it.after(60), []);
  it.enter("greeting");
  assertEquals(it.after(6), ["greeting"]);
});

Deno.test("who watches does not count the time for which it stood still itself", () => {
  const it = new Fixture();
  it.after(4);
  it.skip(60);
  assertEquals(it.after(4.5), []);
  it.watch.forgive();
  assertEquals([it.after(5), it.after(0.5)], [[], ["loading"]]);
});

Deno.test("where the kernel says nothing, nothing is told", () => {
  const it = new Fixture();
  it.sign = undefined;
  assertEquals(it.after(60), []);
});
