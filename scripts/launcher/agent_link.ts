/**
 * The launcher's side of an agent: starts it, here or by ssh, and talks to it over its standard
 * input and output.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import { type Environment, environment, readLauncherConfig } from "../../internal/config.ts";
// Imported so that a launcher that runs with --cached-only has what its agents run.
import "./agent.ts";
import { isThisHost } from "./host_name.ts";
import { readLines } from "./lines.ts";
import { ownDeno } from "./permissions.ts";
import {
  encodeMessage,
  type FromAgent,
  LINE_CHARACTERS_MAX,
  parseFromAgent,
  type ToAgent,
} from "./protocol.ts";

/**
 * What an agent needs: to start processes with the environment they are to have, and to see below
 * /proc whether they live, for which Deno asks for everything. Who may run programs has that.
 */
const AGENT_FLAGS: readonly string[] = ["--quiet", "--no-prompt", "--no-config", "--allow-all"];

/** ssh never asks: nobody could answer, and the job would hang. */
const SSH_OPTIONS: readonly string[] = ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"];

/**
 * Finds Deno on a remote host: where it is here, on the path, or where its installer puts it. A
 * remote shell that serves one command often has a short path.
 */
const REMOTE_SCRIPT = 'd=$1; shift; command -v "$d" >/dev/null 2>&1 || d=deno; ' +
  'command -v "$d" >/dev/null 2>&1 || d=$HOME/.deno/bin/deno; ' +
  'command -v "$d" >/dev/null 2>&1 || ' +
  '{ echo "there is no Deno: set LAMELLAR_REMOTE_DENO to its path" >&2; exit 127; }; ' +
  'exec "$d" "$@"';

/** How much of what ssh says is kept for messages. */
const SAID_CHARACTERS_MAX = 2000;

/** Lines of a login shell before the agent's first are passed over, but not for ever. */
const NOISE_LINES_MAX = 1000;

/** Whom a link tells. */
export interface LinkEvents {
  /** A message came; the next one waits until this is settled. */
  message(message: FromAgent): Promise<void> | void;
  /** Nothing more will come; called once. */
  lost(why: string): void;
}

/** A connection to an agent. */
export interface AgentLink {
  /** Sends a message; what cannot be sent any more is left to {@linkcode LinkEvents.lost}. */
  send(message: ToAgent): void;
  /** Ends the connection: the agent ends its processes and itself. Settles when that is done. */
  close(): Promise<void>;
  /** Ends the agent, or its ssh, at once. */
  kill(): void;
}

/**
 * Starts an agent.
 *
 * @param host The host, as the user named it.
 * @param events Whom to tell.
 * @returns The connection.
 */
export function openLink(host: string, events: LinkEvents): AgentLink {
  const [command, ...args] = agentCommand(host);
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(command!, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      // Ctrl-C is for the launcher, which tells the agents what to do.
      detached: true,
    }).spawn();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    queueMicrotask(() => events.lost(`${command} cannot be started: ${error.message}`));
    return { send: () => {}, close: () => Promise.resolve(), kill: () => {} };
  }
  return new ProcessLink(child, events, command!);
}

/**
 * The command that runs the agent of a host.
 *
 * @param host The host.
 * @param env Where the settings come from.
 * @returns The command and its arguments.
 */
export function agentCommand(host: string, env: Environment = environment): string[] {
  const url = new URL("./agent.ts", import.meta.url);
  const agent = ["run", ...AGENT_FLAGS, url.href];
  if (isThisHost(host)) return [ownDeno() ?? Deno.execPath(), ...agent];
  const config = readLauncherConfig(env);
  const ssh = config.ssh.split(/\s+/);
  const options = /(?:^|\/)ssh$/.test(ssh[0]!) ? SSH_OPTIONS : [];
  const words = ["sh", "-c", REMOTE_SCRIPT, "sh", config.remoteDeno ?? Deno.execPath(), ...agent];
  // ssh joins its words by spaces for the login shell there, whichever that is.
  return [...ssh, ...options, host, `exec ${words.map(quoted).join(" ")}`];
}

/**
 * What a command that failed has to say.
 *
 * @param said What it wrote to its standard error.
 * @returns The line with Deno's error, or else the last one, as of ssh; undefined if there is none.
 */
export function reasonOf(said: string): string | undefined {
  const lines = stripVTControlCharacters(said).split("\n").map((line) => line.trim())
    .filter(Boolean);
  return lines.find((line) => /^error: /.test(line))?.replace(/^error: /, "") ?? lines.at(-1);
}

function quoted(word: string): string {
  return /^[\w./:=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

class ProcessLink implements AgentLink {
  readonly #child: Deno.ChildProcess;
  readonly #events: LinkEvents;
  readonly #command: string;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #said = "";

  constructor(child: Deno.ChildProcess, events: LinkEvents, command: string) {
    this.#child = child;
    this.#events = events;
    this.#command = command;
    this.#writer = child.stdin.getWriter();
    this.#writer.closed.catch(() => {});
    this.#read();
  }

  send(message: ToAgent): void {
    // The reader notices a broken pipe.
    this.#writer.write(new TextEncoder().encode(encodeMessage(message))).catch(() => {});
  }

  async close(): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#child.status;
  }

  kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }

  async #read(): Promise<void> {
    const said = this.#readSaid();
    let why: string | undefined;
    try {
      await this.#readMessages();
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
      this.kill();
    }
    const status = await this.#child.status;
    await said;
    this.#events.lost(why ?? this.#reason(status));
  }

  async #readMessages(): Promise<void> {
    let noise: number | undefined = 0;
    for await (const line of readLines(this.#child.stdout, LINE_CHARACTERS_MAX)) {
      if (noise !== undefined && !line.startsWith('{"type":"hello"') && ++noise < NOISE_LINES_MAX) {
        continue;
      }
      noise = undefined;
      await this.#events.message(parseFromAgent(line));
    }
  }

  async #readSaid(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stderr) {
      this.#said = (this.#said + decoder.decode(chunk, { stream: true }))
        .slice(-SAID_CHARACTERS_MAX);
    }
  }

  #reason({ code, signal }: Deno.CommandStatus): string {
    const said = reasonOf(this.#said);
    if (said !== undefined) return said;
    const who = /deno$/.test(this.#command) ? "its agent" : this.#command;
    return signal ? `${who} was killed by ${signal}` : `${who} ended with exit code ${code}`;
  }
}
