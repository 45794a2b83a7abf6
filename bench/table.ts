/**
 * The table of benchmark cases: what runs for us, and what it is measured against.
 *
 * One entry a case; the harness launches whatever stands here and knows nothing else about it.
 *
 * @module
 */

import { ARRAY_CASES } from "./array_table.ts";
import {
  type BenchCase,
  c,
  type Contender,
  deno,
  mpi,
  mpi4py,
  mpiCollective,
  ours,
  printed,
  shmem,
} from "./contender.ts";
import { POOL_CASES } from "./pool_table.ts";
import { SPREAD_CASES } from "./spread_table.ts";

const SIZES: readonly (readonly [string, number])[] = [
  ["1KiB", 1 << 10],
  ["64KiB", 1 << 16],
  ["1MiB", 1 << 20],
  ["4MiB", 1 << 22],
  ["64MiB", 1 << 26],
];

/** How long round trips are timed where others use the cores: some take tens of milliseconds. */
const BUSY_SECONDS = 1;

/** Every case, in the order in which they run. */
export const CASES: readonly BenchCase[] = [
  ...SIZES.map(([label, bytes]) => copyCase("put", label, bytes)),
  ...SIZES.map(([label, bytes]) => copyCase("get", label, bytes)),
  rateCase(1, [
    c("C ring, one by one", "ring", "rate", 1, 1),
    c("C ring, batched", "ring", "rate", 1, 64),
    mpi("MPI C", "rate", 1),
    shmem("OpenSHMEM atomic_inc", "rate"),
    mpi4py("mpi4py buffers", "rate"),
    deno("MessageChannel", "message_channel.ts", "rate"),
  ]),
  rateCase(10, [c("C ring, batched", "ring", "rate", 10, 16), mpi("MPI C", "rate", 10)]),
  rateCase(100, [c("C ring, batched", "ring", "rate", 100, 2), mpi("MPI C", "rate", 100)]),
  {
    ...printed("am-group-rate", 2, "M updates/s", false),
    ours: ours("am_group_rate"),
    floors: [
      { ...ours("am_rate", 1), name: "ours, one by one" },
      c("C ring, batched", "ring", "rate", 1, 64),
      mpi("MPI C", "rate", 1),
    ],
  },
  payloadCase(10),
  payloadCase(100),
  rateCase(1000, [
    c("C ring", "ring", "rate", 1000, 1),
    mpi("MPI C", "rate", 1000),
    deno("MessageChannel, transferred", "message_channel.ts", "batched"),
  ]),
  latencyCase("am-latency-awaited", 2, "awaited", [
    c("C, a word there and back", "ring", "latency", 1, 1000, 1000),
    mpi("MPI C", "latency"),
    mpi4py("mpi4py pickled", "pickled"),
    mpi4py("mpi4py buffers", "buffer"),
    deno("MessageChannel", "message_channel.ts", "latency"),
    deno("comlink", "comlink.ts"),
    deno("piscina", "piscina.ts"),
  ]),
  latencyCase("am-latency-block", 2, "block", [
    c("C, a word there and back", "ring", "latency", 1, 1000, 1000),
    mpi("MPI C", "latency"),
    mpi4py("mpi4py buffers", "buffer"),
  ]),
  // The same while as many other processes as there are PEs compute.
  ...["mean", "median", "p99"].map((figure) => busyCase(figure)),
  latencyCase("am-latency-4pes", 4, "awaited", [
    c("C, two pairs that yield", "ring", "latency", 2, 10, 1000),
    c("C, two pairs on the futex", "ring", "latency", 2, 1000, 0),
    mpi("MPI C", "latency"),
    mpi4py("mpi4py pickled", "pickled"),
  ]),
  ...[2, 4].map((pes) => barrierCase(pes)),
  {
    ...printed("all-reduce-8B", 2, "us", true),
    ours: ours("collective", "number"),
    floors: [
      { ...ours("barrier"), name: "ours, a barrier" },
      mpiCollective("MPI C", "all-reduce", 8),
    ],
  },
  ...[2, 4].flatMap((pes) => [
    collectiveCase("all-reduce", "1MiB", pes),
    collectiveCase("reduce-scatter", "1MiB", pes),
  ]),
  collectiveCase("all-gather", "64KiB", 2),
  collectiveCase("all-to-all", "64KiB", 2),
  collectiveCase("broadcast", "16MiB", 2),
  // Answers of an HTTP server on PE 0: with an AM each, and while AMs are awaited.
  ...[1, 16].map((clients) => ioCase(`http-${clients}`, "requests/s", "http", clients)),
  ioCase("http-while-computing", "requests/s", "http-compute", 1),
  ioCase("http-while-adding", "requests/s", "http-add", 1),
  // I/O and then an AM, and an AM whose handler does I/O.
  ioCase("echo-alone", "us", "echo-alone"),
  ioCase("echo", "us", "echo"),
  ioCase("file", "us", "file"),
  ioCase("handler-file", "us", "handler-file"),
  ioCase("handler-echo", "us", "handler-echo"),
  {
    // Four wait; one more holds the barrier up and sleeps.
    ...printed("idle", 4, "% of a core", true),
    ours: { ...ours("idle"), processes: 5 },
    floors: [mpi("MPI C", "idle"), shmem("OpenSHMEM", "idle"), mpi4py("mpi4py", "idle")].map(
      (peer) => ({ ...peer, processes: 5 }),
    ),
  },
  tableCase("histogram", {
    plain: "C __atomic_fetch_add",
    prefetch: "C __atomic_fetch_add, prefetched",
    shmem: "OpenSHMEM atomic_add",
    mpi: "MPI_Accumulate",
    mpi4py: "mpi4py Counter and Accumulate",
  }),
  tableCase("gather", {
    plain: "C loads",
    prefetch: "C loads, prefetched",
    shmem: "OpenSHMEM get",
    mpi: "MPI_Get",
    mpi4py: "mpi4py indexed Get",
  }),
  {
    name: "startup",
    pes: 4,
    unit: "s",
    lowerIsBetter: true,
    measure: "elapsed",
    ours: {
      name: "ours",
      tool: "ours",
      program: "examples/hello_world/hello_world_am.ts",
      args: [],
    },
    floors: [
      deno("bare Workers", "workers_hello.ts", 4),
      mpi("MPI C", "hello"),
      shmem("OpenSHMEM", "hello"),
      mpi4py("mpi4py", "hello"),
    ],
  },
  ...ARRAY_CASES,
  ...POOL_CASES,
  ...SPREAD_CASES,
];

