/**
 * Output in whole lines. The console writes each of its messages in one piece, under a lock that
 * all threads of the process share; raw writes do not, and long ones are cut apart by what others
 * write. So raw writes are collected to lines and go through the console too.
 *
 * @module
 */

import { GrowingBytes } from "../../internal/growing_bytes.ts";
import { LineLabels } from "../../internal/line_labels.ts";
import type { OpenRow, StreamName } from "./open_row.ts";

/** How long the beginning of a line waits for its end, in milliseconds: a prompt has none. */
const PARTIAL_MS = 20;
/** So much of a line is kept for its end; what is longer goes out as it comes. */
const LINE_BYTES_MAX = 16 * 1024 * 1024;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** The console's own methods: they write a text and a line feed in one piece. */
const print = { stdout: console.log, stderr: console.error } as const;

/** What stands before each line, and the rows of both streams. */
type Label = { readonly text: string } & Readonly<Record<StreamName, OpenRow>>;

/** The lines of both streams. */
type Streams = Readonly<Record<StreamName, Lines>>;

/** Raw writes, as they were before they were replaced. */
const writeRaw = {
  stdout: Deno.stdout.writeSync.bind(Deno.stdout),
  stderr: Deno.stderr.writeSync.bind(Deno.stderr),
} as const;

/**
 * Collects the output of this Worker to lines. What goes to a terminal without labels is left
 * alone: terminals keep writes whole, and people want to see each at once.
 *
 * @param label What to put before each line, if anything.
 * @returns Writes the beginning of a line that still waits for its end.
 */
