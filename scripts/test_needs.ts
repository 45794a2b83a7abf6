/**
 * What the tests need of the system beside Deno, and how to get it.
 *
 * @module
 */

import { runChild } from "./child.ts";

/** Something that tests use if it is there. */
export interface Need {
  /** What it is called. */
  readonly name: string;
  /** A command that succeeds where it is there. */
  readonly probe: readonly string[];
  /** The Debian packages that bring it. */
  readonly packages: readonly string[];
  /** What is left out without it. */
  readonly without: string;
}

/** Everything, in the order of the report. */
export const NEEDS: readonly Need[] = [
  {
    name: "a C compiler",
    probe: ["gcc", "--version"],
    packages: ["gcc", "libc6-dev"],
    without: "the C programs that benchmarks compare with",
  },
  {
    name: "libfabric",
    probe: ["test", "-e", "/usr/include/rdma/fabric.h"],
    packages: ["libfabric1", "libfabric-dev"],
    without: "nothing; what is tested over it fails",
  },
  {
    name: "MPI",
    probe: ["mpicc", "--version"],
    packages: ["libopenmpi-dev", "openmpi-bin"],
    without: "the comparison with MPI in C",
  },
  {
    name: "OpenSHMEM",
    probe: ["oshcc", "--version"],
    packages: ["libopenmpi-dev", "openmpi-bin"],
    without: "the comparison with OpenSHMEM in C",
  },
  {
    name: "hydra",
    probe: ["mpiexec.hydra", "--version"],
    packages: ["mpich"],
    without: "nothing; the tests of the start-up by MPICH's launcher fail",
  },
  {
    name: "PMIx",
    probe: ["dpkg", "-s", "libpmix-dev"],
    packages: ["libpmix-dev"],
    without: "nothing; the tests of PMIx fail",
  },
  {
    name: "Slurm",
    probe: ["slurmctld", "-V"],
    packages: ["slurm-wlm", "slurm-wlm-basic-plugins", "munge"],
    without: "nothing; the tests of the start-up by Slurm fail",
  },
  {
    name: "mpi4py",
    probe: ["python3", "-c", "import mpi4py"],
    packages: ["python3-mpi4py"],
    without: "the comparison with mpi4py",
  },
  {
    name: "network namespaces",
    probe: ["ip", "-V"],
    packages: ["iproute2", "util-linux", "procps", "nftables"],
    without: "the tests of the launcher on several hosts, which fail",
  },
  {
    name: "an ssh server",
    probe: ["test", "-x", "/usr/sbin/sshd"],
    packages: ["openssh-server", "openssh-client"],
    without: "the tests of the launcher over ssh, which fail",
  },
];

/** Runs a command and says whether it succeeded. */
export type Attempt = (command: readonly string[]) => Promise<boolean>;

/**
 * Looks for what the tests need and installs what is missing, where this process may.
 *
 * @param needs What to look for
 * @param mayInstall Whether `apt-get` may be used
 * @param attempt How commands are run
 * @returns A line for each thing that is still missing: what it is, and what is left out
 */
export async function provide(
  needs: readonly Need[] = NEEDS,
  mayInstall: boolean = isRoot(),
  attempt: Attempt = quietly,
): Promise<string[]> {
  const missing: Need[] = [];
  for (const need of needs) {
    if (!await attempt(need.probe)) missing.push(need);
  }
  if (missing.length === 0) return [];
  const packages = [...new Set(missing.flatMap((need) => need.packages))];
  const install = ["apt-get", "install", "-y", "-q", "--no-install-recommends"];
  let why = "installing needs root and apt-get";
  if (mayInstall && await attempt(["apt-get", "--version"])) {
    await attempt(["apt-get", "update", "-q"]);
    // One by one if not all at once: a package that is not to be had must not keep out the others.
    if (!await attempt([...install, ...packages])) {
      for (const name of packages) await attempt([...install, name]);
    }
    why = "apt-get could not install it";
  }
  const lines: string[] = [];
  for (const need of missing) {
    if (await attempt(need.probe)) continue;
    lines.push(
      `not installed: ${need.name} (${
        need.packages.join(", ")
      }), ${why}; left out: ${need.without}`,
    );
  }
  return lines;
}

function isRoot(): boolean {
  return Deno.build.os === "linux" && Deno.uid() === 0;
}

async function quietly(command: readonly string[]): Promise<boolean> {
  if (command[1] === "install") console.log(command.join(" "));
  try {
    const { code } = await runChild(command, {
      limitSeconds: 300,
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
    return code === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
