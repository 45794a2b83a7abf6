/**
 * What of the process a PE gets to see: its program and arguments, the standard input if it is
 * PE 0, and output whose lines stay whole.
 *
 * @module
 */

import { OpenRow } from "./open_row.ts";
import { assembleLines } from "./pe_output.ts";

/**
 * Lets the Worker see the program as a main thread would.
 *
 * @param program URL of the program.
 * @param args Arguments for it.
 */
export function tellProgram(program: string, args: readonly string[]): void {
  Object.defineProperty(Deno, "args", { value: [...args], configurable: true });
  Object.defineProperty(Deno, "mainModule", { value: program, configurable: true });
}

/**
 * Gives a PE other than 0 an empty standard input, so that PE 0 alone reads what is piped in. The
 * methods are replaced rather than the object: `process.stdin` uses the same one.
 */
export function isolateStdin(): void {
  const interactive = Deno.stdin.isTerminal();
  Object.assign(Deno.stdin, {
    read: () => Promise.resolve(null),
    readSync: () => null,
    setRaw: () => {},
    isTerminal: () => false,
  });
  Object.defineProperty(Deno.stdin, "readable", {
    get: () => new ReadableStream({ start: (controller) => controller.close() }),
    configurable: true,
  });
  if (interactive) emptyProcessStdin();
}

/** On a terminal `process.stdin` reads by itself. The process object is slow to load: only then. */
function emptyProcessStdin(): void {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, "process");
  if (!descriptor?.get) return;
  Object.defineProperty(globalThis, "process", {
    configurable: true,
    get: () => {
      const process = descriptor.get!.call(globalThis);
      const { Readable } = process.getBuiltinModule("node:stream");
      Object.defineProperty(process, "stdin", { value: Readable.from([]), configurable: true });
      Object.defineProperty(globalThis, "process", {
        value: process,
        configurable: true,
        writable: true,
      });
      return process;
    },
  });
}

/**
 * Keeps the lines of this PE whole, whatever the other PEs write meanwhile, and puts the PE's
 * number before each if asked.
 *
 * @param pe The PE.
 * @param numPes Number of PEs, for a label of even width.
 * @param words The memory of the process if lines are to be labelled.
 * @returns Writes what is held back.
 */
export async function assembleOutput(
  pe: number,
  numPes: number,
  words: Int32Array | undefined,
): Promise<() => void> {
  if (!words) return await assembleLines();
  return await assembleLines({
    text: `[${String(pe).padStart(String(numPes - 1).length)}] `,
    stdout: new OpenRow(words, "stdout", pe),
    stderr: new OpenRow(words, "stderr", pe),
  });
}
