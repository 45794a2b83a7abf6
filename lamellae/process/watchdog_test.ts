import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Config, readConfig } from "../../internal/config.ts";
import { ACTIVITY, WAIT_FOR } from "../lamella.ts";
import { BLOCK, blockOf } from "../local/layout.ts";
import { LIVE, PE_STATE, STATUS } from "../local/pe_status.ts";
import { localPes } from "../pes_test.ts";
import { Watchdog } from "./watchdog.ts";

const STATES = [PE_STATE.running, PE_STATE.running];
const DEFAULTS = readConfig(() => undefined);

/** What a PE does: its activity, what it waits for, and what it answers when it is asked. */
type Doing = readonly [activity: number, kind: number, answer?: number];

const BARRIER: Doing = [ACTIVITY.blocked, WAIT_FOR.collective];
const AT_END: Doing = [ACTIVITY.serving, WAIT_FOR.collective, LIVE.no];
const COMPUTES: Doing = [ACTIVITY.running, WAIT_FOR.nothing];
const LISTENS: Doing = [ACTIVITY.idle, WAIT_FOR.nothing, LIVE.yes];
const AWAITS: Doing = [ACTIVITY.idle, WAIT_FOR.nothing, LIVE.no];
const HELD_UP: Doing = [ACTIVITY.idle, WAIT_FOR.nothing, LIVE.asked];

/** A watchdog of two PEs, and what it says. */
class Scene {
  readonly #layout;
  readonly #views;
  readonly watchdog: Watchdog;
  /** What other processes are told. */
  shared = 0;
  /** How often each PE was asked what keeps it alive. */
  readonly questions = [0, 0];
  readonly #answers: number[] = [];
  #now = performance.now();

  constructor(config: Partial<Config>) {
    const { layout, pes } = localPes(2);
    this.#layout = layout;
    this.#views = pes[0]!.lamella.views;
    const everywhere = (ms: number): number => this.shared = ms;
    this.watchdog = new Watchdog(layout, this.#views, { ...DEFAULTS, ...config }, everywhere);
  }

  set(pe: number, [activity, kind, answer = LIVE.asked]: Doing): void {
    this.#answers[pe] = answer;
    const at = this.#status(pe);
    this.#views.i32[at + STATUS.activity] = activity;
    this.#views.i32[at + STATUS.waitKind] = kind;
    this.#views.i32[at + STATUS.waitPe] = 1 - pe;
  }

  #status(pe: number): number {
    return (blockOf(this.#layout, pe) + BLOCK.status) / 4;
  }

  /** Those that are asked answer, unless they are held up. */
  #answer(): void {
    this.#answers.forEach((answer, pe) => {
      const at = this.#status(pe) + STATUS.live;
      if (this.#views.i32[at] !== LIVE.asked) return;
      this.#views.i32[at] = answer;
      this.questions[pe]!++;
    });
  }