export async function assembleLines(label?: Label): Promise<() => void> {
  const streams: Streams = {
    stdout: new Lines("stdout", label),
    stderr: new Lines("stderr", label),
  };
  if (label) await labelConsole(streams);
  for (const name of ["stdout", "stderr"] as const) {
    if (label || !Deno[name].isTerminal()) redirect(name, streams[name]);
  }
  if (!label) {
    const once = joinOnce(streams);
    streams.stdout.onBeginning = once;
    streams.stderr.onBeginning = once;
  }
  const flush = (): void => {
    streams.stdout.end();
    streams.stderr.end();
  };
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
        // The method as it is by then.
        write: (bytes) => void stream.writeSync(bytes),
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
  readonly #labels: LineLabels | undefined;
  readonly #row: OpenRow | undefined;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** Called when a line begins whose end is not there yet. */
  onBeginning: () => void = () => {};
  /** The beginning of a line. */
  readonly #rest = new GrowingBytes();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writtenAt = 0;

  constructor(name: StreamName, label: Label | undefined) {
    this.#name = name;
    this.#labels = label && new LineLabels(label.text);
    this.#row = label?.[name];
  }

  write(bytes: Uint8Array): number {
    const end = bytes.lastIndexOf(LINE_FEED) + 1;
    if (end > 0) this.#print(this.#withRest(bytes.subarray(0, end)));
    if (end < bytes.length) this.#keep(bytes.subarray(end));
    return bytes.length;
  }

  /** Writes the beginning of a line whose end never came. */
  end(): void {
    if (this.#rest.length === 0) return;
    const rest = this.#rest.take();
    if (!this.#labels || this.#decode(rest) === undefined) this.#writeRaw(rest);
    else this.#print(joined(rest, Uint8Array.of(LINE_FEED)));
  }

  /** Hands out the beginning of a line as text, if there is one and it is text. */
  takeBeginning(): string {
    if (this.#rest.length === 0) return "";
    const rest = this.#rest.take();
    const text = this.#decode(rest);
    if (text === undefined) this.#rest.append(rest);
    return text ?? "";
  }

  #withRest(bytes: Uint8Array): Uint8Array {
    return this.#rest.length === 0 ? bytes : joined(this.#rest.take(), bytes);
  }

  #keep(bytes: Uint8Array): void {
    // What is to be written over, as a count of what is done, has no end to wait for.
    const shown = bytes.includes(CARRIAGE_RETURN);
    if (shown || this.#rest.length + bytes.length > LINE_BYTES_MAX) {
      return this.#writePart(this.#withRest(bytes));
    }
    this.#rest.append(bytes);
    this.onBeginning();
    // With labels the line could not be gone on with once another PE has written.
    if (this.#labels) return;
    this.#writtenAt = performance.now();
    if (this.#timer === undefined) this.#endSoon(PARTIAL_MS);
  }

  /** Ends the beginning of a line once nothing has been added to it for a while. */
  #endSoon(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#rest.length === 0) return;
      const quietMs = performance.now() - this.#writtenAt;
      if (quietMs < PARTIAL_MS) this.#endSoon(PARTIAL_MS - quietMs);
      else this.end();
    }, ms);
  }

  /** Prints bytes that end in a line feed. */
  #print(bytes: Uint8Array): void {
    const text = this.#decode(bytes.subarray(0, -1));
    if (text === undefined) return this.#writeRaw(bytes);
    const put = (line: string): void => print[this.#name]("%s", line);
    if (!this.#labels) put(text);
    else this.#writeLabelled(bytes, (labelled) => put(this.#decode(labelled.subarray(0, -1))!));
  }

  /** Writes bytes that do not end in a line feed. Output that is not text has no lines to label. */
  #writePart(bytes: Uint8Array): void {
    if (!this.#labels || this.#decode(bytes) === undefined) this.#writeRaw(bytes);
    else this.#writeLabelled(bytes, (labelled) => this.#writeRaw(labelled));
  }

  #writeLabelled(bytes: Uint8Array, put: (labelled: Uint8Array) => void): void {
    const labels = this.#labels!;
    this.#row!.write((goesOn) => {
      if (!goesOn) labels.begin();
      return labels.add(bytes);
    }, put);
  }

  /** Returns undefined if it is not text: such output has no lines to keep whole. */
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

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Replaces the console by one that labels each line. */
async function labelConsole(streams: Streams): Promise<void> {
  const { Console } = await import("node:console");
  const { Writable } = await import("node:stream");
  const encoder = new TextEncoder();
  const stream = (lines: Lines): InstanceType<typeof Writable> =>
    new Writable({
      decodeStrings: false,
      write: (chunk: string | Uint8Array, _encoding, done) => {
        lines.write(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
        done();
      },
    });
  const labelled = new Console({
    stdout: stream(streams.stdout),
    stderr: stream(streams.stderr),
    colorMode: Deno.stdout.isTerminal() && !Deno.noColor,
  });
  Object.assign(console, labelled);
}

/** Methods of the console that write to the standard error. */
const ERROR_METHODS: readonly string[] = ["error", "warn", "assert", "trace"];
/** Methods of the console that write their arguments as one message. */
const MESSAGE_METHODS: readonly string[] = ["log", "info", "debug", "error", "warn"];

/**
 * Makes the console go on with the line that a raw write has begun. Few programs mix the two, so
 * this is done when the first such line begins.
 */
function joinOnce(streams: Streams): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    const methods = console as unknown as Record<string, unknown>;
    for (const [name, method] of Object.entries(methods)) {
      if (typeof method !== "function") continue;
      const lines = ERROR_METHODS.includes(name) ? streams.stderr : streams.stdout;
      const joins = MESSAGE_METHODS.includes(name);
      methods[name] = (...args: unknown[]) => {
        if (joins && args.length > 0) args[0] = joinedMessage(lines, args);
        // What cannot be joined in one piece stays in order at least.
        lines.end();
        return method.apply(console, args);
      };
    }
  };
}

/** Puts the beginning of a line before the first argument of a message. */
function joinedMessage(lines: Lines, [first, ...others]: readonly unknown[]): unknown {
  const beginning = lines.takeBeginning();
  if (beginning === "") return first;
  // Only a message with further arguments has its percent signs read.
  const literal = (text: string): string => others.length > 0 ? text.replaceAll("%", "%%") : text;
  const message = typeof first === "string" ? first : literal(Deno.inspect(first));
  return literal(beginning) + message;
}
