/**
 * What the tests need of the system beside Deno, and how to get it.
 *
 * @module
 */

import { runChild } from "./child.ts";

/** The Python that Debian's packages belong to; another one may come first on the path. */
export const PYTHON = "/usr/bin/python3";

/** A Debian package, if one brings it, and a command that succeeds where it is there. */
export interface Part {
  readonly package?: string;
  readonly probe: readonly string[];
}

/** Something that tests use. */
export interface Need {
  /** What it is called. */
  readonly name: string;
  /** What brings it; each of them is looked for, since one may be there without the others. */
  readonly parts: readonly Part[];
  /** What only this is for, where tests hold without it; else they need it. */
  readonly onlyFor?: string;
}

const LIBRARIES = `/usr/lib/${Deno.build.arch}-linux-gnu`;

const NAMESPACES = ["--net", "--uts", "--ipc", "--mount", "--mount-proc"];

function part(name: string, ...probe: string[]): Part {
  return { package: name, probe };
}

/** Whether a C compiler finds a header. */
function header(name: string, compiler: string, file: string): Part {
  return part(name, compiler, "-E", "-include", file, "-x", "c", "/dev/null");
}

/** Everything, in the order of the report. */
export const NEEDS: readonly Need[] = [
  {
    name: "a C compiler",
    parts: [part("gcc", "gcc", "--version"), header("libc6-dev", "gcc", "stdio.h")],
  },
  {
    name: "libfabric",
    parts: [
      part("libfabric1", Deno.execPath(), "eval", 'Deno.dlopen("libfabric.so.1", {})'),
      header("libfabric-dev", "gcc", "rdma/fabric.h"),
    ],
  },
  { name: "hydra", parts: [part("mpich", "mpiexec.hydra", "--version")] },
  {
    name: "Open MPI",
    parts: [part("openmpi-bin", "sh", "-c", "mpirun --version | grep -q 'Open MPI'")],
  },
  {
    name: "PMIx",
    parts: [part("libpmix-dev", "test", "-e", `${LIBRARIES}/pmix2/include/pmix.h`)],
  },
  {
    name: "Slurm",
    parts: [
      part("slurmctld", "slurmctld", "-V"),
      part("slurmd", "slurmd", "-V"),
      // Without a cluster it does not even tell its version.
      part("slurm-client", "sh", "-c", "command -v srun && command -v sbatch"),
      part("slurm-wlm-basic-plugins", "test", "-e", `${LIBRARIES}/slurm-wlm/mpi_pmix.so`),
      part("munge", "munged", "--version"),
    ],
  },
  {
    name: "network namespaces",
    parts: [
      part("iproute2", "ip", "-V"),
      part("util-linux", "nsenter", "--version"),
      part("procps", "ps", "--version"),
      part("nftables", "nft", "--version"),
    ],
  },
  {
    name: "the right to make namespaces, which root has",
    parts: [{ probe: ["unshare", ...NAMESPACES, "--pid", "--fork", "--kill-child", "true"] }],
  },
  {
    name: "an ssh server",
    parts: [
      part("openssh-server", "test", "-x", "/usr/sbin/sshd"),
      part("openssh-client", "ssh", "-V"),
    ],
  },
  {
    name: "Jupyter",
    parts: [part("python3-jupyter-client", PYTHON, "-c", "import jupyter_client")],
  },
  {
    name: "MPI and OpenSHMEM in C",
    parts: [
      header("libopenmpi-dev", "mpicc", "mpi.h"),
      header("libopenmpi-dev", "oshcc", "shmem.h"),
    ],
    onlyFor: "a comparison in the benchmarks",
  },
  {
    name: "mpi4py",
    parts: [
      part("python3-mpi4py", PYTHON, "-c", "import mpi4py"),
      part("python3-numpy", PYTHON, "-c", "import numpy"),
    ],
    onlyFor: "a comparison in the benchmarks",
  },
];

