import { assert, assertEquals } from "@std/assert";
import { becomes, isAlive } from "../tests/support/processes.ts";

const LOADED = new URL("loaded.ts", import.meta.url).pathname;
/** Only a hang takes that long. */
const LIMIT_MS = 60_000;
/** Prints the process itself and all that its starter has started. */
const FAMILY = "const pid = Deno.ppid;" +
  "const family = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);" +
  "console.log(JSON.stringify([Deno.pid, family.trim().split(' ').map(Number)]));";
const FOR_EVER = "setInterval(() => {}, 1000);";

/** A program of one line that runs while another process is busy. */
class Loaded {
  readonly process: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;

  constructor(code: string) {
    const command = [Deno.execPath(), "eval", FAMILY + code];
    this.process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", LOADED, "1", ...command],
      stdout: "piped",
    }).spawn();
    this.#reader = this.process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The program and the busy process. */
  async family(): Promise<{ program: number; busy: number }> {
    const { value } = await this.#reader.read();
    const [program, all] = JSON.parse(value!) as [number, number[]];
    const others = all.filter((pid) => pid !== program);
    assertEquals(others.length, 1);
    return { program, busy: others[0]! };
  }

  /** The exit code, once all that wrote to its output has ended. */
  async end(): Promise<number> {
    while (!(await this.#reader.read()).done);
    return (await this.process.status).code;
  }
}

Deno.test("loaded.ts ends its busy processes, and as the command did", async () => {
  const loaded = new Loaded("Deno.exit(3)");
  const { busy } = await loaded.family();
  assertEquals(await loaded.end(), 3);
  assert(await becomes(() => !isAlive(busy), LIMIT_MS));
});

Deno.test("loaded.ts that is told to end ends the command and its busy processes", async () => {
  const loaded = new Loaded(FOR_EVER);
  const { busy, program } = await loaded.family();
  assert(isAlive(busy));
  loaded.process.kill("SIGTERM");
  assertEquals(await loaded.end(), 143);
  assert(!isAlive(program));
  assert(await becomes(() => !isAlive(busy), LIMIT_MS));
});

Deno.test("busy processes do not outlive a loaded.ts that is killed", async () => {
  const loaded = new Loaded(FOR_EVER);
  const { busy, program } = await loaded.family();
  loaded.process.kill("SIGKILL");
  try {
    assert(await becomes(() => !isAlive(busy), LIMIT_MS));
  } finally {
    Deno.kill(program, "SIGKILL");
  }
  await loaded.end();
});
