/**
 * The cases of several processes on this host: those that share memory, and those that talk over
 * libfabric, by TCP and by its shared memory.
 *
 * @module
 */
import {
  type BenchCase,
  type Contender,
  fabric,
  mpi,
  mpi4py,
  mpiCollective,
  mpiExchange,
  mpiTcp,
  overTcp,
  printed,
  several,
  shmem,
} from "./contender.ts";

/** What carries the traffic of processes. */
interface Carrier {
  /** `shmem`, or a provider of libfabric. */
  readonly name: string;
  /** The provider of floors over libfabric. */
  readonly floor: string;
  /** Whether such floors can sleep. */
  readonly sleeps: boolean;
  /** Makes the name of a case. */
  readonly titled: (title: string) => string;
}

const SHMEM: Carrier = {
  name: "shmem",
  floor: "shm",
  sleeps: false,
  titled: (title) => `shmem-${title}`,
};
const TCP: Carrier = {
  name: "tcp;ofi_rxm",
  floor: "tcp;ofi_rxm",
  sleeps: true,
  titled: (title) => `rofi-${title}-tcp`,
};
const SHM: Carrier = {
  name: "shm",
  floor: "shm",
  sleeps: false,
  titled: (title) => `rofi-${title}-shm`,
};

const CARRIERS: readonly Carrier[] = [SHMEM, TCP, SHM];

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
/** Runs of them, together about two seconds; the first half is for warming up. */
const TABLE_RUNS = 40;

/** Collectives, and bytes of each PE. */
const COLLECTIVES = [
  ["all-reduce", "64KiB"],
  ["all-reduce", "1MiB"],
  ["reduce-scatter", "1MiB"],
  ["all-gather", "64KiB"],
  ["all-to-all", "64KiB"],
  ["broadcast", "1MiB"],
] as const;

/** Operations on batches of random elements of regions. */
const BATCH_OPERATIONS = ["add", "fetch-add", "gather", "scatter"] as const;
type BatchOperation = typeof BATCH_OPERATIONS[number];

/** Elements of u32 in the typed array of an AM. */
const PAYLOADS = [10, 100];

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
export const SPREAD_CASES: readonly BenchCase[] = [
  ...CARRIERS.flatMap((carrier) => ["put", "get"].flatMap((kind) => copyCases(carrier, kind))),
  ...CARRIERS.flatMap((carrier) => ["awaited", "block"].map((form) => messageCase(carrier, form))),
  ...CARRIERS.flatMap((carrier) => [2, 4, 8].map((count) => barrierCase(carrier, count))),
  ...[SHMEM, TCP].flatMap((carrier) =>
    COLLECTIVES.map(([which, label]) => collectiveCase(carrier, which, label))
  ),
  ...CARRIERS.flatMap((carrier) => [histogramCase(carrier), gatherCase(carrier)]),
  ...[SHMEM, TCP].flatMap((carrier) =>
    BATCH_OPERATIONS.map((operation) => batchCase(carrier, operation))
  ),
  ...BATCH_OPERATIONS.map((operation) => mixedCase(TCP, operation)),
  ...PAYLOADS.map((length) => payloadCase(TCP, length)),
  ...CARRIERS.map(firstCase),
  ...[SHMEM, TCP].flatMap((carrier) =>
    SHAPES.map(([processes, each]) => startupCase(carrier, processes, each))
  ),
];

function program({ name }: Carrier, path: string, ...args: (string | number)[]): Contender {
  return several({ carrier: name, processes: 2 }, path, ...args);
}

/** What the target of a floor does meanwhile, as a PE's process does either. */
function ways({ sleeps }: Carrier): (readonly [string, string])[] {
  const polls = ["the other polls", "polls"] as const;
  return sleeps ? [polls, ["the other sleeps", "sleeps"]] : [polls];
}

function copyCases(carrier: Carrier, kind: string): BenchCase[] {
  const one = (
    title: string,
    bytes: number,
    window: number,
    unit: string,
    lowerIsBetter: boolean,
  ): BenchCase => ({
    ...printed(carrier.titled(`${kind}-${title}`), 2, unit, lowerIsBetter),
    ours: program(carrier, "bench/cases/spread_copy.ts", kind, bytes, window, unit),
    floors: ways(carrier).map(([words, way]) =>
      fabric(
        `C libfabric, ${words}`,
        "fabric_copy",
        carrier.floor,
        kind,
        bytes,
        window,
        unit,
        way,
      )
    ),
  });
  return [
    one("latency", 8, 1, "us", true),
    ...SIZES.map(([title, bytes, window]) => one(title, bytes, window, "GB/s", false)),
  ];
}

function messageCase(carrier: Carrier, form: string): BenchCase {
  return {
    ...printed(carrier.titled(`message-${form}`), 2, "us", true),
    ours: program(carrier, "bench/cases/am_latency.ts", form),
    floors: ways(carrier).map(([words, way]) => {
      const both = words.replace("the other polls", "polling").replace("the other sleeps", "slept");
      return fabric(`C libfabric, ${both}`, "fabric_message", carrier.floor, MESSAGE_BYTES, way);
    }),
  };
}

function barrierCase(carrier: Carrier, processes: number): BenchCase {
  return {
    ...printed(carrier.titled(`barrier-${processes}`), processes, "us", true),
    ours: several({ carrier: carrier.name, processes }, "bench/cases/barrier.ts"),
    floors: [mpi("MPI C, shared memory", "barrier"), mpiTcp("MPI C, TCP", "barrier")],
  };
}

