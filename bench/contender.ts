/**
 * What a case consists of, and short ways to write its programs down.
 *
 * @module
 */

/** What a contender needs on the machine before it can run. */
export type Tool = "ours" | "rofi" | "cc" | "fabric" | "mpi" | "shmem" | "mpi4py" | "rust" | "deno";

/** Several processes of ours. */
export interface Spread {
  /** What carries their traffic: `shmem`, or a provider of libfabric. */
  readonly carrier: string;
  readonly processes: number;
}

/** One program that is measured. */
export interface Contender {
  /** Shown as `floorName`. */
  readonly name: string;
  readonly tool: Tool;
  /** A script relative to the repository, the stem of a C source, or the program of a crate. */
  readonly program: string;
  readonly args: readonly string[];
  /** Ranks or PEs to start, where that differs from the case. */
  readonly processes?: number;
  /** How the PEs are spread over processes, where there are several. */
  readonly spread?: Spread;
  /** Further arguments for `mpirun`. */
  readonly mpirun?: readonly string[];
  /** How many other processes are busy while it runs; none if left out. */
  readonly busy?: number;
}

/** One row of the report: our program and its floors and peers. */
export interface BenchCase {
  readonly name: string;
  readonly pes: number;
  readonly unit: string;
  readonly lowerIsBetter: boolean;
  /** What is taken from each child: the line of measurement it prints, or its time in seconds. */
  readonly measure: "printed" | "elapsed";
  readonly ours: Contender;
  readonly floors: readonly Contender[];
}

/** An argument of a program. */
export type Argument = string | number;

/** Any contender, by its parts. */
export function contender(
  name: string,
  tool: Tool,
  program: string,
  args: readonly Argument[],
): Contender {
  return { name, tool, program, args: args.map(String) };
}

/** All of a case but its programs, where they print what is measured. */
export function printed(
  name: string,
  pes: number,
  unit: string,
  lowerIsBetter: boolean,
): Omit<BenchCase, "ours" | "floors"> {
  return { name, pes, unit, lowerIsBetter, measure: "printed" };
}

/** A program of ours on the local lamella, from `cases/`. */
export function ours(program: string, ...args: Argument[]): Contender {
  return contender("ours", "ours", `bench/cases/${program}.ts`, args);
}

/** A program of ours in several processes, by its path. */
export function several(spread: Spread, program: string, ...args: Argument[]): Contender {
  const tool = spread.carrier === "shmem" ? "ours" : "rofi";
  return { ...contender("ours", tool, program, args), spread };
}

/** A floor in C with threads. */
export function c(name: string, program: string, ...args: Argument[]): Contender {
  return contender(name, "cc", program, args);
}

/** A floor in C over libfabric. */
export function fabric(name: string, program: string, ...args: Argument[]): Contender {
  return contender(name, "fabric", program, args);
}

/** The peer in MPI. */
export function mpi(name: string, ...args: Argument[]): Contender {
  return contender(name, "mpi", "mpi", args);
}

/** The peer in MPI, kept from shared memory: what it does between hosts. */
export function mpiTcp(name: string, ...args: Argument[]): Contender {
  return overTcp(mpi(name, ...args));
}

/** A peer that `mpirun` starts, kept from shared memory. */
export function overTcp(peer: Contender): Contender {
  return { ...peer, mpirun: ["--mca", "pml", "ob1", "--mca", "btl", "self,tcp"] };
}

/** The peer in MPI that sorts items by their owner and exchanges them. */
export function mpiExchange(name: string, ...args: Argument[]): Contender {
  return contender(name, "mpi", "mpi_exchange", args);
}

/** The peer in MPI that calls collectives. */
export function mpiCollective(name: string, ...args: Argument[]): Contender {
  return contender(name, "mpi", "mpi_collective", args);
}

/** The peer in OpenSHMEM. */
export function shmem(name: string, ...args: Argument[]): Contender {
  return contender(name, "shmem", "shmem", args);
}

/** The peer in mpi4py. */
export function mpi4py(name: string, ...args: Argument[]): Contender {
  return contender(name, "mpi4py", "bench/peers/mpi4py_peer.py", args);
}

/** A program of another kind for Deno, from `peers/`. */
export function deno(name: string, program: string, ...args: Argument[]): Contender {
  return contender(name, "deno", `bench/peers/${program}`, args);
}
