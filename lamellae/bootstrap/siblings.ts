/**
 * Processes of the job on this host that may have been stopped before they could say anything,
 * where no launcher of ours looks: those that the same parent has started. Their environment tells
 * which process of the job each is, and the kernel whether a signal or a debugger has stopped it.
 * Each looks at the next two that run, so that many take no more time than few.
 * Whether one that runs is stuck, it does not tell: what a program does before it builds its world
 * is its own concern.
 *
 * @module
 */

import type { ProcFiles } from "../../ffi/host.ts";
import { HandshakeError } from "../../internal/errors.ts";
import {
  LIFE_PHASES,
  LIFE_SILENCE_MS,
  type LifePhase,
  type LifeWord,
} from "../../internal/life_phases.ts";
import type { Bootstrap } from "./bootstrap.ts";

/** How often is looked, in milliseconds. */
const LOOK_MS = 500;
/** A look that comes so late means that this process stood still itself. */
const STANDSTILL_MS = 1500;
/** How many that run are looked at; those before them that do not run are found. */
const LIVING_MAX = 2;
/** Wrappers between a process and its starter, such as shells. */
const WRAPPERS_MAX = 4;

/** Which variables tell a process of the job, and those of other jobs from it. */
export interface SiblingVariables {
  /** Has the number of the process. */
  readonly rank: string;
  /** Has to be the same; undefined where the parent starts one job only. */
  readonly job?: string;
}

/** Looks for processes of the job on this host that are stopped. */
export class Siblings {
  readonly #files: Pick<ProcFiles, "read" | "list">;
  readonly #variables: SiblingVariables;
  readonly #rank: string;
  readonly #job: string | undefined;
  /** Who has started the processes, and its child that is this one or has led to it. */
  readonly #parent: string | undefined;
  readonly #own: number;
  /** For how long each has been stopped, in milliseconds. */
  readonly #stoppedMs = new Map<string, number>();
  #lookedAt = -Infinity;

  /**
   * @param files The files below /proc.
   * @param variables Which variables tell.
   */
  constructor(files: Pick<ProcFiles, "read" | "list">, variables: SiblingVariables) {
    this.#files = files;
    this.#variables = variables;
    const own = this.#environ("self");
    this.#rank = own.get(variables.rank) ?? "";
    this.#job = variables.job === undefined ? undefined : own.get(variables.job);
    const { parent, child } = this.#starter();
    this.#parent = parent;
    this.#own = Number(child);
  }

  /**
   * Looks once; to be called about twice a second.
   *
   * @param now The time, in milliseconds.
   * @returns The number of a process that has been stopped for too long.
   */
  look(now: number): string | undefined {
    const sinceMs = now - this.#lookedAt;
    this.#lookedAt = now;
    const stopped = this.#stopped();
    for (const rank of this.#stoppedMs.keys()) {
      if (!stopped.has(rank) || sinceMs > STANDSTILL_MS) this.#stoppedMs.delete(rank);
    }
    for (const rank of stopped) {
      const before = this.#stoppedMs.get(rank);
      this.#stoppedMs.set(rank, before === undefined ? 0 : before + sinceMs);
      if (this.#stoppedMs.get(rank)! >= LIFE_SILENCE_MS) return rank;
    }
    return undefined;
  }

  /** The numbers of those that are stopped now, of the next ones. */
  #stopped(): Set<string> {
    const found = new Set<string>();
    let living = 0;
    for (const pid of this.#others()) {
      const rank = this.#rankOf(pid);
      if (rank === undefined) continue;
      if (this.#isStopped(pid, 0)) found.add(rank);
      else if (++living === LIVING_MAX) break;
    }
    return found;
  }

  /** What the parent has started after this process, and then what before. */
  #others(): string[] {
    if (this.#parent === undefined || this.#rank === "") return [];
    const pids = this.#childrenOf(this.#parent).map(Number).sort((a, b) => a - b);
    const own = this.#own;
    return [...pids.filter((pid) => pid > own), ...pids.filter((pid) => pid < own)].map(String);
  }

  /** The number of another process of the job. */
  #rankOf(pid: string): string | undefined {
    const environ = this.#environ(pid);
    const rank = environ.get(this.#variables.rank);
    const { job } = this.#variables;
    if (rank === undefined || !/^\d{1,5}$/.test(rank) || rank === this.#rank) return undefined;
    return job === undefined || environ.get(job) === this.#job ? rank : undefined;
  }

  #isStopped(pid: string, depth: number): boolean {
    const { state } = this.#statOf(pid);
    if (state === "T" || state === "t") return true;
    return depth < WRAPPERS_MAX &&
      this.#childrenOf(pid).some((child) => this.#isStopped(child, depth + 1));
  }

  /** Who has started this process, behind its wrappers: they have the same number. */
  #starter(): { parent?: string | undefined; child?: string | undefined } {
    let { pid: child, parent } = this.#statOf("self");
    for (let depth = 0; depth < WRAPPERS_MAX && parent !== undefined; depth++) {
      if (this.#environ(parent).get(this.#variables.rank) !== this.#rank) return { parent, child };
      ({ pid: child, parent } = this.#statOf(parent));
    }
    return {};
  }

  #statOf(name: string): Partial<Record<"pid" | "state" | "parent", string>> {
    const text = this.#files.read(`${name}/stat`) ?? "";
    // The name, in parentheses, may hold anything.
    const [state, parent] = text.slice(text.lastIndexOf(")") + 2).split(" ", 2);
    return text === "" ? {} : { pid: text.split(" ", 1)[0]!, state: state!, parent: parent! };
  }

  #childrenOf(pid: string): string[] {
    // Each thread has those that it has started itself.
    return this.#files.list(`${pid}/task`).flatMap((thread) =>
      (this.#files.read(`${pid}/task/${thread}/children`) ?? "").split(" ").filter(Boolean)
    );
  }

