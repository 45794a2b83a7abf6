/**
 * Errors that nobody has asked for: those of ignored handles and tasks. `waitAll` throws them.
 *
 * @module
 */

import { type AmHandle, control } from "./handle.ts";
import type { TeamWork, WorkFinish } from "./team_work.ts";
import { messageOf } from "./wire/thrown.ts";

/** A task of the program that failed. */
interface FailedTask {
  readonly error: unknown;
  /** Whether somebody sees its error. */
  readonly observed: () => boolean;
  readonly team: TeamWork | undefined;
}

/** The errors of a PE. */
export class UnseenErrors {
  readonly #handles = new Set<AmHandle<unknown>>();
  #tasks: FailedTask[] = [];

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
    this.#tasks.push({ error, observed, team });
  }

  /** Forgets the handles, when the job fails: the reason is known. */
  clear(): void {
    this.#handles.clear();
  }

  /**
   * Gives those of a finish, and forgets them.
   *
   * @param finish The finish.
   * @returns The errors.
   */
  take(finish: WorkFinish): unknown[] {
    return this.#take((of) => of?.finish === finish);
  }

  /**
   * Throws all of them, or those of a team, and forgets them. Those of a finish are given to its
   * caller.
   *
   * @param team The team, undefined for all.
   */
  throwAll(team: TeamWork | undefined): void {
    if (this.#handles.size === 0 && this.#tasks.length === 0) return;
    const errors = this.#take((of) => {
      return of?.finish === team?.finish && (team === undefined || (of?.isPartOf(team) ?? false));
    });
    if (errors.length === 0) return;
    if (errors.length === 1) throw errors[0];
    throw new AggregateError(errors, failuresText(errors, errors.length));
  }

  #take(concerned: (of: TeamWork | undefined) => boolean): unknown[] {
    const handles = [...this.#handles].filter((handle) => concerned(control.teamOf(handle)));
    const tasks = this.#tasks.filter((task) => concerned(task.team) && !task.observed());
    const errors = [...handles.map(control.errorOf), ...tasks.map((t) => t.error)];
    for (const handle of handles) this.#handles.delete(handle);
    this.#tasks = this.#tasks.filter((task) => !concerned(task.team));
    return errors;
  }
}

/**
 * @param errors Some of the errors of AMs and tasks, the first one among them.
 * @param count How many there are.
 * @returns The message of an error that stands for all of them.
 */
export function failuresText(errors: readonly unknown[], count: number): string {
  const what = count === 1 ? "1 AM or task" : `${count} AMs and tasks`;
  return `${what} failed, the first: ${messageOf(errors[0])}`;
}
