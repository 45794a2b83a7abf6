/**
 * Labelled output: whole lines, each behind the number of its PE. Loaded only when labels are asked for.
 *
 * @module
 */

import { Console } from "node:console";
import { Writable } from "node:stream";

/** Writes the text and a line feed in one piece, whatever other threads write meanwhile. */
type PrintLine = (text: string) => void;

/**
 * Replaces the console and the raw output streams of this Worker.
 *
 * @param label What to put before each line.
 */
export function installLabels(label: string): void {
  const { log, error } = console;
  const stdout = new LineLabeller(label, (text) => log("%s", text));
  const stderr = new LineLabeller(label, (text) => error("%s", text));
  const colorMode = Deno.stdout.isTerminal() && !Deno.noColor;
  const labelled = new Console({
    stdout: stdout.writable(),
    stderr: stderr.writable(),
    colorMode,
  });
  Object.assign(console, labelled);
  redirect("stdout", stdout);
  redirect("stderr", stderr);
  globalThis.addEventListener("unload", () => {
    stdout.end();
    stderr.end();
  });
}

function redirect(name: "stdout" | "stderr", labeller: LineLabeller): void {
  const stream = Deno[name];
  stream.writeSync = (bytes) => labeller.write(bytes);
  stream.write = (bytes) => Promise.resolve(labeller.write(bytes));
  Object.defineProperty(stream, "writable", {
    get: () => new WritableStream<Uint8Array>({ write: (bytes) => void labeller.write(bytes) }),
  });
  const { process } = globalThis as unknown as {
    process?: Record<string, { write: unknown }>;
  };
  const target = process?.[name];
  if (target) target.write = (text: string | Uint8Array) => labeller.write(text) >= 0;
}

/** Collects what is written until a line is whole. */
class LineLabeller {
  #rest = "";
  readonly #label: string;
  readonly #print: PrintLine;
  readonly #decoder = new TextDecoder();

  constructor(label: string, print: PrintLine) {
    this.#label = label;
    this.#print = print;
  }

  write(data: string | Uint8Array): number {
    const text = typeof data === "string" ? data : this.#decoder.decode(data, { stream: true });
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop()!;
    if (lines.length > 0) {
      this.#print(lines.map((line) => this.#label + line).join("\n"));
    }
    return data.length;
  }

  /** Writes a last line that no line feed ended. */
  end(): void {
    if (this.#rest !== "") this.write("\n");
  }

  writable(): Writable {
    return new Writable({
      decodeStrings: false,
      write: (chunk: string | Uint8Array, _encoding, done) => {
        this.write(chunk);
        done();
      },
    });
  }
}
