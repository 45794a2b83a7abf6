import { assert, assertEquals } from "@std/assert";
import { SpreadJob } from "./support/spread.ts";

/** Compilers and collectors are still busy with the start. */
const CALM_MS = 1000;
const MEASURE_MS = 3000;
/** Time of a core in `/proc/PID/stat` counts in hundredths of a second. */
const TICK_MS = 10;

/** Time of a core that a process has taken, all threads together, in milliseconds. */
function coreMs(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Most percent of a core that a process may take; seen are 0 to 0.8 %. Where the provider offers
 * nothing to sleep in, as shm does not, processes of a host ring each other.
 */
const PERCENT_MAX = 2;

for (const provider of ["tcp", "net", "udp", "shm", "shmem"]) {
  Deno.test(`processes asleep in a barrier take little of a core on ${provider}`, async () => {
    const program = "tests/programs/asleep.ts";
    const args = [String((CALM_MS + MEASURE_MS) / 1000 + 0.5)];
    const shape = { starter: "launcher", provider, processes: 2 } as const;
    const job = new SpreadJob({ ...shape, program, args });
    await job.started(2);
    await wait(CALM_MS);
    const pids = [0, 1].map((pe) => job.pidOf(pe));
    const before = pids.map(coreMs);
    await wait(MEASURE_MS);
    const percent = pids.map((pid, i) => (coreMs(pid) - before[i]!) / MEASURE_MS * 100);
    const [result] = await job.ended();
    assertEquals([result!.code, result!.stderr], [0, ""]);
    for (const each of percent) assert(each < PERCENT_MAX, `${percent} % of a core`);
  });
}
