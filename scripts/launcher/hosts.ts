/**
 * Which hosts a job runs on, and which of its processes run where.
 *
 * @module
 */

import { UsageError } from "../launch_args.ts";

/** A host that may be used. */
export interface Host {
  /** What ssh calls it. */
  readonly name: string;
  /** How many PEs it takes; undefined for as many as come. */
  readonly slots: number | undefined;
}

/** What a job is asked to look like; undefined where nothing was asked. */
export interface PlanRequest {
  readonly hosts: readonly Host[];
  readonly pes: number | undefined;
  readonly processes: number | undefined;
  readonly pesPerProcess: number | undefined;
  readonly pesPerHost: number | undefined;
}

/** What a job looks like. */
export interface Plan {
  readonly numPes: number;
  readonly numProcesses: number;
  readonly pesPerProcess: number;
  /** The hosts in use, each with the ranks of its processes, in the order of the ranks. */
  readonly hosts: readonly { readonly name: string; readonly ranks: readonly number[] }[];
}

/** Where a job runs when nothing is said. */
export const THIS_HOST: Host = { name: "localhost", slots: undefined };

/**
 * Reads the list of `--hosts`.
 *
 * @param text Names with commas between, each with `:slots` if it has any.
 * @returns The hosts; one named twice has the slots of both.
 * @throws {UsageError} If there is none, or a name cannot be one.
 */
export function parseHosts(text: string): Host[] {
  return merge(text.split(",").map((word) => parseHost(word.trim(), "--hosts")));
}

/**
 * Reads a host file: one host per line, as `name`, `name:slots` or `name slots=N`; what follows a
 * `#` is left out.
 *
 * @param text The file.
 * @param path Its path, for messages.
 * @returns The hosts; one named twice has the slots of both.
 * @throws {UsageError} If there is none, or a line cannot be read.
 */
export function parseHostfile(text: string, path: string): Host[] {
  const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim()).filter(Boolean);
  if (lines.length === 0) throw new UsageError(`Cannot use ${path}: it names no hosts`);
  return merge(lines.map((line) => parseHost(line.replace(/\s+slots\s*=\s*(\d+)$/, ":$1"), path)));
}

function parseHost(text: string, source: string): Host {
  // In brackets stands an address that has colons itself.
  const found = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:[\]]+))(?::(\d+))?$/.exec(text);
  const name = found?.[1] ?? found?.[2];
  // What begins with a dash would be an option of ssh.
  if (name === undefined || !/^[\w.@%:+][\w.@%:+-]*$/.test(name)) {
    throw new UsageError(
      `Cannot read the host ${JSON.stringify(text)} of ${source}: write name or name:slots`,
    );
  }
  const slots = found?.[3] === undefined ? undefined : Number(found[3]);
  if (slots === 0) throw new UsageError(`Cannot use host ${name} of ${source}: it has 0 slots`);
  return { name, slots };
}

function merge(hosts: readonly Host[]): Host[] {
  const byName = new Map<string, Host>();
  for (const host of hosts) {
    const slots = byName.get(host.name)?.slots;
    byName.set(host.name, {
      name: host.name,
      slots: slots === undefined ? host.slots : slots + (host.slots ?? 0),
    });
  }
  return [...byName.values()];
}

/**
 * Decides how many PEs and processes there are, and where. Without a number of processes, there is
 * one per host. Processes are placed in order: with slots each host is filled, without they are
 * spread evenly.
 *
 * @param request What was asked for.
 * @returns The plan.
 * @throws {UsageError} If the numbers do not go together, or the hosts have no room.
 */
export function planJob(request: PlanRequest): Plan {
  const numPes = countPes(request);
  const pesPerProcess = countPesPerProcess(request, numPes);
  const numProcesses = numPes / pesPerProcess;
  const counts = request.pesPerHost === undefined
    ? place(request.hosts, numProcesses, pesPerProcess)
    : placeEvenly(request, numPes, pesPerProcess, request.pesPerHost);
  let next = 0;
  const hosts = request.hosts.map(({ name }, host) => ({
    name,
    ranks: Array.from({ length: counts[host] ?? 0 }, () => next++),
  })).filter(({ ranks }) => ranks.length > 0);
  return { numPes, numProcesses, pesPerProcess, hosts };
}

