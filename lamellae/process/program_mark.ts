/**
 * Tells whether any code of a program is left that could run.
 *
 * A promise can be settled as long as somebody refers to it, be it Deno, V8 or the program itself.
 * So the collector of garbage is asked. Whatever goes on after an `await` inherits the context of
 * the code before it, as `AsyncLocalStorage` has it. A mark is put into the context of the program
 * where it builds its world, and held weakly: once it is collected, the program can never go on.
 * That holds for everything that can be awaited, without a list of it. A promise that a variable of
 * a module still refers to counts as one that can be settled.
 *
 * Deno and V8 hold two contexts as long as the program runs: that in which it is imported, and
 * that which its synchronous beginning leaves behind. So the mark can neither be set before the
 * program begins nor stay when it comes to its first `await`. What runs between that and Deno is a
 * module imported beside the program, and that module takes the mark away.
 *
 * @module
 */

import { asyncContext, enterAsyncContext, hasInternals } from "../../internal/engine_internals.ts";

/** Name of the mark in the context. */
const MARK = "lamellar.program";
/** Where the module beside the program finds what it calls. */
const BEGUN = "lamellar.begun";
/** Frames of the stack that are looked at. */
const FRAMES_MAX = 100;

/** The mark of the program of a PE. */
export class ProgramMark {
  #program = "";
  /** Whether the synchronous beginning of the program is under way. */
  #beginning = false;
  #mark: WeakRef<object> | undefined;

  /** Whether the program carries a mark, so that it can be told whether it is lost. */
  get isSet(): boolean {
    return this.#mark !== undefined;
  }

  /** Whether a collection has shown that the program can never go on. */
  get isLost(): boolean {
    return this.#mark !== undefined && this.#mark.deref() === undefined;
  }

  /**
   * Imports the program, so that it can be marked.
   *
   * @param program Its URL.
   * @returns Settles when the program has ended.
   */
  async importProgram(program: string): Promise<void> {
    if (!hasInternals) return void await import(program);
    this.#program = program;
    this.#beginning = true;
    const key = Symbol.for(BEGUN);
    Reflect.set(globalThis, key, () => {
      Reflect.deleteProperty(globalThis, key);
      this.#begun();
    });
    const begun = moduleOf(`globalThis[Symbol.for("${BEGUN}")]();`);
    try {
      await import(moduleOf(`import ${JSON.stringify(program)};import ${JSON.stringify(begun)};`));
    } catch {
      // The same error, but where only the module around it cannot be loaded.
      this.#beginning = false;
      await import(program);
    } finally {
      this.#mark = undefined;
    }
  }

  /**
   * Marks the program, called where it builds its world. Only what runs before its first `await`
   * is certain to be its own code and not a task beside it, or a module it imports.
   */
  set(): void {
    if (!this.#beginning || !calledAtTopLevelOf(this.#program)) return;
    const mark = {};
    enterAsyncContext({ __proto__: null, ...asyncContext(), [MARK]: mark });
    this.#mark = new WeakRef(mark);
  }

  /** Called when the program has come to its first `await`. */
  #begun(): void {
    this.#beginning = false;
    const mark = asyncContext()?.[MARK];
    if (mark === undefined || this.#mark?.deref() !== mark) this.#mark = undefined;
    enterAsyncContext(undefined);
  }
}

/** A module given as text. */
function moduleOf(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

/** Whether the code that runs was called by code of a module outside of named functions. */
function calledAtTopLevelOf(module: string): boolean {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES_MAX;
  const stack = String(new Error().stack);
  Error.stackTraceLimit = limit;
  return stack.includes(`at ${module}:`);
}
