/**
 * The cases of the rofi lamella: several processes on this host, over TCP and over shared memory.
 *
 * @module
 */
import { type BenchCase, fabric, mpi, mpi4py, mpiTcp, printed, rofi, shmem } from "./contender.ts";

/** A provider, its short name in names of cases, and whether its processes can sleep. */
type Provider = readonly [name: string, label: string, sleeps: boolean];

const PROVIDERS: readonly Provider[] = [["tcp;ofi_rxm", "tcp", true], ["shm", "shm", false]];

/** Sizes, and how many transfers are under way at once. */
const SIZES: readonly (readonly [string, number, number])[] = [
  ["8B", 8, 64],
  ["1KiB", 1 << 10, 64],
  ["64KiB", 1 << 16, 16],
  ["1MiB", 1 << 20, 4],
  ["16MiB", 1 << 24, 2],
];

/** As long as the longest message that `tcp;ofi_rxm` injects; an AM of ours is about as long. */
const MESSAGE_BYTES = 64;

/** Updates a PE and bucket of histogram and gather. */
const TABLE = [1_000_000, 8192];
/** Runs of them, together about two seconds; all but the last are for warming up. */
const TABLE_RUNS = 40;

/** Processes and PEs of each, 2 to 64 PEs. */
const SHAPES: readonly (readonly [number, number])[] = [
  [1, 2],
  [2, 1],
  [4, 1],
  [8, 1],
  [2, 4],
  [1, 8],
  [16, 1],
  [2, 8],
  [2, 16],
  [2, 32],
  [4, 16],
];

/** Every case, in the order in which they run. */
export const ROFI_CASES: readonly BenchCase[] = [
  ...PROVIDERS.flatMap((provider) => ["put", "get"].flatMap((kind) => copyCases(provider, kind))),
  ...PROVIDERS.flatMap((provider) =>
    ["awaited", "block"].map((form) => messageCase(provider, form))
  ),
  ...PROVIDERS.flatMap((provider) => [2, 4, 8].map((count) => barrierCase(provider, count))),
  ...PROVIDERS.flatMap((provider) => [histogramCase(provider), gatherCase(provider)]),
  ...PROVIDERS.map(firstCase),
  ...SHAPES.map(([processes, each]) => startupCase(processes, each)),
];

function program(provider: Provider, name: string, ...args: (string | number)[]) {
  return rofi({ provider: provider[0], processes: 2 }, name, ...args);
}

/** What the target of a floor does meanwhile, as a PE's process does either. */
function ways([, , sleeps]: Provider): (readonly [string, string])[] {
  const polls = ["the other polls", "polls"] as const;
  return sleeps ? [polls, ["the other sleeps", "sleeps"]] : [polls];
}

function copyCases(provider: Provider, kind: string): BenchCase[] {
  const [name, label] = provider;
  const one = (
    title: string,
    bytes: number,
    window: number,
    unit: string,
    lowerIsBetter: boolean,
  ): BenchCase => ({
    ...printed(`rofi-${kind}-${title}-${label}`, 2, unit, lowerIsBetter),
    ours: program(provider, "bench/cases/rofi_copy.ts", kind, bytes, window, unit),
    floors: ways(provider).map(([words, way]) =>
      fabric(`C libfabric, ${words}`, "fabric_copy", name, kind, bytes, window, unit, way)
    ),
  });
  return [
    one("latency", 8, 1, "us", true),
    ...SIZES.map(([title, bytes, window]) => one(title, bytes, window, "GB/s", false)),
  ];
}

function messageCase(provider: Provider, form: string): BenchCase {
  const [name, label] = provider;
  return {
    ...printed(`rofi-message-${form}-${label}`, 2, "us", true),
    ours: program(provider, "bench/cases/am_latency.ts", form),
    floors: ways(provider).map(([words, way]) => {
      const both = words.replace("the other polls", "polling").replace("the other sleeps", "slept");
      return fabric(`C libfabric, ${both}`, "fabric_message", name, MESSAGE_BYTES, way);
    }),
  };
}

function barrierCase([name, label]: Provider, processes: number): BenchCase {
  return {
    ...printed(`rofi-barrier-${processes}-${label}`, processes, "us", true),
    ours: rofi({ provider: name, processes }, "bench/cases/barrier.ts"),
    floors: [mpi("MPI C, shared memory", "barrier"), mpiTcp("MPI C, TCP", "barrier")],
  };
}

function histogramCase(provider: Provider): BenchCase {
  return {
    ...printed(`rofi-histogram-${provider[1]}`, 2, "M/s", false),
    ours: program(provider, "bench/programs/histo.ts", ...tableArgs()),
    floors: [
      shmem("OpenSHMEM atomic_add", "histogram"),
      mpi4py("mpi4py all-to-all", "exchange_histogram"),
    ],
  };
}

function gatherCase(provider: Provider): BenchCase {
  return {
    ...printed(`rofi-gather-${provider[1]}`, 2, "M/s", false),
    ours: program(provider, "bench/programs/index_gather.ts", ...tableArgs()),
    floors: [
      shmem("OpenSHMEM get", "gather"),
      mpi4py("mpi4py all-to-all", "exchange_gather"),
    ],
  };
}

function tableArgs(): (string | number)[] {
  const variants = Array.from({ length: TABLE_RUNS }, () => "typed").join();
  return [...TABLE, "--variants", variants, "--metric"];
}

function firstCase(provider: Provider): BenchCase {
  return {
    ...printed(`rofi-first-${provider[1]}`, 2, "us", true),
    ours: program(provider, "bench/cases/rofi_first.ts"),
    floors: [mpi("MPI C, shared memory", "first"), mpiTcp("MPI C, TCP", "first")],
  };
}

function startupCase(processes: number, each: number): BenchCase {
  const pes = processes * each;
  return {
    name: `rofi-startup-${processes}x${each}`,
    pes,
    unit: "s",
    lowerIsBetter: true,
    measure: "elapsed",
    ours: rofi(
      { provider: "tcp;ofi_rxm", processes },
      "examples/hello_world/hello_world_am.ts",
    ),
    floors: [mpiTcp("MPI C, TCP", "hello"), mpi4py("mpi4py", "hello")],
  };
}
