/**
 * Finds the compilers and launchers that floors and peers need, builds them into a temporary
 * folder, and turns a contender of the table into a command line.
 *
 * What is missing is said once on standard error, with the package that brings it, and left out.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { PYTHON } from "../scripts/test_needs.ts";
import { runChild } from "./child.ts";
import type { Contender, Tool } from "./contender.ts";

const C_FLAGS = ["-std=gnu11", "-O3", "-march=native", "-pthread"];
const BUILD_LIMIT_MS = 60_000;
/** The crate with the peers in Lamellar for Rust; cargo keeps what it has built below it. */
const CRATE = "bench/peers/lamellar_rust";
const CRATE_LIMIT_MS = 3_600_000;

const RUN = [Deno.execPath(), "run", "-q", "-A"];
/** The launcher's arguments: as root in containers, and more ranks than cores where asked. */
const MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe"];
// Open MPI 4.1 crashes while it closes its rdma component at the end of an OpenSHMEM program:
// https://github.com/open-mpi/ompi/issues/11604
const OSHRUN = ["oshrun", "--allow-run-as-root", "--oversubscribe", "--mca", "osc", "^rdma"];

const ADVICE: Record<Exclude<Tool, "ours" | "deno">, string> = {
  rofi: "the rofi lamella: no usable libfabric (apt-get install libfabric1)",
  fabric: "C floors over libfabric: no headers (apt-get install gcc libc6-dev libfabric-dev)",
  cc: "C floors: no C compiler (apt-get install gcc libc6-dev)",
  mpi: "MPI C: not installed (apt-get install libopenmpi-dev openmpi-bin)",
  shmem: "OpenSHMEM: not installed (apt-get install libopenmpi-dev openmpi-bin)",
  mpi4py: "mpi4py: not installed (apt-get install python3-mpi4py python3-numpy openmpi-bin)",
  rust: "Lamellar for Rust: no cargo (https://rustup.rs)",
};

/** The tools of one run, and the folder with what they built; disposing removes the folder. */
export class Toolbox implements AsyncDisposable {
  readonly #folder: string;
  readonly #root: string;
  readonly #available: Set<Tool> = new Set(["ours", "deno"]);

  private constructor(folder: string) {
    this.#folder = folder;
    this.#root = fileURLToPath(new URL("..", import.meta.url));
  }

  /**
   * Looks for the tools that the contenders need and builds their programs.
   *
   * @param contenders what will run
   * @throws {Error} when a compiler is there and refuses one of our sources
   */
  static async open(contenders: readonly Contender[]): Promise<Toolbox> {
    const toolbox = new Toolbox(await Deno.makeTempDir({ prefix: "lamellar_bench_" }));
    try {
      await toolbox.#prepare(new Set(contenders));
    } catch (cause) {
      await toolbox[Symbol.asyncDispose]();
      throw cause;
    }
    return toolbox;
  }

  /** Whether the contender can run on this machine. */
  has(contender: Contender): boolean {
    return this.#available.has(contender.tool);
  }

  /** The command line of a contender. */
  command(contender: Contender, pes: number): string[] {
    const command = this.#program(contender, pes);
    if (!contender.busy) return command;
    return [...RUN, "bench/loaded.ts", String(contender.busy), ...command];
  }

