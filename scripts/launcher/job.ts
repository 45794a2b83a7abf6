/**
 * A job as the launcher sees it: agents, processes, and how it ends. The first failure is the one
 * that is told; it ends all processes, politely and then not.
 *
 * It owns no processes and no streams: those are handed in, so that tests can play them.
 *
 * @module
 */

import { VERSION } from "../../internal/version.ts";
import { USAGE_EXIT_CODE } from "./advice.ts";
import type { AgentLink, LinkEvents } from "./agent_link.ts";
import { type Plan, processMapping } from "./hosts.ts";
import { abortText, pesOf } from "./names.ts";
import { PmiServer, type PmiVerdict } from "./pmi_server.ts";
import {
  BEAT_MS,
  BEATS_MISSED_MAX,
  type FromAgent,
  GRACE_MS,
  PROTOCOL,
  type ToAgent,
} from "./protocol.ts";
import { signalNumber } from "./signals.ts";

/** How long an agent may take to appear, in milliseconds; the first run by URL downloads it. */
const HELLO_MS = 60_000;
/** How long processes have after SIGKILL to be reported gone, in milliseconds. */
const KILL_MS = 1500;
/** The same when Ctrl-C was given twice. */
const KILL_AT_ONCE_MS = 300;

/** What a job runs, and whom it tells. */
export interface JobOptions {
  readonly plan: Plan;
  /** Names the job; no spaces. */
  readonly name: string;
  /** What each agent is told to start, but for the processes. */
  readonly start: Omit<ToAgent & { type: "start" }, "type" | "processes">;
  /** Variables of one process. */
  readonly processEnv: (rank: number) => Record<string, string>;
  /** Starts the agent of a host. */
  readonly open: (host: string, events: LinkEvents) => AgentLink;
  /** Takes what a process wrote, and whether more of its line comes; settles when more may come. */
  readonly write: (
    rank: number,
    isError: boolean,
    bytes: Uint8Array,
    more: boolean,
  ) => Promise<void>;
  /** Tells the user a line. */
  readonly say: (line: string) => void;
  /** Gives the next piece of input, empty at its end. */
  readonly input: () => Promise<string>;
}

/** Why a job ends before its time. */
interface Failure {
  /** What the user is told; nothing if he has been. */
  readonly text: string | undefined;
  readonly exitCode: number;
}

/** What is known of an agent. */
interface AgentState {
  readonly ranks: readonly number[];
  readonly link: AgentLink;
  /** The host as messages name it. */
  host: string;
  ready: boolean;
  lost: boolean;
  silentBeats: number;
  /** Pieces of output that wait to be taken; nothing is read from the agent meanwhile. */
  waiting: number;
}

/** Runs the processes of one job. */
export class Job {
  readonly #options: JobOptions;
  readonly #pmi: PmiServer;
  readonly #agents: AgentState[] = [];
  readonly #exitCodes = new Map<number, number>();
  readonly #gone = new Set<number>();
  readonly #done = Promise.withResolvers<number>();
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  #failure: Failure | undefined;
  #started = false;
  #ended = false;
  #interrupts = 0;
  #more: (() => void) | undefined;

