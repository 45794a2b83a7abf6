/**
 * Handles that payloads bring and that last only as long as the handler that gets them, its async
 * part included.
 *
 * @module
 */

/** A handle that a payload brought. */
export interface BroughtHandle extends Disposable {
  /** The payload is a result: the handle belongs to whoever gets that. */
  keep?(): void;
}

/** What one payload brought. */
export type Brought = readonly BroughtHandle[];

/** Collects such handles while a payload is read, which runs no code of users. */
export class ReceivedHandles {
  #handles: BroughtHandle[] = [];
  #refusal: Error | undefined;

  /**
   * Takes note of a handle in the payload that is being read.
   *
   * @param handle Disposed of when the handler is over.
   */
  add(handle: BroughtHandle): void {
    this.#handles.push(handle);
  }

  /**
   * Takes note that this PE has no use for a handle: the handler does not run.
   *
   * @param error What the PE that sent the payload gets.
   */
  refuse(error: Error): void {
    this.#refusal ??= error;
  }

  /** A payload is about to be read: what others brought belongs to whoever got them. */
  begin(): void {
    if (this.#handles.length > 0) this.#handles = [];
    this.#refusal = undefined;
  }

  /**
   * Gives what the payload brought that was just read.
   *
   * @returns Its handles; undefined if it brought none.
   * @throws What `refuse` was given; the handles are disposed of then.
   */
  take(): Brought | undefined {
    if (this.#refusal !== undefined) {
      const error = this.#refusal;
      this.drop();
      throw error;
    }
    if (this.#handles.length === 0) return undefined;
    const brought = this.#handles;
    this.#handles = [];
    return brought;
  }

  /** Nobody gets the payload. */
  drop(): void {
    const brought = this.#handles;
    this.begin();
    dispose(brought);
  }
}

/**
 * @param brought What a result brought.
 */
export function keep(brought: Brought | undefined): void {
  if (brought === undefined) return;
  for (let i = 0; i < brought.length; i++) brought[i]!.keep?.();
}

/**
 * @param brought What a payload brought whose handler is over.
 */
export function dispose(brought: Brought | undefined): void {
  if (brought === undefined) return;
  for (let i = 0; i < brought.length; i++) brought[i]![Symbol.dispose]();
}