  #program(contender: Contender, pes: number): string[] {
    const { tool, program, args, mpirun = [] } = contender;
    const count = String(contender.processes ?? pes);
    const built = `${this.#folder}/${program}`;
    switch (tool) {
      case "ours":
      case "rofi": {
        if (!contender.spread) return [...RUN, "scripts/launch.ts", "-n", count, program, ...args];
        const { carrier, processes } = contender.spread;
        const shape = [carrier, String(processes), String(pes / processes)];
        return [...RUN, "bench/processes.ts", ...shape, program, ...args];
      }
      case "deno":
        return [...RUN, program, ...args];
      case "cc":
      case "fabric":
        return [built, ...args];
      case "mpi":
        return [...MPIRUN, ...mpirun, "-n", count, built, ...args];
      case "shmem":
        return [...OSHRUN, "-n", count, built, ...args];
      case "mpi4py":
        return [...MPIRUN, ...mpirun, "-n", count, PYTHON, program, ...args];
      case "rust": {
        const binary = `${CRATE}/target/release/lamellar_peer`;
        return [...RUN, "bench/peers/lamellar_rust.ts", count, binary, program, ...args];
      }
    }
  }

  /** The folder that commands are to be started in: the repository. */
  get workingFolder(): string {
    return this.#root;
  }

  /**
   * Ctrl-C reaches the children by themselves; what is left to do then is the temporary folder.
   *
   * @returns what ends this when it is disposed of
   */
  removedOnInterrupt(): Disposable {
    const interrupt = () => void this[Symbol.asyncDispose]().finally(() => Deno.exit(130));
    Deno.addSignalListener("SIGINT", interrupt);
    return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGINT", interrupt) };
  }

  /** Removes what was built. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #prepare(contenders: Set<Contender>): Promise<void> {
    const needed = new Set([...contenders].map((each) => each.tool));
    const programs = (tool: Tool) =>
      new Set([...contenders].filter((each) => each.tool === tool).map((each) => each.program));
    if (needed.has("rofi")) await this.#findFabric();
    if (needed.has("cc")) {
      const compiler = await this.#compiler();
      await this.#offer("cc", compiler, "floors", programs("cc"));
    }
    if (needed.has("fabric")) {
      const compiler = await this.#compilerOf("rdma/fabric.h");
      await this.#offer("fabric", compiler, "floors", programs("fabric"));
    }
    if (needed.has("mpi")) {
      await this.#offer("mpi", await this.#first(["mpicc"]), "peers", programs("mpi"));
    }
    if (needed.has("shmem")) {
      await this.#offer("shmem", await this.#first(["oshcc"]), "peers", programs("shmem"));
    }
    if (needed.has("mpi4py")) await this.#findMpi4py();
    if (needed.has("rust")) await this.#buildCrate();
  }

  async #offer(
    tool: "cc" | "fabric" | "mpi" | "shmem",
    compiler: string | undefined,
    folder: string,
    programs: Set<string>,
  ): Promise<void> {
    if (compiler === undefined) return console.error(ADVICE[tool]);
    for (const program of programs) {
      const source = `bench/${folder}/${program}.c`;
      const output = `${this.#folder}/${program}`;
      const command = [compiler, ...C_FLAGS, "-Ibench/floors", source, "-o", output];
      if (tool === "fabric") command.push("-lfabric");
      const child = await runChild(command, this.#root, BUILD_LIMIT_MS);
      if (!child.success) throw new Error(`Cannot build ${source}: ${child.problem}`);
    }
    this.#available.add(tool);
  }

  /** Cargo may lack a compiler that is new enough, or the network: that is no mistake of ours. */
  async #buildCrate(): Promise<void> {
    if (!await this.#runs(["cargo", "--version"])) return console.error(ADVICE.rust);
    console.error("Lamellar for Rust: cargo builds it, which takes minutes the first time");
    const places = ["--manifest-path", `${CRATE}/Cargo.toml`, "--target-dir", `${CRATE}/target`];
    const command = ["cargo", "build", "--quiet", "--release", ...places];
    const child = await runChild(command, this.#root, CRATE_LIMIT_MS);
    if (child.success) this.#available.add("rust");
    else console.error(`Lamellar for Rust: cargo cannot build it: ${child.problem}`);
  }

  /** A C compiler that finds a header. */
  async #compilerOf(header: string): Promise<string | undefined> {
    const compiler = await this.#compiler();
    if (compiler === undefined) return undefined;
    const found = await this.#runs([compiler, "-E", "-include", header, "-x", "c", "/dev/null"]);
    return found ? compiler : undefined;
  }

  #compiler(): Promise<string | undefined> {
    return this.#first([Deno.env.get("CC") ?? "gcc", "cc", "clang"]);
  }

  /** Which provider would be chosen does not matter, but that there is one. */
  async #findFabric(): Promise<void> {
    if (await this.#runs([Deno.execPath(), "run", "-q", "-A", "scripts/info.ts"])) {
      this.#available.add("rofi");
    } else console.error(ADVICE.rofi);
  }

  async #findMpi4py(): Promise<void> {
    const found = await this.#runs([PYTHON, "-c", "import mpi4py, numpy"]) &&
      await this.#runs(["mpirun", "--version"]);
    if (found) this.#available.add("mpi4py");
    else console.error(ADVICE.mpi4py);
  }

  async #first(programs: readonly string[]): Promise<string | undefined> {
    for (const program of programs) {
      if (await this.#runs([program, "--version"])) return program;
    }
    return undefined;
  }

  async #runs(command: readonly string[]): Promise<boolean> {
    return (await runChild(command, this.#root, BUILD_LIMIT_MS)).success;
  }
}
