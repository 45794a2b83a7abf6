/**
 * Errors that nobody has asked for: those of ignored handles and tasks. `waitAll` throws them.
 *
 * @module
 */

import type { RemoteError } from "../internal/errors.ts";
import { errorsOf } from "./group/batch_error.ts";
import { type AmHandle, control } from "./handle.ts";
import type { TeamWork, WorkFinish } from "./team_work.ts";
import { failureOf, messageOf } from "./wire/thrown.ts";

/** A task of the program that failed. */
interface FailedTask {
  readonly error: unknown;
  /** Whether somebody sees its error. */
  readonly observed: () => boolean;
  readonly team: TeamWork | undefined;
}

const TASKS_MAX = 64;

/** The errors of a PE. */
export class UnseenErrors {
  readonly #handles = new Set<AmHandle<unknown>>();
  #tasks: FailedTask[] = [];
  /** How many there may be before those are dropped that somebody has seen. */
  #tasksMax = TASKS_MAX;

  /**
   * @param handle A handle that failed, and for which nothing waits yet.
   */
  keep(handle: AmHandle<unknown>): void {
    this.#handles.add(handle);
  }

  /**
   * @param handle Somebody asked for its error.
   */
  drop(handle: AmHandle<unknown>): void {
    this.#handles.delete(handle);
  }

  /**
   * Keeps the error of something that has no handle of an AM.
   *
   * @param error The error.
   * @param observed Whether someone else sees it; asked when it would be thrown.
   * @param team The team it belongs to, if not the world's.
   */
  keepTask(error: unknown, observed: () => boolean, team: TeamWork | undefined): void {
    if (observed()) return;
    this.#tasks.push({ error, observed, team });
    if (this.#tasks.length < this.#tasksMax) return;
    // Somebody has seen some of them by now.
    this.#tasks = this.#tasks.filter((task) => !task.observed());
    this.#tasksMax = Math.max(TASKS_MAX, 2 * this.#tasks.length);
  }

  /**
   * Forgets the handles, when the job fails: the reason is known.
   *
   * @returns How many there were.
   */
  clear(): number {
    const { size } = this.#handles;
    this.#handles.clear();
    return size;
  }

  /**
   * Gives those of a finish, and forgets them.
   *
   * @param finish The finish.
   * @param pe This PE.
   * @param numPes Number of PEs.
   * @returns The errors, as they would come from another PE.
   */
  take(finish: WorkFinish, pe: number, numPes: number): RemoteError[] {
    const failed = (op: string, error: unknown): RemoteError => failureOf(op, pe, numPes, error);
    const { handles, tasks } = this.#take((of) => of?.finish === finish);
    const ofHandles = handles.flatMap((handle) => {
      const op = `the wait for ${control.opOf(handle)}`;
      return errorsOf(control.errorOf(handle)).map((error) => failed(op, error));
    });
    return [...ofHandles, ...tasks.map(({ error }) => failed("a task", error))];
  }

  /**
   * Throws all of them, or those of a team, and forgets them. Those of a finish are given to its
   * caller.
   *
   * @param team The team, undefined for all.
   */
  throwAll(team: TeamWork | undefined): void {
    if (this.#handles.size === 0 && this.#tasks.length === 0) return;
    const { handles, tasks } = this.#take((of) => {
      return of?.finish === team?.finish && (team === undefined || (of?.isPartOf(team) ?? false));
    });
    const ofHandles = handles.flatMap((handle) => errorsOf(control.errorOf(handle)));
    const errors = [...ofHandles, ...tasks.map(({ error }) => error)];
    if (errors.length === 0) return;
    if (errors.length === 1) throw errors[0];
    const text = `${errors.length} AMs and tasks failed, the first: ${messageOf(errors[0])}`;
    throw new AggregateError(errors, text);
  }

  #take(concerned: (of: TeamWork | undefined) => boolean): {
    readonly handles: readonly AmHandle<unknown>[];
    readonly tasks: readonly FailedTask[];
  } {
    const handles = [...this.#handles].filter((handle) => concerned(control.teamOf(handle)));
    const tasks = this.#tasks.filter((task) => concerned(task.team) && !task.observed());
    for (const handle of handles) this.#handles.delete(handle);
    this.#tasks = this.#tasks.filter((task) => !concerned(task.team));
    return { handles, tasks };
  }
}
