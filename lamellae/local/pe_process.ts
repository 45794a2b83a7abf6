/**
 * What of the process a PE gets to see: its program and arguments, the standard input if it is PE 0, and output
 * whose lines carry its label if that was asked for.
 *
 * @module
 */

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

/** Gives a PE other than 0 an empty standard input, so that PE 0 alone reads what is piped in. */
export function isolateStdin(): void {
  const stdin = {
    read: () => Promise.resolve(null),
    readSync: () => null,
    close: () => {},
    setRaw: () => {},
    isTerminal: () => false,
    get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
      return new ReadableStream({ start: (controller) => controller.close() });
    },
    [Symbol.dispose]: () => {},
  };
  Object.defineProperty(Deno, "stdin", { value: stdin, configurable: true });
}

/**
 * Puts the PE's number before each line it writes.
 *
 * @param pe The PE.
 * @param numPes Number of PEs, for a label of even width.
 */
export async function labelOutput(pe: number, numPes: number): Promise<void> {
  const { installLabels } = await import("./pe_output.ts");
  installLabels(`[${String(pe).padStart(String(numPes - 1).length)}] `);
}
