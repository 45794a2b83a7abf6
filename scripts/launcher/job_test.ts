import { assertEquals } from "@std/assert";
import { VERSION } from "../../internal/version.ts";
import type { AgentLink, LinkEvents } from "./agent_link.ts";
import { parseHosts, planJob } from "./hosts.ts";
import { Job } from "./job.ts";
import { type FromAgent, PROTOCOL, type ToAgent } from "./protocol.ts";

/** An agent that a test plays. */
class FakeAgent implements AgentLink {
  readonly sent: ToAgent[] = [];
  readonly events: LinkEvents;
  closed = false;

  constructor(events: LinkEvents) {
    this.events = events;
  }

  send(message: ToAgent): void {
    this.sent.push(message);
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  kill(): void {}

  say(message: FromAgent): void {
    this.events.message(message);
  }

  hello(host: string, version = VERSION): void {
    this.say({ type: "hello", protocol: PROTOCOL, version, host });
  }

  /** The types of what it was sent, without the input. */
  get types(): string[] {
    return this.sent.map((one) => one.type === "signal" ? one.signal : one.type)
      .filter((type) => type !== "input");
  }
}

/** A job of one process on each of two hosts, or of two PEs a process. */
class Fixture {
  readonly agents: FakeAgent[] = [];
  readonly told: string[] = [];
  readonly job: Job;
  readonly code: Promise<number>;

  constructor(pesPerProcess = 1) {
    const plan = planJob({
      hosts: parseHosts("n1,n2"),
      pes: 2 * pesPerProcess,
      processes: 2,
      pesPerProcess,
      pesPerHost: undefined,
    });
    this.job = new Job({
      plan,
      name: "job",
      start: { cwd: "/", deno: false, command: ["true"], env: {} },
      processEnv: (rank) => ({ RANK: String(rank) }),
      open: (_host, events) => {
        const agent = new FakeAgent(events);
        this.agents.push(agent);
        return agent;
      },
      write: () => Promise.resolve(),
      say: (line) => this.told.push(line),
      input: () => Promise.resolve(""),
    });
    this.code = this.job.run();
  }

  start(): void {
    this.agents[0]!.hello("first");
    this.agents[1]!.hello("second");
  }

  pmi(rank: number, ...commands: string[]): void {
    for (const line of commands) this.agents[rank]!.say({ type: "pmi", rank, line: `cmd=${line}` });
  }

