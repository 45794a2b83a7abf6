import { assert, assertEquals } from "@std/assert";
import { onHosts, SpreadJob } from "./support/spread.ts";

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
 * nothing to sleep in, as shm does not, processes of a host wake each other.
 */
const PERCENT_MAX = 2;

interface Idle {
  readonly provider: string;
  readonly processes: number;
  /** More than one where processes of a host share memory. */
  readonly hosts: number;
}

const CASES: readonly Idle[] = [
  ...["tcp", "net", "udp", "shm", "shmem"].map((provider) => (
    { provider, processes: 2, hosts: 1 }
  )),
  { provider: "tcp", processes: 4, hosts: 2 },
];

for (const { provider, processes, hosts } of CASES) {
  const where = hosts > 1 ? `${provider} and ${hosts} hosts` : provider;
  Deno.test(`processes asleep in a barrier take little of a core on ${where}`, async () => {
    const program = "tests/programs/asleep.ts";
    const args = [String((CALM_MS + MEASURE_MS) / 1000 + 0.5)];
    const how = hosts > 1
      ? { starter: "rendezvous" as const, ...onHosts(hosts) }
      : { starter: "launcher" as const };
    const job = new SpreadJob({ ...how, provider, processes, program, args });
    await job.started(processes);
    await wait(CALM_MS);
    const pids = Array.from({ length: processes }, (_, pe) => job.pidOf(pe));
    const before = pids.map(coreMs);
    await wait(MEASURE_MS);
    const percent = pids.map((pid, i) => (coreMs(pid) - before[i]!) / MEASURE_MS * 100);
    for (const { code, stderr } of await job.ended()) assertEquals([code, stderr], [0, ""]);
    for (const each of percent) assert(each < PERCENT_MAX, `${percent} % of a core`);
  });
}