  /** Lets time pass with a look now and then; returns the reports and the verdict. */
  pass(seconds: number): string[] {
    const said: string[] = [];
    const { error } = console;
    console.error = (text: string) => said.push(text);
    try {
      const step = Math.max(seconds / 100, 0.01) * 1000;
      for (const end = this.#now + seconds * 1000; this.#now < end; this.#now += step) {
        this.#answer();
        const verdict = this.watchdog.look(STATES, this.#now);
        if (verdict) return [...said, verdict];
      }
    } finally {
      console.error = error;
    }
    return said;
  }
}

/** What two PEs do for a time, with a limit or without. */
function said(one: Doing, other: Doing, seconds: number, config: Partial<Config> = {}): string[] {
  const scene = new Scene(config);
  scene.set(0, one);
  scene.set(1, other);
  return scene.pass(seconds);
}

Deno.test("PEs that wait for each other end the job after 600 s, or the limit", () => {
  assertEquals(said(BARRIER, AT_END, 580).length, 1);
  const [report, verdict] = said(BARRIER, AT_END, 700);
  assertMatch(report!, /^lamellar: nothing moved for 10 s: PE 0: waiting for a collective/);
  assertMatch(verdict!, /^the job is stuck, nothing moved for 600 s/);
  const limited = said(BARRIER, BARRIER, 2, { deadlockMs: 1000, deadlockWarningMs: 0 });
  assertMatch(limited.join(), /^the job is stuck, nothing moved for 1 s/);
  assertEquals(said(BARRIER, BARRIER, 1e5, { deadlockMs: 0, deadlockWarningMs: 0 }), []);
});

Deno.test("A PE that awaits what nothing keeps alive is no excuse", () => {
  const [report, verdict] = said(AWAITS, AT_END, 700);
  assertMatch(report!, /PE 0: awaiting something that is not the runtime's/);
  assertMatch(verdict!, /^the job is stuck/);
});

Deno.test("A PE that computes is reported, and ends the job only at a limit of the user", () => {
  for (const busy of [COMPUTES, HELD_UP, [ACTIVITY.limited, WAIT_FOR.am] as const]) {
    for (const waits of [BARRIER, AT_END]) {
      const [report, ...rest] = said(busy, waits, 1e5);
      assertMatch(report!, /^lamellar: nothing moved for 10 s: /);
      assertEquals(rest, []);
      const limited = said(busy, waits, 10, { deadlockMs: 5000, deadlockWarningMs: 0 });
      assertMatch(limited.join(), /^the job is stuck, nothing moved for 5 s/);
    }
  }
  assertStringIncludes(said(COMPUTES, BARRIER, 20).join(), "PE 0: running without calling");
});

Deno.test("A PE that listens, or awaits I/O or a timer, is never reported and ends nothing", () => {
  for (const waits of [BARRIER, AT_END, AWAITS, LISTENS]) {
    assertEquals(said(LISTENS, waits, 1e5, { deadlockMs: 1000 }), []);
  }
  // At the end of its program, with a server that goes on, and in a collective.
  for (const activity of [ACTIVITY.serving, ACTIVITY.idle]) {
    const doing: Doing = [activity, WAIT_FOR.collective, LIVE.yes];
    assertEquals(said(doing, BARRIER, 1e5, { deadlockMs: 1000 }), []);
  }
});

Deno.test("Time counts from when nothing keeps a PE alive any more", () => {
  const scene = new Scene({ deadlockMs: 5000, deadlockWarningMs: 0 });
  scene.set(0, LISTENS);
  scene.set(1, AT_END);
  assertEquals(scene.pass(100), []);
  scene.set(0, AWAITS);
  assertEquals(scene.pass(4.9), []);
  assertMatch(scene.pass(5).join(), /^the job is stuck/);
});

Deno.test("A PE is asked rarely, and first the one that something keeps alive", () => {
  const scene = new Scene({});
  scene.set(0, LISTENS);
  scene.set(1, AT_END);
  scene.pass(1000);
  const [lively, other] = scene.questions;
  assert(lively! > 10 && lively! <= 200, `${lively} times in 1000 s`);
  assertEquals(other, 1);
  // Then nothing keeps it alive, but the other.
  scene.set(0, AWAITS);
  scene.set(1, [ACTIVITY.serving, WAIT_FOR.collective, LIVE.yes]);
  assertEquals(scene.pass(1000), []);
});

Deno.test("Other processes hear that nothing moves, but not for ever where a PE is at work", () => {
  const told = (doing: Doing, config: Partial<Config> = {}): number => {
    const scene = new Scene({ deadlockWarningMs: 0, ...config });
    scene.set(0, doing);
    scene.set(1, AT_END);
    scene.pass(599);
    return scene.shared / 1000;
  };
  assert(told(LISTENS) <= 300);
  assertEquals(told(COMPUTES), 300);
  for (const seconds of [told(BARRIER), told(COMPUTES, { deadlockMs: 1e6 })]) {
    assert(seconds > 590, `${seconds} s`);
  }
});
