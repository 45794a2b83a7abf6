/**
 * The agent: one runs on each host of a job, as a child of the launcher or at the far end of ssh.
 * It starts the processes of its host and passes on what they say. It listens to no port; its
 * standard input and output are all it has.
 *
 * When its input ends, the launcher is gone, and the agent ends its processes. When the agent
 * itself is killed, its guard does.
 *
 * @module
 */

import { hostName } from "./host_name.ts";
import { LongLine } from "./agent_output.ts";
import { AgentProcess } from "./agent_process.ts";
import { startGuard } from "./guard.ts";
import { readLines } from "./lines.ts";
import { answerFrom } from "./pmi_server.ts";
import { VERSION } from "../../internal/version.ts";
import {
  BEAT_MS,
  BEATS_MISSED_MAX,
  encodeMessage,
  type FromAgent,
  GRACE_MS,
  LINE_CHARACTERS_MAX,
  parseToAgent,
  PROTOCOL,
  type ToAgent,
} from "./protocol.ts";

/** How often the agent looks whether its processes are gone, in milliseconds. */
const LOOK_MS = 20;

class Agent {
  readonly #writer = Deno.stdout.writable.getWriter();
  readonly #guard = startGuard();
  readonly #processes = new Map<number, AgentProcess>();
  /** What the launcher has published of its key-value space. */
  readonly #entries = new Map<string, string>();
  readonly #longLines = { stdout: new LongLine(), stderr: new LongLine() };
  #heard = 0;
  #suspended = false;

  /** Serves the launcher until it goes away. */
  async run(): Promise<void> {
    this.#say({
      type: "hello",
      protocol: PROTOCOL,
      version: VERSION,
      host: hostName(),
    });
    const beats = setInterval(() => this.#beat(), BEAT_MS);
    try {
      for await (const line of readLines(Deno.stdin.readable, LINE_CHARACTERS_MAX)) {
        this.#heard = 0;
        this.#follow(parseToAgent(line));
      }
    } finally {
      clearInterval(beats);
      await this.#endAll();
    }
  }

  /**
   * Sends a message; waiting for it holds back a process that produces more than the launcher
   * takes.
   */
  async #say(message: FromAgent): Promise<void> {
    try {
      await this.#writer.write(new TextEncoder().encode(encodeMessage(message)));
    } catch {
      // The launcher is gone, which the end of the input says too.
    }
  }

  #follow(message: ToAgent): void {
    switch (message.type) {
      case "start":
        return this.#start(message);
      case "pmi":
        for (const rank of message.ranks) this.#processes.get(rank)?.sendPmi(message.line);
        return;
      case "entries":
        for (const [key, value] of Object.entries(message.entries)) this.#entries.set(key, value);
        return;
      case "signal":
        this.#suspended = message.signal === "SIGSTOP";
        for (const process of this.#processes.values()) process.signal(message.signal);
        // One that was stopped would not notice before it is killed.
        if (message.signal === "SIGTERM") this.#follow({ type: "signal", signal: "SIGCONT" });
        return;
      case "input":
        return this.#processes.get(0)?.input(message.base64);
      case "beat":
        return;
    }
  }

  #start(message: ToAgent & { type: "start" }): void {
    const command = message.deno ? [Deno.execPath(), ...message.command] : message.command;
    const inherited = Deno.env.toObject();
    // Where another launcher started ours, its connection is not for our processes.
    for (const name of ["PMI_PORT", "PMI_ID"]) delete inherited[name];
    for (const { rank, env } of message.processes) {
      const process = new AgentProcess({
        rank,
        command,
        ours: message.deno,
        cwd: message.cwd,
        env: { ...inherited, ...message.env, ...env },
        say: (one) => this.#say(one),
        answer: (line) => answerFrom(line, this.#entries),
        longLines: this.#longLines,
        watch: (pid) => this.#guard.watch(pid),
        forget: (pid) => this.#guard.forget(pid),
      });
      this.#processes.set(rank, process);
    }
  }

  #beat(): void {
    this.#say({ type: "beat" });
    for (const process of this.#processes.values()) process.look(this.#suspended);
    // A launcher that was stopped says nothing and is not lost.
    if (++this.#heard <= BEATS_MISSED_MAX || this.#suspended) return;
    this.#endAll().then(() => Deno.exit(1));
  }

  /** Ends the processes: politely, and then not. */
  async #endAll(): Promise<void> {
    const running = (): AgentProcess[] => [...this.#processes.values()].filter((one) => one.runs);
    for (const process of running()) {
      process.signal("SIGTERM");
      process.signal("SIGCONT");
    }
    const start = performance.now();
    while (running().length > 0 && performance.now() - start < GRACE_MS) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    for (const process of running()) process.signal("SIGKILL");
  }
}

if (import.meta.main) {
  // Ctrl-C and the end of a terminal are the launcher's concern.
  for (const name of ["SIGINT", "SIGHUP"] as const) Deno.addSignalListener(name, () => {});
  await new Agent().run();
  Deno.exit();
}
