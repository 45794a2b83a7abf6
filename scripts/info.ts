/**
 * Prints what there is to run on: `deno task info [--provider NAME] [--domain NAME]`. This is what
 * a report of a fault should contain.
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
import { type Environment, environment } from "../internal/config.ts";
import { FeatureLevelError, TransportError } from "../internal/errors.ts";
import { VERSION } from "../internal/version.ts";

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
  if (found.length === 0) return ["none: one process by itself"];
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
  const size = (bytes: number) => bytes === Number.MAX_SAFE_INTEGER ? "no limit" : `${bytes} bytes`;
  return [
    `message at most ${size(info.maxMsgSize)}, injected ${size(info.injectSize)}`,
    info.orderedPutSize === 0
      ? "puts in any order"
      : `puts in the order of the calls, at most ${size(info.orderedPutSize)}`,
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
    return "the first that can be used, in the order of preference";
  }
  return `asked for by ${choice.provider}`;
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
