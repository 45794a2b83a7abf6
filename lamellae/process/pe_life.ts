/**
 * The life of a PE, from the start of its program to its end, however that comes: each end is
 * recorded in shared memory, because a Worker that ends tells nobody.
 *
 * @module
 */

import { atomicStore } from "../../internal/atomics.ts";
import { exitStatus } from "../../internal/exit_code.ts";
import { failureText, wakeSupervisor, writeFailure } from "../local/failure_record.ts";
import { BLOCK, blockOf, type Layout } from "../local/layout.ts";
import { PE_STATE, STATUS } from "../local/pe_status.ts";
import type { Lamella } from "../lamella.ts";
import { finishLeftovers } from "./leftovers.ts";
import { Liveness } from "./liveness.ts";
import { BROKEN_PIPE_EXIT_CODE, watchReader } from "./output_reader.ts";
import type { FinishLeftovers, WorldEnd } from "./pe_context.ts";
import { ProgramMark } from "./program_mark.ts";
import { StallWatch } from "./stall.ts";

/** Ends this Worker. */
const exitWorker = Deno.exit;

/** Runs the program of a PE and reports how it ends. */
export class PeLife {
  readonly #layout: Layout;
  readonly #lamella: Lamella;
  readonly #statusIndex: number;
  readonly #mark = new ProgramMark();
  readonly #stall: StallWatch;
  readonly #liveness: Liveness;
  #endWorld: WorldEnd | undefined;
  /** Whether the program is building a world. */
  #building = false;
  #advice = "call world.close() first";
  #flush: () => void = () => {};
  #isUnread: () => boolean = () => false;

  /**
   * @param layout Where everything is.
   * @param lamella The lamella of this PE.
   */
  constructor(layout: Layout, lamella: Lamella) {
    this.#layout = layout;
    this.#lamella = lamella;
    this.#stall = new StallWatch(layout, lamella, this.#mark);
    this.#liveness = new Liveness(layout, lamella);
    this.#statusIndex = (blockOf(layout, lamella.pe) + BLOCK.status) / 4;
  }

  /** Notes that the program begins to build a world. */
  beginWorld(): void {
    this.#building = true;
    this.#report(STATUS.joined, 1);
    this.#mark.set();
  }

  /** Notes that it has built the world, or failed to. */
  endBuild(): void {
    this.#building = false;
  }

  /**
   * Notes that there is a world, or that it is closed.
   *
   * @param end Closes the world at the end of the program; undefined once it is closed.
   */
  setWorld(end: WorldEnd | undefined): void {
    this.#endWorld = end;
    for (const watch of [this.#stall, this.#liveness]) {
      if (end) watch.start();
      else watch.stop();
    }
  }

  /**
   * @param flush Called before the PE ends, to write what it holds back.
   */
  beforeEnd(flush: () => void): void {
    this.#flush = flush;
  }

  /** Takes note that this PE serves a client, who ends it. */
  serveClient(): void {
    this.#advice = "PEs of a session end when it is closed";
  }

  /** Lets the job end in silence once this PE writes what nobody reads. */
  watchReader(): void {
    this.#isUnread = watchReader(() => {
      this.#endUnread();
      return exitWorker(BROKEN_PIPE_EXIT_CODE);
    });
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
      await this.#goOn();
      this.#finish(exitStatus(exitCode()));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Lets the program go on after its module has ended, until nothing of it is left. */
  async #goOn(): Promise<void> {
    const finish: FinishLeftovers = (awaits) => finishLeftovers(this.#lamella.pe, awaits);
    const awaits = (): boolean => this.#building;
    do {
      await finish(awaits);
      await this.#endWorld?.(finish);
      // What follows the end of the world may take its time, or build one at last.
      await finish(awaits);
    } while (this.#endWorld);
  }

  #report(word: number, value: number): void {
    atomicStore(this.#lamella.views.i32, this.#statusIndex + word, value);
  }

  #finish(code: number): void {
    this.#flush();
    this.#report(STATUS.exitCode, code);
    // Before the state: the network is closed once all PEs have finished.
    this.#lamella.retire();
    this.#report(STATUS.state, PE_STATE.finished);
    wakeSupervisor(this.#lamella.views);
  }

  #fail(error: unknown): void {
    // The program need not handle what would end others by a signal.
    if (isBrokenPipe(error) && this.#isUnread()) this.#endUnread();
    else this.#end(1, failureText(this.#lamella.pe, error));
  }

  #endUnread(): void {
    const { pe } = this.#lamella;
    this.#end(BROKEN_PIPE_EXIT_CODE, `PE ${pe} failed: nobody reads its output any more`, true);
  }

  #end(code: number, text: string, isKnown = false): void {
    this.#flush();
    const { views, pe } = this.#lamella;
    // The state goes first: a PE that sees the failure need not wait for this PE any more.
    this.#report(STATUS.state, PE_STATE.failed);
    if (!writeFailure(this.#layout, views, pe, code, text, isKnown)) wakeSupervisor(views);
  }

  /** An exit or a close ends the Worker in silence. */
  #guardExits(): void {
    const leave = (how: string, code: number): never => {
      if (code === 0 && !this.#endWorld) {
        this.#report(STATUS.exited, 1);
        this.#finish(0);
      } else {
        const { pe } = this.#lamella;
        this.#end(
          code || 1,
          code === 0
            ? `PE ${pe} failed: it called ${how} with its world open; ${this.#advice}`
            : `PE ${pe} failed: it called ${how}`,
        );
      }
      return exitWorker(code);
    };
    Deno.exit = (code?: number) => {
      const value = code ?? exitCode();
      const name = isCalledByNode() ? "process.exit" : "Deno.exit";
      return leave(`${name}(${value})`, exitStatus(value));
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

function isBrokenPipe(error: unknown): boolean {
  try {
    return error instanceof Deno.errors.BrokenPipe;
  } catch {
    return false;
  }
}

/** Whether the function that asks was called by Node's `process`, whose `exit` calls Deno's. */
function isCalledByNode(): boolean {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 3;
  const stack = String(new Error().stack);
  Error.stackTraceLimit = stackTraceLimit;
  return stack.includes("node:process");
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