  exit(rank: number, code = 0, signal = ""): void {
    this.agents[rank]!.say({ type: "exit", rank, code, signal });
  }
}

const INIT = "init pmi_version=1";

Deno.test("a job starts its processes once every host has answered, and not before", async () => {
  const { agents, job: _job, code, told, ...rest } = new Fixture();
  assertEquals(Object.keys(rest), []);
  agents[0]!.hello("first");
  assertEquals([agents[0]!.types, agents[1]!.types], [[], []]);
  agents[1]!.hello("second");
  const [first, second] = agents.map(({ sent }) => sent[0]);
  assertEquals(first?.type === "start" && first.processes, [{ rank: 0, env: { RANK: "0" } }]);
  assertEquals(second?.type === "start" && second.processes, [{ rank: 1, env: { RANK: "1" } }]);
  for (const rank of [0, 1]) agents[rank]!.say({ type: "exit", rank, code: 0, signal: "" });
  assertEquals([await code, told], [0, []]);
  assertEquals(agents.map(({ closed }) => closed), [true, true]);
});

Deno.test("a host that cannot be reached ends the job before anything is started", async () => {
  const { agents, code, told } = new Fixture();
  agents[0]!.hello("first");
  agents[1]!.events.lost("no route");
  assertEquals(await code, 2);
  assertEquals(told, ["lamellar: Cannot start on host n2: no route"]);
  assertEquals(agents[0]!.types, []);
});

Deno.test("a host with another version of the launcher is refused", async () => {
  const { agents, code, told } = new Fixture();
  agents[0]!.hello("first");
  agents[1]!.hello("second", "0.0.0");
  assertEquals(await code, 2);
  assertEquals(told, [
    "lamellar: Cannot start on host n2: it has version 0.0.0 of the launcher (protocol " +
    `${PROTOCOL}), here is version ${VERSION} (protocol ${PROTOCOL})`,
  ]);
});

/** Ways to fail: what happens, what is told, and the exit code. */
const FAILURES: readonly {
  readonly name: string;
  readonly happens: (fixture: Fixture) => void;
  readonly told: readonly string[];
  readonly code: number;
}[] = [
  {
    name: "an exit code",
    happens: (job) => job.exit(1, 7),
    told: ["PE 1 (process 1 on host n2) ended with exit code 7"],
    code: 7,
  },
  {
    name: "a process without a sign of life",
    happens: ({ agents }) =>
      agents[1]!.say({
        type: "still",
        rank: 1,
        why: "gave no sign of life for 5 s while it slept",
      }),
    told: ["PE 1 (process 1 on host n2) gave no sign of life for 5 s while it slept"],
    code: 1,
  },
  {
    name: "a signal",
    happens: (job) => job.exit(1, 0, "SIGSEGV"),
    told: ["PE 1 (process 1 on host n2) was killed by SIGSEGV"],
    code: 139,
  },
  {
    name: "a signal after finalize",
    happens: (job) => {
      job.pmi(1, INIT, "finalize");
      job.exit(1, 0, "SIGKILL");
    },
    told: ["PE 1 (process 1 on host n2) was killed by SIGKILL"],
    code: 137,
  },
  {
    name: "an abort",
    happens: (job) => job.pmi(1, "abort exitcode=5"),
    told: ["PE 1 (process 1 on host n2) aborted the job with exit code 5"],
    code: 5,
  },
  {
    name: "an abort with a reason",
    happens: (job) => job.pmi(1, "abort exitcode=5 msg=no%20room%0Astack"),
    told: ["PE 1 (process 1 on host n2) aborted the job: no room\nstack"],
    code: 5,
  },
  {
    name: "an abort that names the PE",
    happens: (job) => job.pmi(1, "abort exitcode=5 msg=PE%200%20failed"),
    told: ["PE 0 failed (process 0 on host n1)"],
    code: 5,
  },
  {
    name: "an abort that was told already",
    happens: (job) => job.pmi(1, "abort exitcode=5 msg=reported:%20PE%209%20failed"),
    told: [],
    code: 5,
  },
  {
    name: "an exit that the others do not know of",
    happens: (job) => {
      job.pmi(1, INIT);
      job.exit(1);
    },
    told: [
      "PE 1 (process 1 on host n2) ended with exit code 0 before its end was agreed " +
      "with the others",
    ],
    code: 1,
  },
  {
    name: "an exit that a barrier waits for",
    happens: (job) => {
      job.pmi(0, INIT, "barrier_in");
      job.exit(1);
    },
    told: [
      "PE 1 (process 1 on host n2) ended, " +
      "and PE 0 (process 0 on host n1) waits for it in a barrier",
    ],
    code: 1,
  },
  {
    name: "a barrier that waits for an exit",
    happens: (job) => {
      job.exit(1);
      job.pmi(0, INIT, "barrier_in");
    },
    told: [
      "PE 1 (process 1 on host n2) ended, " +
      "and PE 0 (process 0 on host n1) waits for it in a barrier",
    ],
    code: 1,
  },
  {
    name: "a line that is no PMI",
    happens: (job) => job.agents[1]!.say({ type: "pmi", rank: 1, line: "hello" }),
    told: ['PE 1 (process 1 on host n2) does not follow PMI: it sent "hello"'],
    code: 1,
  },
  {
    name: "a process that cannot be started",
    happens: (job) => job.agents[1]!.say({ type: "refused", rank: 1, why: "cannot be started" }),
    told: ["PE 1 (process 1 on host n2) cannot be started"],
    code: 1,
  },
  {
    name: "a lost host",
    happens: (job) => job.agents[1]!.events.lost("it went away"),
    told: ["Host n2 was lost with PE 1: it went away"],
    code: 1,
  },
  {
    name: "a signal to the launcher",
    happens: (job) => job.job.interrupt("SIGINT"),
    told: ["the job was ended by SIGINT"],
    code: 130,
  },
  {
    name: "a reader that went away",
    happens: (job) => job.job.stopReading(),
    told: [],
    code: 141,
  },
];

for (const { name, happens, told, code } of FAILURES) {
  Deno.test(`the first failure ends the job and is told once (${name})`, async () => {
    const job = new Fixture();
    job.start();
    happens(job);
    assertEquals(job.agents[0]!.types.filter((type) => type !== "pmi"), ["start", "SIGTERM"]);
    // What follows from it is no news.
    job.exit(0, 143);
    job.exit(1, 0, "SIGTERM");
    assertEquals(await job.code, code);
    assertEquals(job.told, told.map((line) => `lamellar: ${line}`));
  });
}

Deno.test("an exit code after finalize is the job's, and ends nothing", async () => {
  const job = new Fixture();
  job.start();
  for (const rank of [0, 1]) job.pmi(rank, INIT, "finalize");
  job.exit(1, 9);
  assertEquals(job.agents[0]!.types.includes("SIGTERM"), false);
  job.exit(0, 8);
  assertEquals([await job.code, job.told], [8, []]);
});

Deno.test("a second signal to the launcher kills at once", async () => {
  const job = new Fixture();
  job.start();
  job.job.interrupt("SIGINT");
  job.job.interrupt("SIGINT");
  assertEquals(job.agents[1]!.types, ["start", "SIGTERM", "SIGKILL"]);
  // Nobody answers any more.
  assertEquals(await job.code, 130);
});

Deno.test("messages name all PEs of a process", async () => {
  const job = new Fixture(2);
  job.start();
  job.exit(1, 3);
  job.exit(0, 3);
  assertEquals(await job.code, 3);
  assertEquals(job.told, [
    "lamellar: PEs 2 to 3 (process 1 on host n2) ended with exit code 3",
  ]);
});
