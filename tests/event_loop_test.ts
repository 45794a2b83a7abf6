import { assert, assertEquals } from "@std/assert";
import { programUrl } from "./support/paths.ts";
import { type RunningProgram, startProgram } from "./support/run.ts";
import { SpreadJob } from "./support/spread.ts";

/**
 * What a busy machine may add, in milliseconds. A pump that sleeps on the thread adds 10 to 20, and
 * to what happens while AMs are awaited, too.
 */
const SLACK_MS = 2;
/** The same beside what leaves the thread no pause: an echo takes several turns. */
const SLACK_IN_TURNS_MS = 10;

interface Shape {
  readonly provider?: "shmem" | "tcp";
  readonly pes: number;
}

const SHAPES: readonly Shape[] = [
  { pes: 1 },
  { pes: 2 },
  { pes: 4 },
  { provider: "shmem", pes: 2 },
  { provider: "tcp", pes: 2 },
];

/** Starts a program of `programs/`. */
function start({ provider, pes }: Shape, program: string, env = {}): RunningProgram {
  if (!provider) return startProgram({ program: programUrl(program), pes, env });
  const job = new SpreadJob({
    starter: "launcher",
    provider,
    processes: pes,
    program: `tests/programs/${program}`,
    args: [],
    env,
  });
  return job.programs[0]!;
}

for (const shape of SHAPES) {
  const where = `${shape.provider ?? "local"}, ${shape.pes} PEs`;
  Deno.test(`I/O, timers and AMs do not wait for each other (${where})`, async () => {
    const { code, stdout, stderr } = await start(shape, "event_loop.ts").result;
    assertEquals([code, stderr], [0, ""]);
    const told = JSON.parse(stdout) as Record<string, number>;
    const { echo, read, add, tick } = told as Record<string, number> & Record<"echo", number>;
    // Where PEs share a core, one that computes takes it from the others for milliseconds.
    const alone = shape.pes > 1 && shape.pes <= navigator.hardwareConcurrency;
    const limits: Record<string, number> = {
      echoAdd: echo + add!,
      readAdd: read! + add!,
      there: echo + add!,
      echoWhileAdding: 3 * echo,
      ...alone ? { echoWhileComputing: 2 * echo } : {},
      echoWhileLate: 2 * echo,
      tickWhileLate: tick!,
    };
    for (const what of Object.keys(told)) {
      if (/^(tick|echo)While_/.test(what)) limits[what] = tick! + SLACK_IN_TURNS_MS;
    }
    for (const [what, limit] of Object.entries(limits)) {
      assert(told[what]! < limit + SLACK_MS, `${what} takes ${told[what]} ms: ${stdout}`);
    }
  });
}

/** How long a server has to stay while nothing moves, and after what time a deadlock would end. */
const IDLE_MS = 4500;
const SHORT = {
  LAMELLAR_DEADLOCK_WARNING_TIMEOUT: "0",
  LAMELLAR_DEADLOCK_TIMEOUT: "2",
};

for (const shape of SHAPES.filter(({ pes }) => pes === 2)) {
  const where = shape.provider ?? "local";
  Deno.test(`an idle server is not a deadlock, and answers (${where})`, async () => {
    const program = start(shape, "idle_server.ts", SHORT);
    await program.seen(".\n");
    const port = /port (\d+)/.exec(program.output())![1];
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assertEquals([response.status, await response.text()], [200, "PE 1"]);
    const { code, stderr } = await program.result;
    assertEquals([code, stderr], [0, ""]);
  });
}