  /**
   * Makes the job; nothing runs yet.
   *
   * @param options What to run.
   */
  constructor(options: JobOptions) {
    this.#options = options;
    this.#pmi = new PmiServer({
      size: options.plan.numProcesses,
      name: options.name,
      entries: { PMI_process_mapping: processMapping(options.plan) },
      reply: (ranks, line) => this.#reply(ranks, line),
      publish: (entries) => this.#tell({ type: "entries", entries }),
    });
  }

  /**
   * Runs the job to its end.
   *
   * @returns Its exit code.
   */
  async run(): Promise<number> {
    for (const { name, ranks } of this.#options.plan.hosts) {
      const index = this.#agents.length;
      const link = this.#options.open(name, {
        message: (message) => this.#take(this.#agents[index]!, message),
        lost: (why) => this.#lose(this.#agents[index]!, why),
      });
      this.#agents.push({
        ranks,
        link,
        host: name,
        ready: false,
        lost: false,
        silentBeats: 0,
        waiting: 0,
      });
    }
    this.#after(HELLO_MS, () => this.#checkReady());
    const beats = setInterval(() => this.#beat(), BEAT_MS);
    const code = await this.#done.promise;
    clearInterval(beats);
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#closeAgents();
    return code;
  }

  /**
   * Ends the job because of a signal to the launcher; a second one ends it at once.
   *
   * @param signal The signal.
   */
  interrupt(signal: Deno.Signal): void {
    if (++this.#interrupts > 1) this.#kill(KILL_AT_ONCE_MS);
    this.#fail(`the job was ended by ${signal}`, 128 + signalNumber(signal));
  }

  /** Ends the job because nobody reads its output any more, in silence as a broken pipe does. */
  stopReading(): void {
    this.#fail(undefined, 128 + signalNumber("SIGPIPE"));
  }

  /** Stops all processes, for Ctrl-Z. */
  suspend(): void {
    this.#tell({ type: "signal", signal: "SIGSTOP" });
  }

  /** Lets them go on. */
  resume(): void {
    for (const agent of this.#agents) agent.silentBeats = 0;
    this.#tell({ type: "signal", signal: "SIGCONT" });
  }

  #take(agent: AgentState, message: FromAgent): Promise<void> | void {
    agent.silentBeats = 0;
    switch (message.type) {
      case "hello":
        return this.#welcome(agent, message);
      case "output":
        return this.#write(agent, message, new TextEncoder().encode(message.text));
      case "bytes":
        return this.#write(agent, message, Uint8Array.fromBase64(message.base64));
      case "pmi":
        return this.#servePmi(message.rank, message.line);
      case "refused":
        this.#fail(`${this.#nameOf(message.rank)} ${message.why}`, 1);
        return this.#leave(message.rank);
      case "still":
        return this.#fail(`${this.#nameOf(message.rank)} ${message.why}`, 1);
      case "exit":
        return this.#takeExit(message);
      case "more":
        return this.#more?.();
      case "beat":
        return;
    }
  }

  #welcome(agent: AgentState, hello: FromAgent & { type: "hello" }): void {
    if (hello.protocol !== PROTOCOL || hello.version !== VERSION) {
      return this.#fail(
        `Cannot start on host ${agent.host}: it has version ${hello.version} of the launcher ` +
          `(protocol ${hello.protocol}), here is version ${VERSION} (protocol ${PROTOCOL})`,
        USAGE_EXIT_CODE,
      );
    }
    if (agent.host === "localhost") agent.host = hello.host;
    agent.ready = true;
    // Nothing runs anywhere before every host has shown that it can.
    if (this.#started || this.#failure || !this.#agents.every(({ ready }) => ready)) return;
    this.#started = true;
    for (const { ranks, link } of this.#agents) {
      link.send({
        type: "start",
        ...this.#options.start,
        processes: ranks.map((rank) => ({ rank, env: this.#options.processEnv(rank) })),
      });
    }
    this.#passInput();
  }

  #checkReady(): void {
    const agent = this.#agents.find(({ ready }) => !ready);
    if (!agent) return;
    this.#fail(
      `Cannot start on host ${agent.host}: no answer within ${HELLO_MS / 1000} s`,
      USAGE_EXIT_CODE,
    );
  }

  async #write(
    agent: AgentState,
    { rank, isError, more }: FromAgent & { type: "output" | "bytes" },
    bytes: Uint8Array,
  ): Promise<void> {
    agent.waiting++;
    await this.#options.write(rank, isError, bytes, more);
    agent.waiting--;
    agent.silentBeats = 0;
  }

  #servePmi(rank: number, line: string): void {
    const verdict = this.#pmi.receive(rank, line);
    if (verdict) this.#judge(rank, verdict);
    else this.#checkBarrier();
  }

  #judge(rank: number, verdict: PmiVerdict): void {
    const name = this.#nameOf(rank);
    if (verdict.kind === "refused") {
      return this.#fail(`${name} does not follow PMI: ${verdict.why}`, 1);
    }
    const { pesPerProcess } = this.#options.plan;
    const told = abortText(verdict, name, (pe) => this.#placeOf(Math.floor(pe / pesPerProcess)));
    this.#fail(told, verdict.exitCode);
  }

  /** A barrier that somebody can no longer reach is a failure, not a wait for ever. */
  #checkBarrier(): void {
    const waiting = this.#pmi.waiting;
    const [absent] = this.#gone;
    if (waiting === undefined || absent === undefined) return;
    this.#fail(
      `${this.#nameOf(absent)} ended, and ${this.#nameOf(waiting)} waits for it in a barrier`,
      1,
    );
  }

  #takeExit({ rank, code, signal }: FromAgent & { type: "exit" }): void {
    const name = this.#nameOf(rank);
    if (signal !== "") this.#fail(`${name} was killed by ${signal}`, 128 + signalNumber(signal));
    else if (this.#pmi.hasFinalized(rank)) this.#exitCodes.set(rank, code);
    else if (code !== 0) this.#fail(`${name} ended with exit code ${code}`, code);
    else if (this.#pmi.hasInitialised(rank)) {
      this.#fail(`${name} ended with exit code 0 before its end was agreed with the others`, 1);
    } else if (this.#options.start.deno) {
      // Each did the whole work by itself.
      const why = "it needs --allow-env=LAMELLAR_*,PMI_*";
      this.#fail(`${name} has not met the others: ${why}`, USAGE_EXIT_CODE);
    }
    this.#leave(rank);
  }

  #leave(rank: number): void {
    this.#gone.add(rank);
    if (this.#gone.size < this.#options.plan.numProcesses) return this.#checkBarrier();
    const codes = [...this.#exitCodes].sort(([a], [b]) => a - b).map(([, code]) => code);
    this.#done.resolve(this.#failure?.exitCode ?? codes.find((code) => code !== 0) ?? 0);
  }

  #lose(agent: AgentState, why: string): void {
    if (agent.lost || this.#ended) return;
    agent.lost = true;
    if (!this.#started) this.#fail(`Cannot start on host ${agent.host}: ${why}`, USAGE_EXIT_CODE);
    else {this.#fail(
        `Host ${agent.host} was lost with ${pesOf(this.#options.plan, agent.ranks)}: ${why}`,
        1,
      );}
    for (const rank of agent.ranks) this.#leave(rank);
  }

  #beat(): void {
    for (const agent of this.#agents) {
      if (agent.lost || !agent.ready) continue;
      agent.link.send({ type: "beat" });
      // An agent that is not listened to, because nobody reads the output, is not silent.
      if (agent.waiting > 0 || ++agent.silentBeats <= BEATS_MISSED_MAX) continue;
      agent.link.kill();
      this.#lose(agent, `it has not answered for ${BEATS_MISSED_MAX * BEAT_MS / 1000} s`);
    }
  }

  #fail(text: string | undefined, exitCode: number): void {
    if (this.#failure) return;
    this.#failure = { text, exitCode };
    if (text !== undefined) this.#options.say(`lamellar: ${text}`);
    if (!this.#started) return this.#done.resolve(exitCode);
    this.#tell({ type: "signal", signal: "SIGTERM" });
    this.#after(GRACE_MS, () => this.#kill(KILL_MS));
  }

  #kill(limitMs: number): void {
    this.#tell({ type: "signal", signal: "SIGKILL" });
    this.#after(limitMs, () => this.#done.resolve(this.#failure?.exitCode ?? 1));
  }

  #tell(message: ToAgent): void {
    for (const { link } of this.#agents) link.send(message);
  }

  #reply(ranks: readonly number[], line: string): void {
    for (const agent of this.#agents) {
      const own = ranks.filter((rank) => agent.ranks.includes(rank));
      if (own.length > 0) agent.link.send({ type: "pmi", ranks: own, line });
    }
  }

  async #passInput(): Promise<void> {
    const agent = this.#agents.find(({ ranks }) => ranks.includes(0))!;
    for (;;) {
      const base64 = await this.#options.input();
      if (this.#ended) return;
      const more = new Promise<void>((resolve) => this.#more = resolve);
      agent.link.send({ type: "input", base64 });
      if (base64 === "") return;
      await more;
    }
  }

  async #closeAgents(): Promise<void> {
    this.#ended = true;
    const limit = new Promise((resolve) => this.#after(KILL_MS / 2, () => resolve(undefined)));
    await Promise.race([Promise.all(this.#agents.map(({ link }) => link.close())), limit]);
    for (const { link } of this.#agents) link.kill();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #after(ms: number, action: () => void): void {
    this.#timers.push(setTimeout(action, ms));
  }

  #placeOf(rank: number): string {
    const agent = this.#agents.find(({ ranks }) => ranks.includes(rank));
    return `process ${rank} on host ${agent?.host}`;
  }

  #nameOf(rank: number): string {
    return `${pesOf(this.#options.plan, [rank])} (${this.#placeOf(rank)})`;
  }
}
