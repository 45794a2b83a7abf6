/**
 * Programs that mix I/O with questions to another thread, the same for ours and for a bare Worker:
 * they differ in how a question gets there.
 *
 * @module
 */
import { calibrated, printMetric } from "./measure.ts";

/** What the other thread is asked to do. */
export type Question = "add" | "compute" | "read" | "echo";

/** Asks the other thread; it answers the value and 1. */
export type Ask = (question: Question, value: number) => Promise<number>;

const HOST = "127.0.0.1";
const OUTSIDE = new URL("outside.ts", import.meta.url).pathname;
/** How long `compute` takes the other thread, in milliseconds. */
const COMPUTE_MS = 5;
/** What the other thread is asked meanwhile, where requests need nothing of it. */
const OTHER_WORK: Readonly<Record<string, Question>> = {
  "http-compute": "compute",
  "http-add": "add",
};
/** Bytes of the file that is read. */
const FILE_BYTES = 1000;

function outside(...args: (string | number)[]): Deno.ChildProcess {
  const command = ["run", "-q", "--allow-net", OUTSIDE, ...args.map(String)];
  return new Deno.Command(Deno.execPath(), { args: command, stdout: "piped" }).spawn();
}

/** A connection to a process that sends back what it gets. */
export class Echo {
  readonly #connection: Deno.TcpConn;
  readonly #sent = new Uint8Array(8);
  readonly #received = new Uint8Array(8);

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    connection.setNoDelay(true);
  }

  /** Connects to the port that {@linkcode echoServer} gave. */
  static async open(port: number): Promise<Echo> {
    return new Echo(await Deno.connect({ hostname: HOST, port }));
  }

  /** Sends a few bytes there and back. */
  async round(): Promise<void> {
    await this.#connection.write(this.#sent);
    for (let got = 0; got < this.#sent.length;) {
      got += await this.#connection.read(this.#received) ?? raise("The echo has ended");
    }
  }
}

function raise(text: string): never {
  throw new Error(text);
}

/** Starts a process that sends back what it gets; returns it with its port. */
async function echoServer(): Promise<{ port: number; process: Deno.ChildProcess }> {
  const process = outside("echo");
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = await reader.read();
  return { port: Number(value), process };
}

/** What the other thread does when it is asked. */
export class Answers {
  readonly #file: string;
  readonly #port: number;
  #echo: Promise<Echo> | undefined;

  constructor({ file, port }: Places) {
    this.#file = file;
    this.#port = port;
  }

  /** The answer to a question; a promise where it takes I/O. */
  answer(question: Question, value: number): number | Promise<number> {
    if (question === "add") return value + 1;
    if (question === "read") return this.#read(value);
    if (question === "echo") return this.#roundTrip(value);
    const end = performance.now() + COMPUTE_MS;
    while (performance.now() < end);
    return value + 1;
  }

  async #read(value: number): Promise<number> {
    const text = await Deno.readTextFile(this.#file);
    return value + text.length - FILE_BYTES + 1;
  }

  async #roundTrip(value: number): Promise<number> {
    this.#echo ??= Echo.open(this.#port);
    await (await this.#echo).round();
    return value + 1;
  }
}

/** Where there is something to read from. */
export interface Places {
  readonly file: string;
  readonly port: number;
}

/** Measures one kind of program: answers to HTTP clients, or what is done in turn. */
export class IoLoad implements AsyncDisposable {
  readonly places: Places;
  readonly #process: Deno.ChildProcess;

  private constructor(places: Places, process: Deno.ChildProcess) {
    this.places = places;
    this.#process = process;
  }

  /** Makes the file and starts the echo. */
  static async open(): Promise<IoLoad> {
    const file = await Deno.makeTempFile({ prefix: "lamellar_bench_" });
    await Deno.writeTextFile(file, "x".repeat(FILE_BYTES));
    const { port, process } = await echoServer();
    return new IoLoad({ file, port }, process);
  }

  /** Prints the measurement. */
  async measure(kind: string, clients: number, seconds: number, ask: Ask): Promise<void> {
    if (kind.startsWith("http")) {
      return printMetric(kind, await requests(kind, clients, seconds, ask), "requests/s");
    }
    const round = await this.#roundOf(kind, ask);
    let value = 0;
    const each = await calibrated(async (count) => {
      for (let i = 0; i < count; i++) {
        const answer = await round(value);
        if (answer !== value + 1) throw new Error(`The answer was ${answer}, not ${value + 1}`);
        value = answer;
      }
    }, seconds);
    printMetric(kind, each * 1e6, "us");
  }

  async #roundOf(kind: string, ask: Ask): Promise<(value: number) => Promise<number>> {
    const { file, port } = this.places;
    if (kind === "handler-file") return (value) => ask("read", value);
    if (kind === "handler-echo") return (value) => ask("echo", value);
    if (kind === "file") {
      return async (value) => {
        await Deno.readTextFile(file);
        return await ask("add", value);
      };
    }
    const echo = await Echo.open(port);
    return async (value) => {
      await echo.round();
      return kind === "echo-alone" ? value + 1 : await ask("add", value);
    };
  }

  /** Ends the echo and removes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await Deno.remove(this.places.file);
  }
}

/** Requests a second that a server of this thread answers. */
export async function requests(
  kind: string,
  clients: number,
  seconds: number,
  ask: Ask,
): Promise<number> {
  await using server = Deno.serve({ hostname: HOST, port: 0, onListen() {} }, async (request) => {
    if (kind in OTHER_WORK) return new Response("busy");
    const value = Number(new URL(request.url).searchParams.get("value"));
    return new Response(String(await ask("add", value)));
  });
  const child = outside("http", server.addr.port, clients, seconds);
  let over = false;
  const output = child.output().finally(() => over = true);
  // The server answers while this waits for the other thread.
  const question = OTHER_WORK[kind];
  while (question && !over) await ask(question, 1);
  const { code, stdout } = await output;
  if (code !== 0) throw new Error(`The clients ended with code ${code}`);
  return Number(new TextDecoder().decode(stdout));
}
