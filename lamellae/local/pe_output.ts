/**
 * Output in whole lines. The console writes each of its messages in one piece, under a lock that
 * all threads of the process share; raw writes do not, and long ones are cut apart by what others
 * write. So raw writes are collected to lines and go through the console too.
 *
 * @module
 */

/** How long the beginning of a line waits for its end, in milliseconds: a prompt has none. */
const PARTIAL_MS = 20;
const LINE_FEED = 10;

type StreamName = "stdout" | "stderr";

/** The console's own methods: they write a text and a line feed in one piece. */
const print = { stdout: console.log, stderr: console.error } as const;

/** Raw writes, as they were before they were replaced. */
const writeRaw = {
  stdout: Deno.stdout.writeSync.bind(Deno.stdout),
  stderr: Deno.stderr.writeSync.bind(Deno.stderr),
} as const;

/**
 * Collects the raw output of this Worker to lines. What goes to a terminal without labels is left
 * alone: terminals keep writes whole, and people want to see each at once.
 *
 * @param label What to put before each line.
 * @returns Writes the beginning of a line that still waits for its end.
 */
export function assembleLines(label: string): () => void {
  const flushes: (() => void)[] = [];
  for (const name of ["stdout", "stderr"] as const) {
    if (label === "" && Deno[name].isTerminal()) continue;
    const lines = new Lines(name, label);
    redirect(name, lines);
    flushes.push(() => lines.end());
  }
  const flush = (): void => flushes.forEach((one) => one());
  flushBeforeReading(flush);
  return flush;
}

function redirect(name: StreamName, lines: Lines): void {
  const stream = Deno[name];
  stream.writeSync = (bytes) => lines.write(bytes);
  stream.write = (bytes) => Promise.resolve(lines.write(bytes));
  let writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;
  Object.defineProperty(stream, "writable", {
    configurable: true,
    get: () =>
      writable ??= new WritableStream({
        write: (bytes) => void lines.write(bytes),
      }),
  });
  // On pipes and files process.stdout uses the stream above, on terminals it writes by itself.
  if (!stream.isTerminal()) return;
  const { process } = globalThis as unknown as { process: Record<string, { write: unknown }> };
  const encoder = new TextEncoder();
  process[name]!.write = (data: string | Uint8Array) =>
    lines.write(typeof data === "string" ? encoder.encode(data) : data) >= 0;
}

/** A question has to be seen before its answer is waited for. */
function flushBeforeReading(flush: () => void): void {
  const { read, readSync } = Deno.stdin;
  Deno.stdin.read = (buffer) => {
    flush();
    return read.call(Deno.stdin, buffer);
  };
  Deno.stdin.readSync = (buffer) => {
    flush();
    return readSync.call(Deno.stdin, buffer);
  };
}

/** Collects what is written until a line is whole. */
class Lines {
  readonly #name: StreamName;
  readonly #label: string;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #rest: Uint8Array | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(name: StreamName, label: string) {
    this.#name = name;
    this.#label = label;
  }

  write(bytes: Uint8Array): number {
    const end = bytes.lastIndexOf(LINE_FEED) + 1;
    if (end === 0) this.#keep(bytes);
    else {
      const whole = joined(this.#rest, bytes.subarray(0, end));
      this.#rest = undefined;
      this.#print(whole);
      if (end < bytes.length) this.#keep(bytes.subarray(end));
    }
    return bytes.length;
  }

  /** Writes the beginning of a line whose end never came. */
  end(): void {
    const rest = this.#rest;
    if (!rest) return;
    this.#rest = undefined;
    if (this.#label === "") this.#writeRaw(rest);
    else this.#print(joined(rest, Uint8Array.of(LINE_FEED)));
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#rest = joined(this.#rest, bytes.slice());
    // With labels the line could not be gone on with once another PE has written.
    if (this.#label !== "" || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.end();
    }, PARTIAL_MS);
  }

  /** Prints bytes that end in a line feed. */
  #print(bytes: Uint8Array): void {
    const text = this.#decode(bytes.subarray(0, -1));
    if (text === undefined) this.#writeRaw(bytes);
    else print[this.#name]("%s", this.#label + text.replaceAll("\n", `\n${this.#label}`));
  }

  /** Returns undefined if it is no text: such output has no lines to keep whole. */
  #decode(bytes: Uint8Array): string | undefined {
    try {
      return this.#decoder.decode(bytes);
    } catch {
      return undefined;
    }
  }

  #writeRaw(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += writeRaw[this.#name](bytes.subarray(at));
  }
}

function joined(a: Uint8Array | undefined, b: Uint8Array): Uint8Array {
  if (!a) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/**
 * Replaces the console by one that labels each line.
 *
 * @param label What to put before each line.
 */
export async function labelConsole(label: string): Promise<void> {
  const { Console } = await import("node:console");
  const { Writable } = await import("node:stream");
  const stream = (name: StreamName): InstanceType<typeof Writable> => {
    const lines = new Lines(name, label);
    const encoder = new TextEncoder();
    return new Writable({
      decodeStrings: false,
      write: (chunk: string | Uint8Array, _encoding, done) => {
        lines.write(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
        done();
      },
    });
  };
  const colorMode = Deno.stdout.isTerminal() && !Deno.noColor;
  const labelled = new Console({ stdout: stream("stdout"), stderr: stream("stderr"), colorMode });
  Object.assign(console, labelled);
}