/** How a command ended: whether it succeeded, and what it wrote. */
export interface Attempted {
  readonly succeeded: boolean;
  readonly output: string;
}

/** Runs a command to its end. */
export type Attempt = (command: readonly string[]) => Promise<Attempted>;

/** What is not there after all. */
export interface Missing {
  readonly need: Need;
  /** The packages that would bring it. */
  readonly packages: readonly string[];
}

/** What came of looking and installing. */
export interface Provided {
  readonly missing: readonly Missing[];
  /** Why nothing, or not all, could be installed. */
  readonly why: string;
}

/**
 * Looks for what the tests need and installs the packages that are missing, where this process may.
 *
 * @param needs What to look for
 * @param mayInstall Whether `apt-get` may be used
 * @param attempt How commands are run
 * @returns What is still missing, and why
 */
export async function provide(
  needs: readonly Need[] = NEEDS,
  mayInstall: boolean = isRoot(),
  attempt: Attempt = quietly,
): Promise<Provided> {
  const missing = await look(needs, attempt);
  if (missing.length === 0) return { missing, why: "" };
  const packages = [...new Set(missing.flatMap(({ packages }) => packages))];
  if (packages.length === 0) return { missing, why: "no package brings it" };
  if (!mayInstall || !(await attempt(["apt-get", "--version"])).succeeded) {
    return { missing, why: "installing needs root and apt-get" };
  }
  const why = await install(packages, attempt);
  return { missing: await look(needs, attempt), why };
}

/**
 * What is said of things that are missing, for tests that need them and for others.
 *
 * @param provided What came of looking
 * @returns A line that keeps the tests from running, or none; and a line for each other thing
 */
export function report({ missing, why }: Provided): { fatal?: string; notes: string[] } {
  const named = ({ need, packages }: Missing) =>
    packages.length === 0 ? need.name : `${need.name} (${packages.join(", ")})`;
  const notes = missing.filter(({ need }) => need.onlyFor !== undefined).map((one) =>
    `not installed: ${named(one)}, ${why}; left out: ${one.need.onlyFor}`
  );
  const needed = missing.filter(({ need }) => need.onlyFor === undefined);
  if (needed.length === 0) return { notes };
  return { fatal: `Cannot run all tests without ${needed.map(named).join(", ")}: ${why}`, notes };
}

async function look(needs: readonly Need[], attempt: Attempt): Promise<Missing[]> {
  const missing: Missing[] = [];
  for (const need of needs) {
    const lacking: Part[] = [];
    for (const one of need.parts) if (!(await attempt(one.probe)).succeeded) lacking.push(one);
    const packages = new Set(lacking.flatMap((one) => one.package ?? []));
    if (lacking.length > 0) missing.push({ need, packages: [...packages] });
  }
  return missing;
}

/** Installs packages and says what went wrong if not all of them could be. */
async function install(packages: readonly string[], attempt: Attempt): Promise<string> {
  // Another apt-get, such as the one that a fresh machine begins with, is waited for.
  const apt = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120"];
  const command = [...apt, "install", "-y", "--no-install-recommends"];
  const updated = await attempt([...apt, "update"]);
  const all = await attempt([...command, ...packages]);
  if (all.succeeded) return "apt-get installed it, yet it does not work";
  // One by one if not all at once: a package that is not to be had must not keep out the others.
  for (const name of packages) await attempt([...command, name]);
  const reason = /^E: .*$/m.exec(all.output)?.[0] ?? /^E: .*$/m.exec(updated.output)?.[0];
  return `apt-get could not install it${reason === undefined ? "" : ` (${reason.slice(3)})`}`;
}

function isRoot(): boolean {
  return Deno.build.os === "linux" && Deno.uid() === 0;
}

async function quietly(command: readonly string[]): Promise<Attempted> {
  if (command.includes("install")) console.log(command.join(" "));
  try {
    const { code, output } = await runChild(command, {
      limitSeconds: 900,
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
    return { succeeded: code === 0, output };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { succeeded: false, output: error.message };
  }
}
