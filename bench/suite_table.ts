/**
 * What `deno task bench suite` runs: the programs of lamellar-benchmarks, ours on each lamella and
 * one of ours for each peer.
 *
 * @module
 */
import { type Argument, type Contender, contender, overTcp, several } from "./contender.ts";

/** Where the PEs are: threads of one process, or processes with shared memory or over TCP. */
export const PLACES = ["local", "shmem", "rofi"] as const;
/** One of them. */
export type Place = typeof PLACES[number];

/** One command of the suite; its lines of output tell variants and figures. */
export interface SuiteRun {
  readonly program: string;
  readonly place: Place;
  readonly contender: Contender;
}

/** Of randperm: numbers on all PEs, and how much longer the target is. */
const DARTS = [1_000_000, 10];
const TRIANGLE_SCALE = 14;
const BUFFER_SIZE = 8192;

/** Arguments for ours, run after run, and for the peers. */
interface SuiteProgram {
  readonly name: string;
  readonly ours: readonly (readonly Argument[])[];
  readonly peer: readonly Argument[];
  /** Those of Lamellar for Rust, which has buffers where ours does. */
  readonly rust: readonly Argument[];
}

/** Iterations: the first half is for warming up, which takes V8 a second or so. */
const ITERATIONS = { slow: 10, ours: 30, peers: 10 };

/** Programs that move items of a table: few for variants with an AM each, many for the others. */
function tableProgram(name: string, slow: string, fast: string): SuiteProgram {
  const run = (variants: string, items: number, iterations: number): Argument[] => [
    ...[items, BUFFER_SIZE, "--variants", variants, "--iterations", iterations],
  ];
  return {
    name,
    ours: [run(slow, 100_000, ITERATIONS.slow), run(fast, 1_000_000, ITERATIONS.ours)],
    peer: [1_000_000, ITERATIONS.peers],
    rust: [1_000_000, BUFFER_SIZE, ITERATIONS.peers],
  };
}

const PROGRAMS: readonly SuiteProgram[] = [
  tableProgram(
    "histo",
    "safe_am,unsafe_am,darc",
    "buffered_safe_am,buffered_unsafe_am,atomic_array,array_comparison",
  ),
  tableProgram("index_gather", "am", "buffered_am,atomic_array,read_only_array"),
  {
    name: "randperm",
    ours: [[...DARTS, "--iterations", ITERATIONS.slow]],
    peer: [...DARTS, ITERATIONS.peers],
    rust: [...DARTS, ITERATIONS.peers],
  },
  {
    name: "triangle_count",
    ours: [[TRIANGLE_SCALE, BUFFER_SIZE, "--iterations", ITERATIONS.slow]],
    peer: [TRIANGLE_SCALE, ITERATIONS.peers],
    rust: [TRIANGLE_SCALE, BUFFER_SIZE, ITERATIONS.peers],
  },
];

/** The programs by name. */
export const SUITE_PROGRAMS: readonly string[] = PROGRAMS.map(({ name }) => name);

/**
 * The runs of some programs, in the order of the report.
 *
 * @param names names of programs
 * @param pes how many PEs
 */
export function suiteRuns(names: readonly string[], pes: number): SuiteRun[] {
  return PROGRAMS.filter(({ name }) => names.includes(name)).flatMap((program) => {
    const at = (place: Place, chosen: Contender): SuiteRun => ({
      program: program.name,
      place,
      contender: chosen,
    });
    const mpi4py = contender("mpi4py", "mpi4py", "bench/peers/mpi4py_suite.py", [
      ...[program.name, ...program.peer],
    ]);
    return [
      ...program.ours.flatMap((args) =>
        PLACES.map((place) => at(place, ours(program.name, place, pes, args)))
      ),
      at("shmem", contender("OpenSHMEM", "shmem", `shmem_${program.name}`, program.peer)),
      at("shmem", mpi4py),
      at("rofi", overTcp(mpi4py)),
      at("shmem", contender("Lamellar for Rust", "rust", program.name, program.rust)),
    ];
  });
}

function ours(program: string, place: Place, pes: number, args: readonly Argument[]): Contender {
  const path = `bench/programs/${program}.ts`;
  const name = "Lamellar for Deno";
  if (place === "local") return contender(name, "ours", path, args);
  const carrier = place === "shmem" ? "shmem" : "tcp;ofi_rxm";
  return { ...several({ carrier, processes: pes }, path, ...args), name };
}
