/**
 * Prints what a job would have here, and what there is to run on: `deno task info [--provider NAME]
 * [--domain NAME]`. This is what a report of a fault should contain.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import {
  discoverFabric,
  FABRIC_HEADERS,
  type FabricCalls,
  fabricCalls,
  type FabricChoice,
  type FabricInfo,
  Futex,
  MemoryFile,
  openFabric,
  refusal,
} from "../ffi/mod.ts";
import {
  type Environment,
  environment,
  environmentNames,
  readConfig,
  unknownVariables,
} from "../internal/config.ts";
import { FeatureLevelError, TransportError } from "../internal/errors.ts";
import { VERSION } from "../internal/version.ts";
import { tryReserve } from "../lamellae/mod.ts";

const PERMISSIONS = ["read", "write", "net", "env", "run", "ffi", "sys", "import"] as const;

/** The variables by which launchers tell a process of its job. */
const LAUNCHERS: readonly { readonly variable: string; readonly means: string }[] = [
  { variable: "LAMELLAR_LAUNCHER", means: "the launcher of this library" },
  { variable: "PMI_FD", means: "PMI over a descriptor (hydra, srun --mpi=pmi2, our launcher)" },
  { variable: "PMI_PORT", means: "PMI over TCP" },
  { variable: "PMIX_NAMESPACE", means: "PMIx (mpirun of Open MPI, srun --mpi=pmix)" },
  { variable: "SLURM_STEP_ID", means: "a step of Slurm" },
  { variable: "SLURM_JOB_ID", means: "a job of Slurm" },
];

const READS = 20_000;

/**
 * What the environment says about the launcher.
 *
 * @param env The environment
 * @returns A line for each sign of one, or one that there is none
 */
export function launcherLines(env: Environment): string[] {
  const found = LAUNCHERS.filter(({ variable }) => (env(variable) ?? "") !== "");
  if (found.length === 0) return ["none: a job of one process"];
  return found.map(({ variable, means }) => `${means}: ${variable}=${env(variable)}`);
}

/**
 * The providers that libfabric offers, and what would become of each.
 *
 * @param offers What is offered
 * @param choice What is wanted
 * @returns A line for each provider and domain
 */
export function offerLines(offers: readonly FabricInfo[], choice: FabricChoice): string[] {
  const lines = offers.map((offer) => {
    const where = `${offer.provider.padEnd(12)} ${offer.domain} on ${offer.fabric}`;
    // The domain is the user's choice and says nothing about the provider.
    const reason = refusal(offer, { contexts: choice.contexts });
    return reason === undefined ? where : `${where}: refused, ${reason}`;
  });
  return [...new Set(lines)];
}