function countPes({ hosts, pes, processes, pesPerProcess, pesPerHost }: PlanRequest): number {
  if (pes !== undefined) return pes;
  if (processes !== undefined) return processes * (pesPerProcess ?? 1);
  if (pesPerHost !== undefined) return pesPerHost * hosts.length;
  const slots = hosts.map((host) => host.slots);
  if (slots.every((count) => count !== undefined)) {
    return slots.reduce((sum, count) => sum + count);
  }
  throw new UsageError("Cannot tell the number of PEs: give -n, --processes or --pes-per-host");
}

function countPesPerProcess(request: PlanRequest, numPes: number): number {
  const { hosts, processes, pesPerProcess, pesPerHost } = request;
  const divide = (by: number, what: string): number => {
    if (numPes % by === 0) return numPes / by;
    throw new UsageError(`Cannot divide ${numPes} PEs evenly among ${by} ${what}`);
  };
  if (pesPerProcess !== undefined) {
    if (numPes % pesPerProcess !== 0) {
      throw new UsageError(
        `Cannot divide ${numPes} PEs into processes of ${pesPerProcess}: the last one would have ` +
          `${numPes % pesPerProcess}`,
      );
    }
    if (processes === undefined || processes * pesPerProcess === numPes) return pesPerProcess;
    throw new UsageError(
      `Cannot start ${numPes} PEs as ${processes} processes of ${pesPerProcess} PEs`,
    );
  }
  if (processes !== undefined) return divide(processes, "processes");
  if (pesPerHost !== undefined) return Math.min(pesPerHost, numPes);
  return divide(Math.min(hosts.length, numPes), "hosts");
}

/** Returns the number of processes of each host. */
function place(hosts: readonly Host[], numProcesses: number, pesPerProcess: number): number[] {
  const bounded = hosts.every((host) => host.slots !== undefined);
  const even = Math.ceil(numProcesses / hosts.length);
  const full = numProcesses - (even - 1) * hosts.length;
  let left = numProcesses;
  const counts = hosts.map(({ slots }, host) => {
    const room = slots === undefined ? Infinity : Math.floor(slots / pesPerProcess);
    const share = bounded ? left : host < full ? even : even - 1;
    const count = Math.min(room, share, left);
    left -= count;
    return count;
  });
  // Hosts without a limit take what others had no room for.
  for (let host = 0; left > 0 && host < hosts.length; host++) {
    if (hosts[host]!.slots !== undefined) continue;
    counts[host]! += left;
    left = 0;
  }
  if (left === 0) return counts;
  const slots = hosts.reduce((sum, host) => sum + host.slots!, 0);
  const shape = pesPerProcess === 1 ? "" : ` in processes of ${pesPerProcess}`;
  throw new UsageError(
    `Cannot place ${numProcesses * pesPerProcess} PEs${shape}: the hosts have ${slots} slots`,
  );
}

function placeEvenly(
  { hosts }: PlanRequest,
  numPes: number,
  pesPerProcess: number,
  pesPerHost: number,
): number[] {
  if (pesPerHost % pesPerProcess !== 0) {
    throw new UsageError(
      `Cannot place ${pesPerHost} PEs per host in processes of ${pesPerProcess} PEs`,
    );
  }
  if (numPes > pesPerHost * hosts.length) {
    throw new UsageError(
      `Cannot place ${numPes} PEs: ${hosts.length} hosts take ${pesPerHost} each`,
    );
  }
  const tight = hosts.find(({ slots }) => slots !== undefined && slots < pesPerHost);
  if (tight) {
    throw new UsageError(
      `Cannot place ${pesPerHost} PEs on host ${tight.name}: it has ${tight.slots} slots`,
    );
  }
  let left = numPes / pesPerProcess;
  return hosts.map(() => {
    const count = Math.min(left, pesPerHost / pesPerProcess);
    left -= count;
    return count;
  });
}

/**
 * Which processes share a host, as MPICH wants to know it.
 *
 * @param plan The job.
 * @returns The value of `PMI_process_mapping`: the first host, how many, and their processes each.
 */
export function processMapping(plan: Plan): string {
  const blocks = plan.hosts.map(({ ranks }, host) => `(${host},1,${ranks.length})`);
  return `(vector,${blocks.join(",")})`;
}
