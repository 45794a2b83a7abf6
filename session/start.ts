/**
 * Starting a session.
 *
 * @module
 */

import type { Config } from "../internal/config.ts";
import { environment, environmentNames, readConfig, unknownVariables } from "../internal/config.ts";
import { FeatureLevelError } from "../internal/errors.ts";
import { PES_MAX } from "../internal/limits.ts";
import { checkDeno, checkPermissions } from "../internal/platform.ts";
import { checkTimeLimit } from "../internal/time_limit.ts";
import { VERSION } from "../internal/version.ts";
import { startHosted } from "../lamellae/mod.ts";
import { ClientWorld } from "../world/mod.ts";
import type { Told } from "./messages.ts";
import { LamellarSession } from "./session.ts";
import { inOptions } from "./option_names.ts";
import { SessionAms } from "./session_ams.ts";

/**
 * Options of {@linkcode startSession}.
 *
 * @category Sessions
 */
export interface SessionOptions {
  /** How many PEs, 1 to 256; the number of cores if left out. */
  pes?: number;
  /**
   * Modules that each PE imports before anything else, and whose AMs it has: URLs, or paths
   * relative to the current folder.
   */
  modules?: readonly (string | URL)[];
  /** Bytes that each PE can allocate for regions, 65536 or more; without it 4 GiB are shared. */
  heapSize?: number;
  /**
   * Whether PEs run closures, and AMs that no module of theirs defines; what `LAMELLAR_CLOSURES`
   * says if left out, which is true if it is not set.
   */
  closures?: boolean;
  /**
   * Bytes that the JavaScript objects of each PE may take, 16,777,216 or more; a PE that needs more
   * fails, and the program goes on. Without it a PE may have as much as the program.
   */
  objectBytesMax?: number;
  /**
   * How many AMs and closures may be under way at once; a launch beyond that is refused, and
   * `room()` waits until there is room. 100,000 if left out.
   */
  queueLimit?: number;
  /** How long the PEs may take to start and to import their modules; 60,000 ms if left out. */
  startTimeoutMs?: number;
}

/** Most AMs and closures under way, if the program does not say it. */
const QUEUE_LIMIT = 100_000;

/** How long PEs may take to start, if the program does not say it, in milliseconds. */
const START_TIMEOUT_MS = 60_000;

/** Least heap, and least memory for objects: with much less, V8 ends the process. */
const HEAP_BYTES_MIN = 65_536;
const OBJECT_BYTES_MIN = 2 ** 24;

const PROGRAM = new URL("./pe_program.ts", import.meta.url);

/**
 * Starts PEs at the service of this program, which goes on being what it is: a server, a test, a
 * notebook. The PEs are threads of this process and share memory. This thread is none of them, and
 * stays free: nothing here blocks. Close the session when it is not needed any more; until then
 * what is under way keeps the process alive, but not an idle session.
 *
 * @category Sessions
 * @param options How many PEs, and what they import.
 * @returns The session, once all PEs are ready.
 * @throws {PeFailedError} If a PE does not come up, for example because a module throws.
 * @throws {TimeoutError} If the PEs are not ready in time; says which.
 * @throws {FeatureLevelError} If Deno is too old, or a permission is missing; says what to type.
 * @throws {RangeError} If a number is out of range, or the memory cannot be had.
 * @throws {TypeError} If a module is neither a path nor a URL.
 * @example
 * ```ts
 * import { startSession } from "../mod.ts";
 *
 * await using session = await startSession({ pes: 2 });
 * const squares = await session.runAll((n: number, { currentPe }) => (n + currentPe) ** 2, [10]);
 * console.log(squares); // [100, 121]
 * ```
 */
export async function startSession(options: SessionOptions = {}): Promise<LamellarSession> {
  checkDeno();
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot start a session with the options ${Deno.inspect(options)}`);
  }
  const { modules = [], queueLimit = QUEUE_LIMIT, startTimeoutMs = START_TIMEOUT_MS } = options;
  checkTimeLimit(startTimeoutMs, "start a session");
  const config = configOf(options);
  const objectBytesMax = options.objectBytesMax ?? await defaultObjects();
  checkInteger("objectBytesMax", objectBytesMax, OBJECT_BYTES_MIN);
  checkInteger("queueLimit", queueLimit, 1);
  if (!Array.isArray(modules)) {
    throw new TypeError(
      `Cannot start a session with the modules ${Deno.inspect(modules)}: give a list`,
    );
  }
  const told: Told = { modules: modules.map(urlOf) };
  for (const module of told.modules) checkPermissions(module);
  // What PEs run is loaded here first, so that Deno caches it with this program.
  const [hosted] = await Promise.all([
    startHosted({
      program: PROGRAM.href,
      args: Deno.args,
      told,
      numPes: config.pes ?? navigator.hardwareConcurrency,
      config,
      version: VERSION,
      objectBytesMax,
    }),
    import("./pe_program.ts"),
  ]).catch((error) => {
    throw inOptions(error);
  });
  const ams = new SessionAms();
  const world = await ClientWorld.join(hosted.lamella, config, ams);
  const session = new LamellarSession({ ams, hosted, queueLimit, world });
  await session.ready(startTimeoutMs);
  return session;
}

function configOf({ closures, heapSize, pes }: SessionOptions): Config {
  for (const warning of unknownVariables(environmentNames())) {
    console.error(`lamellar: ${warning}`);
  }
  const config = readConfig(environment);
  if (config.backend !== undefined && config.backend !== "local") {
    throw new FeatureLevelError(
      `Cannot start a session on the lamella ${config.backend}: its PEs are threads of this ` +
        "process; unset LAMELLAR_BACKEND",
      { op: "startSession" },
    );
  }
  if (pes !== undefined && !(Number.isInteger(pes) && pes >= 1 && pes <= PES_MAX)) {
    throw new RangeError(
      `Cannot start a session of ${Deno.inspect(pes)} PEs: the number must be 1 to ${PES_MAX}`,
    );
  }
  if (heapSize !== undefined) checkInteger("heapSize", heapSize, HEAP_BYTES_MIN);
  if (closures !== undefined && typeof closures !== "boolean") {
    throw new TypeError(
      `Cannot start a session with closures ${Deno.inspect(closures)}: it must be true or false`,
    );
  }
  return {
    ...config,
    pes: pes ?? config.pes,
    heapBytes: heapSize ?? config.heapBytes,
    closures: closures ?? config.closures,
  };
}

function checkInteger(name: string, value: number, min: number): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  throw new RangeError(
    `Cannot start a session with ${name} ${Deno.inspect(value)}: it must be an integer of ` +
      `${min} or more`,
  );
}

/** As much as the objects of this program may take. */
async function defaultObjects(): Promise<number> {
  const { getHeapStatistics } = await import("node:v8");
  return getHeapStatistics().heap_size_limit;
}

function urlOf(module: string | URL): string {
  if (module instanceof URL) return module.href;
  if (typeof module !== "string" || module === "") {
    throw new TypeError(
      `Cannot start a session with the module ${Deno.inspect(module)}: give a path or a URL`,
    );
  }
  if (URL.canParse(module)) return module;
  return new URL(module, `file://${Deno.cwd()}/`).href;
}
