/**
 * The life of a PE, from the start of its program to its end, however that comes: each end is
 * recorded in shared memory, because a Worker that ends tells nobody.
 *
 * @module
 */

import { atomicStore } from "../../internal/atomics.ts";
import { LamellarError } from "../../internal/errors.ts";
import { ringSupervisor, writeFailure } from "../local/failure_record.ts";
import { BLOCK, blockOf, type Layout, PE_STATE, STATUS } from "../local/layout.ts";
import type { Lamella } from "../lamella.ts";
import { failureText } from "../local/local_lamella.ts";
import { ProgramMark } from "./program_mark.ts";
import { StallWatch } from "./stall.ts";

/** Runs the program of a PE and reports how it ends. */
export class PeLife {
  readonly #layout: Layout;
  readonly #lamella: Lamella;
  readonly #statusIndex: number;
  readonly #mark = new ProgramMark();
  readonly #stall: StallWatch;
  #close: (() => Promise<void>) | undefined;
  #building = false;
  #flush: () => void = () => {};

  /**
   * @param layout Where everything lies.
   * @param lamella The lamella of this PE.
   */
  constructor(layout: Layout, lamella: Lamella) {
    this.#layout = layout;
    this.#lamella = lamella;
    this.#stall = new StallWatch(layout, lamella, this.#mark);
    this.#statusIndex = (blockOf(layout, lamella.pe) + BLOCK.status) / 4;
  }

  /** Notes that the program begins to build a world. */
  beginWorld(): void {
    this.#building = true;
    this.#report(STATUS.joined, 1);
    this.#mark.set();
  }

  /**
   * Notes that the program has built a world, or closed it.
   *
   * @param close Closes the world at the end of the program; undefined once it is closed.
   */
  setWorld(close: (() => Promise<void>) | undefined): void {
    this.#building = false;
    this.#close = close;
    if (close) this.#stall.start();
    else this.#stall.stop();
  }

  /**
   * @param flush Called before the PE ends, to write what it holds back.
   */
  beforeEnd(flush: () => void): void {
    this.#flush = flush;
  }

  /**
   * Runs the program to its end and closes its world. Never rejects.
   *
   * @param program URL of the program.
   */
  async run(program: string): Promise<void> {
    this.#guardExits();
    this.#guardErrors();
    this.#report(STATUS.state, PE_STATE.running);
    try {
      await this.#mark.importProgram(program);
      if (this.#building) throw notAwaited(this.#lamella.pe);
      await this.#close?.();
      this.#finish(exitCode());
    } catch (error) {
      this.#fail(error);
    }
  }

  #report(word: number, value: number): void {
    atomicStore(this.#lamella.views.i32, this.#statusIndex + word, value);
  }

  #finish(code: number): void {
    this.#flush();
    this.#report(STATUS.exitCode, code);
    this.#report(STATUS.state, PE_STATE.finished);
    ringSupervisor(this.#lamella.views);
  }

  #fail(error: unknown): void {
    this.#end(1, failureText(this.#lamella.pe, error));
  }

  #end(code: number, text: string): void {
    this.#flush();
    const { views, pe } = this.#lamella;
    // The state goes first: who sees the failure need not wait for this PE any more.
    this.#report(STATUS.state, PE_STATE.failed);
    if (!writeFailure(this.#layout, views, pe, code, text)) ringSupervisor(views);
  }

  /** An exit or a close ends the Worker in silence. `process.exit` calls `Deno.exit`. */
  #guardExits(): void {
    const exit = Deno.exit;
    const leave = (how: string, code: number): never => {
      if (code === 0 && !this.#close) {
        this.#report(STATUS.exited, 1);
        this.#finish(0);
      } else {
        const { pe } = this.#lamella;
        this.#end(
          code || 1,
          code === 0
            ? `PE ${pe} failed: it called ${how} with its world open, call world.close() before`
            : `PE ${pe} failed: it called ${how}`,
        );
      }
      return exit(code);
    };
    Deno.exit = (code?: number) => {
      const value = code ?? exitCode();
      return leave(`Deno.exit(${value})`, value);
    };
    Object.assign(globalThis, { close: () => leave("self.close()", 0) });
  }

  #guardErrors(): void {
    globalThis.addEventListener("error", (event) => {
      unlessSpared(event, () => this.#fail(event.error ?? event.message));
    });
    globalThis.addEventListener("unhandledrejection", (event) => {
      unlessSpared(event, () => this.#fail(event.reason));
    });
  }
}

/** A module ends without waiting for an async function that it calls and does not await. */
function notAwaited(pe: number): LamellarError {
  return new LamellarError(
    "ERR_NOT_AWAITED",
    "The program ended before its world was built: await build(), and the function that calls " +
      "it, at the top level",
    { pe, op: "build" },
  );
}

function exitCode(): number {
  return Deno.exitCode ?? 0;
}

/**
 * Reports an uncaught error, unless a listener of the program prevents that. This listener is the
 * first, so it looks again when the others have been called. The Worker itself must not end by it:
 * what it reports has no stack.
 */
function unlessSpared(event: Event, report: () => void): void {
  let spared = false;
  const prevent = event.preventDefault.bind(event);
  event.preventDefault = () => {
    spared = true;
    prevent();
  };
  prevent();
  queueMicrotask(() => {
    if (!spared) report();
  });
}
