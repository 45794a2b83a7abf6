/**
 * The first thing that processes of a job say to each other: everything that has to be the same for
 * them to fit together, and what each offers to share.
 *
 * @module
 */

import { networkPlace } from "../../ffi/host.ts";
import { type Config, environment } from "../../internal/config.ts";
import { HandshakeError } from "../../internal/errors.ts";
import {
  type Bootstrap,
  compareHello,
  type Hello,
  parseHello,
  platformHello,
} from "../bootstrap/mod.ts";
import { defaultRingBytes, layoutFor, type Share } from "../local/layout.ts";
import { isShare, makeShare, secretOf } from "./secret.ts";

/** Counts the versions of what processes say to each other. */
const PROTOCOL = 3;

/** What a process says of itself. */
export interface Introduction {
  readonly config: Config;
  /** Version of the library. */
  readonly version: string;
  readonly pes: Pick<Share, "numPes" | "firstPe" | "nearPes">;
  /** Where the memory is that it offers to share, below /proc; an empty text if there is none. */
  readonly memory: string;
}

/** What all processes have said of themselves, by their numbers. */
export interface Greeted {
  readonly hellos: readonly Hello[];
  /** Where the memory of each is that it offers to share; an empty text if there is none. */
  readonly memories: readonly string[];
  /** Whether all are on one host and in one network, so that its loopback connects them. */
  readonly together: boolean;
  /** The secret of the job, which all have made together. */
  readonly secret: Uint8Array;
}

/**
 * Greets all processes.
 *
 * @param bootstrap How they found each other.
 * @param own What this process says of itself.
 * @returns What all say.
 * @throws {HandshakeError} If they differ; says in what.
 */
export async function greet(bootstrap: Bootstrap, own: Introduction): Promise<Greeted> {
  const offered = { memory: own.memory, place: networkPlace(), share: makeShare() };
  const text = JSON.stringify({ ...helloOf(own), ...offered });
  const texts = await bootstrap.exchange(text);
  const hellos = texts.map(parseHello);
  refuseDifferences(hellos);
  const [place, ...places] = new Set(texts.map(placeIn));
  return {
    hellos,
    memories: texts.map(memoryIn),
    together: place !== "" && places.length === 0,
    secret: secretOf(texts.map(shareIn)),
  };
}

/**
 * Refuses processes that do not fit together.
 *
 * @param hellos What each says of itself.
 * @throws {HandshakeError} If they differ; says in what.
 */
export function refuseDifferences(hellos: readonly Hello[]): void {
  const differences = compareHello(hellos);
  if (differences.length === 0) return;
  throw new HandshakeError(
    `The processes of the job do not fit together:\n  ${differences.join("\n  ")}`,
    { op: "build" },
  );
}

/** Sizes are those without shared memory: nobody knows yet which processes could share. */
function helloOf({ config, pes, version }: Introduction): Hello {
  const { backend, barrierFactor, closures, provider, shareMemory } = config;
  const ringBytes = config.ringBytes ?? defaultRingBytes(pes.nearPes * pes.numPes);
  const layout = layoutFor({ ...pes, networkBytes: 0 }, ringBytes, config.heapBytes ?? 0);
  return {
    ...platformHello(),
    host: hostName(),
    protocol: PROTOCOL,
    version,
    pesPerProcess: pes.nearPes,
    heapBytes: layout.heapBytes,
    ringBytes,
    closures,
    barrierFactor,
    sharing: shareMemory === undefined ? "by default" : shareMemory ? "asked for" : "refused",
    provider: provider ?? backend ?? "any",
  };
}

function hostName(): string {
  if (Deno.permissions.querySync({ name: "sys", kind: "hostname" }).state !== "granted") {
    return environment("HOSTNAME") ?? "localhost";
  }
  return Deno.hostname();
}

/** Where a process is; an empty text if it could not find out. */
function placeIn(text: string): string {
  const { place } = JSON.parse(text) as { place?: unknown };
  return typeof place === "string" ? place : "";
}

function shareIn(text: string, rank: number): string {
  const { share } = JSON.parse(text) as { share?: unknown };
  if (isShare(share)) return share;
  throw new HandshakeError(`Rank ${rank} sent a greeting without its share of the secret`, {
    op: "build",
  });
}

function memoryIn(text: string): string {
  const { memory } = JSON.parse(text) as { memory?: unknown };
  return typeof memory === "string" && /^\d{1,10}\/fd\/\d{1,10}$/.test(memory) ? memory : "";
}
