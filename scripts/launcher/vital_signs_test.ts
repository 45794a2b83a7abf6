import { assertEquals } from "@std/assert";
import { type VitalSign, VitalSigns } from "./vital_signs.ts";

/** What the kernel says of process 7, with a thread 8 that has a child 9. */
class FakeProc {
  readonly files = new Map<string, string>();
  readonly signs: VitalSigns = new VitalSigns(7, (path) => this.files.get(path));

  constructor() {
    this.process(7, "S", 10);
    this.files.set("7/task", "7\n8");
    this.files.set("9/task", "9");
    for (const path of ["7/task/7", "7/task/8", "9/task/9"]) this.thread(path, "S", 3);
    this.files.set("7/task/8/children", "9 ");
    this.signs.look();
    this.signs.look();
  }

  process(pid: number, state: string, ticks: number): void {
    const counts = `${ticks} 0 0 0`;
    this.files.set(`${pid}/stat`, `${pid} (a) R (b) ${state} 1 1 1 0 0 0 0 0 0 0 ${counts} 20 0`);
  }

  thread(path: string, state: string, switches: number): void {
    this.files.set(
      `${path}/status`,
      `State:\t${state} (x)\nvoluntary_ctxt_switches:\t${switches}\n` +
        "nonvoluntary_ctxt_switches:\t1\n",
    );
  }
}

const STILL: VitalSign = { moved: false, stopped: false };
const MOVED: VitalSign = { moved: true, stopped: false };

const CHANGES: readonly (readonly [string, (proc: FakeProc) => void, VitalSign | undefined])[] = [
  ["nothing", () => {}, STILL],
  ["time on a core", (proc) => proc.process(7, "S", 11), MOVED],
  ["it waits for a core", (proc) => proc.process(7, "R", 10), MOVED],
  ["a thread was woken", (proc) => proc.thread("7/task/8", "S", 4), MOVED],
  ["a thread waits for a core", (proc) => proc.thread("7/task/8", "R", 3), MOVED],
  ["a child was woken", (proc) => proc.thread("9/task/9", "S", 4), MOVED],
  ["it is stopped", (proc) => proc.process(7, "T", 10), { moved: false, stopped: true }],
  ["a debugger has it", (proc) => proc.process(7, "t", 10), { moved: false, stopped: true }],
  ["it is gone", (proc) => proc.files.clear(), undefined],
];

for (const [name, change, found] of CHANGES) {
  Deno.test(`signs of life of a process: ${name}`, () => {
    const proc = new FakeProc();
    change(proc);
    assertEquals(proc.signs.look(), found);
  });
}

Deno.test({
  name: "a process that sleeps for long moves only when it is woken",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const child = new Deno.Command("sh", {
      args: ["-c", "read line; echo woken; read line"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const [writer, reader] = [child.stdin.getWriter(), child.stdout.getReader()];
    const signs = new VitalSigns(child.pid);
    // Until it has come to its first sleep.
    while (signs.look()?.moved) await new Promise((wake) => setTimeout(wake, 20));
    assertEquals(signs.look(), STILL);
    await writer.write(new TextEncoder().encode("on\n"));
    await reader.read();
    assertEquals(signs.look(), MOVED);
    await writer.close();
    await reader.cancel();
    await child.status;
    assertEquals(signs.look(), undefined);
  },
});