/** A size as one reads it. */
function size(bytes: number): string {
  const power = Math.min(3, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const text = (bytes / 1024 ** power).toFixed(power === 3 ? 2 : 0).replace(/\.?0+$/, "");
  return `${text} ${["bytes", "KiB", "MiB", "GiB"][power]}`;
}

/** Where a value comes from. */
function source(variable: string, value: unknown, byDefault: string): string {
  return value === undefined ? byDefault : `by ${variable}`;
}

/**
 * What a job that is started now on this machine would have.
 *
 * @param env The environment
 * @param names The names of all its variables
 * @param cores Cores of the machine
 * @returns A line for the PEs, their heaps, the memory, and the settings
 */
export function jobLines(env: Environment, names: Iterable<string>, cores: number): string[] {
  const set = [...names].filter((name) => name.startsWith("LAMELLAR_") && env(name)).sort();
  const settings = set.map((name) => `${name}=${name === "LAMELLAR_SECRET" ? "…" : env(name)}`);
  const lines = [
    settings.length === 0
      ? "settings: all at their defaults (docs/environment.md)"
      : `settings: ${settings.join(" ")}, all others at their defaults (docs/environment.md)`,
    ...unknownVariables(set),
  ];
  try {
    const config = readConfig(env);
    const { pes, heapBytes } = config;
    const numPes = pes ?? cores;
    const job = tryReserve(numPes, config);
    lines.unshift(
      `PEs: ${numPes}, ${source("LAMELLAR_PES", pes, "one for each core")}`,
      `heap: ${size(job.heapBytes)} for each PE, ` +
        source("LAMELLAR_HEAP_SIZE", heapBytes, "shared evenly"),
      `shared memory: a job of one process reserves ${size(job.totalBytes)}, which the machine ` +
        "provides only as it is used",
    );
  } catch (error) {
    // What is wrong with a setting is what is to be told.
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    lines.unshift(`cannot start a job: ${error.message}`);
  }
  return lines;
}

/** How much memory the machine has, where that may be asked. */
function memoryLines(): string[] {
  if (Deno.permissions.querySync({ name: "sys", kind: "systemMemoryInfo" }).state !== "granted") {
    return [];
  }
  const { total, available } = Deno.systemMemoryInfo();
  return [`memory of the machine: ${size(total)}, ${size(available)} available`];
}

function systemLines(): string[] {
  const { deno, v8, typescript } = Deno.version;
  const states = PERMISSIONS.map((name) => {
    const { state, partial } = Deno.permissions.querySync({ name });
    return `${name} ${partial === true ? "in part" : state}`;
  });
  return [
    `Lamellar ${VERSION}`,
    `Deno ${deno}, V8 ${v8}, TypeScript ${typescript}, ${Deno.build.target}`,
    `cores: ${navigator.hardwareConcurrency}`,
    ...memoryLines(),
    `permissions: ${states.join(", ")}`,
    `processes of this host ${canShare() ? "can" : "cannot"} share memory`,
  ];
}

/** Whether this one could offer memory to others, and wake them. */
function canShare(): boolean {
  const file = Futex.open() && MemoryFile.create("lamellar_info");
  file?.close();
  return file !== undefined;
}

function limitLines(info: FabricInfo): string[] {
  const most = (bytes: number) => bytes === Number.MAX_SAFE_INTEGER ? "no limit" : `${bytes} bytes`;
  return [
    `message at most ${most(info.maxMsgSize)}, injected ${most(info.injectSize)}`,
    info.orderedPutSize === 0
      ? "puts in any order"
      : `puts in the order of the calls, at most ${most(info.orderedPutSize)}`,
    `operations under way ${info.txSize}, receives ${info.rxSize}`,
    `pieces of a send ${info.txIovLimit}, of a receive ${info.rxIovLimit}, ` +
    `of remote memory ${info.rmaIovLimit}`,
    `key ${info.mrKeySize} bytes, data of a completion ${info.cqDataSize} bytes`,
    `registration mode 0x${info.mrMode.toString(16)}`,
  ];
}

/** The time of a look at an empty queue. */
function readNs(calls: FabricCalls, cq: bigint): number {
  const start = performance.now();
  for (let read = 0; read < READS; read++) calls.cqRead(cq, 0n, 0n);
  return (performance.now() - start) * 1e6 / READS;
}

/** Opens the endpoint that a job would open, and looks how it does. */
function endpointLines(choice: FabricChoice): string[] {
  using fabric = openFabric(choice);
  using calls = fabricCalls(fabric.ep, fabric.cq, { provider: fabric.provider });
  // Calls are fast in optimised code only, so the last of several rounds counts.
  let ns = 0;
  for (let round = 0; round < 5; round++) ns = readNs(calls, fabric.cq);
  return [
    `address ${fabric.nameText || `of ${fabric.name.length} bytes`}`,
    `waiting for a completion ${fabric.waitable === "none" ? "is not possible" : fabric.waitable}`,
    `calls take the ${calls.fast ? "fast" : "slow"} way: a look at an empty queue ${
      ns.toFixed(0)
    } ns`,
  ];
}

function why(choice: FabricChoice): string {
  if (choice.provider === undefined) {
    return "the first usable one, in libfabric's order of preference";
  }
  return `asked for as ${choice.provider}`;
}

function fabricLines(choice: FabricChoice): string[] {
  const { version, offers, chosen } = discoverFabric(choice);
  const lines = [
    `libfabric ${version}, layouts as in ${FABRIC_HEADERS}`,
    "providers:",
    ...offerLines(offers, choice).map((line) => `  ${line}`),
  ];
  if (chosen instanceof FeatureLevelError) return [...lines, chosen.message];
  return [
    ...lines,
    `chosen: ${chosen.provider}, domain ${chosen.domain} on ${chosen.fabric} (${why(choice)})`,
    ...limitLines(chosen).map((line) => `  ${line}`),
    ...endpointLines(choice).map((line) => `  ${line}`),
  ];
}

function main(): number {
  const args = parseArgs(Deno.args, { string: ["provider", "domain"] });
  const choice = {
    provider: args.provider || environment("LAMELLAR_ROFI_PROVIDER") || undefined,
    domain: args.domain || environment("LAMELLAR_ROFI_DOMAIN") || undefined,
  };
  const cores = navigator.hardwareConcurrency;
  for (const line of jobLines(environment, environmentNames(), cores)) console.log(line);
  console.log();
  for (const line of systemLines()) console.log(line);
  console.log(`launcher: ${launcherLines(environment).join("; ")}`);
  try {
    for (const line of fabricLines(choice)) console.log(line);
  } catch (error) {
    // Without libfabric there is all the rest; that it is missing is what is to be told.
    if (!(error instanceof FeatureLevelError || error instanceof TransportError)) throw error;
    console.log(error.message);
  }
  return 0;
}

if (import.meta.main) Deno.exit(main());