/** A collective of two processes; MPI over TCP beside ours, or over the memory that ours shares. */
function collectiveCase(carrier: Carrier, which: string, label: string): BenchCase {
  const bytes = Number.parseInt(label) * 2 ** (label.endsWith("KiB") ? 10 : 20);
  const inC = mpiCollective("MPI C", which, bytes);
  return {
    ...printed(carrier.titled(`${which}-${label}`), 2, "us", true),
    ours: several(
      { carrier: carrier.name, processes: 2 },
      "bench/cases/collective.ts",
      which,
      bytes,
    ),
    floors: [carrier === TCP ? overTcp({ ...inC, name: "MPI C, TCP" }) : inC],
  };
}

function histogramCase(carrier: Carrier): BenchCase {
  return {
    ...printed(carrier.titled("histogram"), 2, "M/s", false),
    ours: histo(carrier),
    floors: [
      shmem("OpenSHMEM atomic_add", "histogram"),
      mpi4py("mpi4py all-to-all", "exchange_histogram"),
    ],
  };
}

function gatherCase(carrier: Carrier): BenchCase {
  return {
    ...printed(carrier.titled("gather"), 2, "M/s", false),
    ours: indexGather(carrier),
    floors: [
      shmem("OpenSHMEM get", "gather"),
      mpi4py("mpi4py all-to-all", "exchange_gather"),
    ],
  };
}

/** A program without batches: it sorts items by PE, and AMs bring them as typed arrays. */
function byHand(carrier: Carrier, operation: BatchOperation): Contender {
  const sent = operation === "add"
    ? histo(carrier)
    : operation === "gather"
    ? indexGather(carrier)
    : program(carrier, "bench/cases/typed_buffers.ts", operation);
  return { ...sent, name: "ours, typed arrays in AMs" };
}

function batchCase(carrier: Carrier, operation: BatchOperation): BenchCase {
  const exchanged = `exchange_${operation === "add" ? "histogram" : operation.replace("-", "_")}`;
  const python = mpi4py("mpi4py all-to-all", exchanged);
  const inC = mpiExchange("MPI C all-to-all", operation);
  const shared = [python, inC];
  const overNetwork = shared.map((peer) => ({ ...overTcp(peer), name: `${peer.name}, TCP` }));
  return {
    ...printed(carrier.titled(`batch-${operation}`), 2, "M/s", false),
    ours: program(carrier, "bench/cases/spread_batch.ts", operation, "all"),
    floors: [
      byHand(carrier, operation),
      ...shared,
      ...(carrier === SHMEM ? [] : overNetwork),
    ],
  };
}

/** Two hosts of two PEs: half of each batch is near, one of its halves on the PE that calls. */
function mixedCase(carrier: Carrier, operation: BatchOperation): BenchCase {
  const reaching = (reach: string): Contender =>
    program(carrier, "bench/cases/spread_batch.ts", operation, reach);
  return {
    ...printed(carrier.titled(`mixed-${operation}`), 4, "M/s", false),
    ours: reaching("all"),
    floors: [
      { ...reaching("apart"), name: "ours, the near half and then the far one" },
      { ...reaching("near"), name: "ours, all near" },
      { ...reaching("far"), name: "ours, all far" },
    ],
  };
}

/** AMs with a typed array of u32, beside those with two scalars and messages of the same size. */
function payloadCase(carrier: Carrier, length: number): BenchCase {
  return {
    ...printed(carrier.titled(`payload-${length}`), 2, "M AMs/s", false),
    ours: program(carrier, "bench/cases/am_rate.ts", length, "AMs"),
    floors: [
      { ...program(carrier, "bench/cases/am_rate.ts", 1, "AMs"), name: "ours, two scalars" },
      mpiTcp("MPI C, TCP", "messages", length),
    ],
  };
}

function histo(carrier: Carrier): Contender {
  return program(carrier, "bench/programs/histo.ts", ...tableArgs("buffered_unsafe_am"));
}

function indexGather(carrier: Carrier): Contender {
  return program(carrier, "bench/programs/index_gather.ts", ...tableArgs("buffered_am"));
}

function tableArgs(variant: string): (string | number)[] {
  return [...TABLE, "--variants", variant, "--iterations", TABLE_RUNS, "--metric"];
}

function firstCase(carrier: Carrier): BenchCase {
  return {
    ...printed(carrier.titled("first"), 2, "us", true),
    ours: program(carrier, "bench/cases/spread_first.ts"),
    floors: [mpi("MPI C, shared memory", "first"), mpiTcp("MPI C, TCP", "first")],
  };
}

function startupCase(carrier: Carrier, processes: number, each: number): BenchCase {
  return {
    name: carrier.titled(`startup-${processes}x${each}`),
    pes: processes * each,
    unit: "s",
    lowerIsBetter: true,
    measure: "elapsed",
    ours: several(
      { carrier: carrier.name, processes },
      "examples/hello_world/hello_world_am.ts",
    ),
    floors: [
      carrier === SHMEM ? mpi("MPI C, shared memory", "hello") : mpiTcp("MPI C, TCP", "hello"),
      mpi4py("mpi4py", "hello"),
    ],
  };
}