/**
 * Picks the cases that were asked for: by name, or by the first words of it (`put`, `am`).
 *
 * @param wanted names; none means every case
 * @throws {RangeError} when a name fits no case
 */
export function selectCases(wanted: readonly string[]): BenchCase[] {
  const fits = (name: string, prefix: string) => name === prefix || name.startsWith(`${prefix}-`);
  for (const word of wanted) {
    if (CASES.some((each) => fits(each.name, word))) continue;
    const names = CASES.map((each) => each.name).join(", ");
    throw new RangeError(`Cannot run the benchmark ${word}: the cases are ${names}`);
  }
  return CASES.filter((each) =>
    wanted.length === 0 || wanted.some((word) => fits(each.name, word))
  );
}

function copyCase(kind: "put" | "get", label: string, bytes: number): BenchCase {
  return {
    ...printed(`${kind}-${label}`, 2, "GB/s", false),
    ours: ours("copy", kind, bytes),
    floors: [c("C memcpy", "memcpy", bytes)],
  };
}

function rateCase(updates: number, floors: readonly Contender[]): BenchCase {
  return {
    ...printed(`am-rate-${updates}`, 2, "M updates/s", false),
    ours: ours("am_rate", updates),
    floors,
  };
}

/** Typed arrays of u32 as payloads, beside a scalar one and messages of the same size. */
function payloadCase(length: number): BenchCase {
  return {
    ...printed(`am-payload-${length}`, 2, "M AMs/s", false),
    ours: ours("am_rate", length, "AMs"),
    floors: [
      { ...ours("am_rate", 1, "AMs"), name: "ours, two scalars" },
      mpi("MPI C", "messages", length),
    ],
  };
}

/** Round trips that are timed one by one while each core has another process that computes. */
function busyCase(figure: string): BenchCase {
  const title = figure === "mean" ? "" : `-${figure}`;
  const loaded = (contender: Contender): Contender => ({ ...contender, busy: 2 });
  return {
    ...printed(`am-latency-busy${title}`, 2, "us", true),
    ours: loaded(ours("am_latency", "awaited", figure, BUSY_SECONDS)),
    floors: [
      mpi("MPI C", "latency", figure, BUSY_SECONDS),
      deno("MessageChannel", "message_channel.ts", "latency", figure, BUSY_SECONDS),
    ].map(loaded),
  };
}

function latencyCase(
  name: string,
  pes: number,
  form: "awaited" | "block",
  floors: readonly Contender[],
): BenchCase {
  return { ...printed(name, pes, "us", true), ours: ours("am_latency", form), floors };
}

function barrierCase(pes: number): BenchCase {
  const spins = pes === 2 ? 1000 : 10;
  return {
    ...printed(`barrier-${pes}`, pes, "us", true),
    ours: ours("barrier"),
    floors: [
      c("C dissemination", "barrier", pes, spins, 1000),
      mpi("MPI C", "barrier"),
      shmem("OpenSHMEM", "barrier"),
      mpi4py("mpi4py", "barrier"),
    ],
  };
}

function collectiveCase(which: string, label: string, pes: number): BenchCase {
  const bytes = Number.parseInt(label) * 2 ** (label.endsWith("KiB") ? 10 : 20);
  return {
    ...printed(`${which}-${label}-${pes}`, pes, "us", true),
    ours: ours("collective", which, bytes),
    floors: [mpiCollective("MPI C", which, bytes)],
  };
}

function ioCase(name: string, unit: string, kind: string, clients = 1): BenchCase {
  return {
    ...printed(`io-${name}`, 2, unit, unit === "us"),
    ours: ours("io", kind, clients),
    floors: [deno("a Worker and postMessage", "io_worker.ts", kind, clients)],
  };
}

function tableCase(
  kind: "histogram" | "gather",
  names: Record<"plain" | "prefetch" | "shmem" | "mpi" | "mpi4py", string>,
): BenchCase {
  return {
    ...printed(`${kind}-u64`, 2, "M/s", false),
    ours: ours(kind),
    floors: [
      c(names.plain, "tables", kind, "plain"),
      c(names.prefetch, "tables", kind, "prefetch"),
      shmem(names.shmem, kind),
      mpi(names.mpi, kind),
      mpi4py(names.mpi4py, kind),
    ],
  };
}