  #environ(pid: string): Map<string, string> {
    const lines = (this.#files.read(`${pid}/environ`) ?? "").split("\0").filter(Boolean);
    return new Map(lines.map((line) => {
      const equals = line.indexOf("=");
      return [line.slice(0, equals), line.slice(equals + 1)];
    }));
  }
}

/**
 * Waits for something that other processes have to do, until one of them is found stopped.
 *
 * @param siblings The others; undefined where they cannot be looked at.
 * @param wait What to wait for.
 * @param phase What this process does.
 * @returns What it gives.
 * @throws {HandshakeError} If one is stopped.
 */
export async function unlessStopped<T>(
  siblings: Siblings | undefined,
  wait: Promise<T>,
  phase: LifePhase,
): Promise<T> {
  if (!siblings) return await wait;
  const stopped = Promise.withResolvers<never>();
  const timer = setInterval(() => {
    const rank = siblings.look(performance.now());
    if (rank === undefined) return;
    stopped.reject(
      new HandshakeError(
        `rank ${rank} has been stopped for ${LIFE_SILENCE_MS / 1000} s, and the others wait for ` +
          `it: this process ${LIFE_PHASES[phase]}`,
        { op: "bootstrap" },
      ),
    );
  }, LOOK_MS);
  try {
    return await Promise.race([wait, stopped.promise]);
  } finally {
    clearInterval(timer);
    // Whoever lost the race may still reject, which is then nobody's concern.
    wait.catch(() => {});
    stopped.promise.catch(() => {});
  }
}

/**
 * Has a process look at the others while it waits for them in its start.
 *
 * @param bootstrap How they found each other; its `exchange`, `barrier` and `enter` are replaced.
 * @param siblings The others.
 * @returns The same.
 */
export function watchSiblings(bootstrap: Bootstrap, siblings: Siblings): Bootstrap {
  let phase: LifePhase | undefined = "joining";
  const watched = <T>(wait: Promise<T>): Promise<T> =>
    phase === undefined ? wait : unlessStopped(siblings, wait, phase);
  const exchange = bootstrap.exchange.bind(bootstrap);
  const barrier = bootstrap.barrier.bind(bootstrap);
  const enter = bootstrap.enter.bind(bootstrap);
  return Object.assign(bootstrap, {
    exchange: (text: string) => watched(exchange(text)),
    barrier: (limitMs?: number) => watched(barrier(limitMs)),
    enter(word: LifeWord) {
      phase = word === "started" ? undefined : word;
      enter(word);
    },
  });
}
