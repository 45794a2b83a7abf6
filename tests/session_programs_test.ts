/**
 * Programs with sessions, as processes: what keeps them alive, what they may do, and the examples.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { repositoryPath, runSource } from "./support/inline.ts";
import { runProgram, startProgram } from "./support/run.ts";

const START = `import { startSession } from "MOD";
  const session = await startSession({ pes: 2 });
`;
const SLEEP = "async () => { await new Promise((resolve) => setTimeout(resolve, 300)); return 1; }";

/** A program that starts a session, and what it prints until it ends by itself. */
const ENDS: Record<string, readonly [string, string]> = {
  "an idle session keeps no program alive": [`console.log("end");`, "end\n"],
  "what is under way keeps the program alive": [
    `session.runPe(0, ${SLEEP}).then(() => console.log("done"));
     console.log("end");`,
    "end\ndone\n",
  ],
  "what is under way keeps no program alive after unref()": [
    `session.unref();
     session.runPe(0, ${SLEEP}).then(() => console.log("done"));
     console.log("end");`,
    "end\n",
  ],
  "ref() takes unref() back": [
    `session.unref();
     session.ref();
     console.log(await session.runPe(1, ${SLEEP}));`,
    "1\n",
  ],
  "timers of the program go on while PEs compute": [
    `let ticks = 0;
     const timer = setInterval(() => ticks++, 5);
     await session.runAll(() => {
       for (const until = performance.now() + 500; performance.now() < until;);
     });
     clearInterval(timer);
     console.log(ticks >= 10 || ticks);`,
    "true\n",
  ],
  "close() at the end of the program is not needed twice": [
    `await session.close();
     await session.close();
     console.log("end");`,
    "end\n",
  ],
};
for (const [what, [body, output]] of Object.entries(ENDS)) {
  Deno.test(what, async () => {
    const result = await runSource(START + body, { pes: 2, launcher: false });
    assertEquals([result.stderr, result.stdout, result.code], ["", output, 0]);
  });
}

Deno.test("What waits behind a closure of all PEs says so", async () => {
  const result = await runSource(
    START + `
    session.runAll(${SLEEP});
    using array = await session.createArray("AtomicArray", "u8", 4);
    session.runAll(${SLEEP});
    using darc = await session.createDarc("Darc", () => 4);
    await session.close();`,
    { pes: 2, launcher: false, env: { LAMELLAR_DEADLOCK_WARNING_TIMEOUT: "0.1" } },
  );
  assertEquals([result.stdout, result.code], ["", 0]);
  const lines = result.stderr.trimEnd().split("\n");
  assertEquals(lines.length, 2);
  assertMatch(lines[0]!, /^lamellar: createArray of a session has waited for 0.1 s: .*runAll/);
  assertMatch(lines[1]!, /^lamellar: createDarc of a session has waited for 0.1 s: .*runAll/);
});

Deno.test("PEs of a session that wait for each other are named", async () => {
  const env = { LAMELLAR_DEADLOCK_WARNING_TIMEOUT: "0.3" };
  const result = await runSource(
    START + `
    setTimeout(() => {
      console.error("so far");
      session.runPe(0, ({ world }) => world.allReduce(1, "sum")).then(() => {}, () => {});
    }, 1200);
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    await pause(3000);
    await session.close({ timeoutMs: 100 }).catch(() => {});`,
    { pes: 2, launcher: false, env },
  );
  const lines = result.stderr.trimEnd().split("\n");
  // How long the end takes is not the point here.
  const [first, second, ...more] = lines.filter((line) => !line.includes("closing a session"));
  assertEquals([first, more], ["so far", []]);
  assertMatch(
    second!,
    /^lamellar: nothing moved for 0.3 s: PE 0: waiting for an all-reduce \(PE 1\).*; PE 1: idle/,
  );
});

Deno.test("A session leaves exit code, console and signals of its program alone", async () => {
  const result = await runSource(
    `const own = [console.log, Deno.exit, globalThis.close, Deno.stdin.read];
     ${START}
     const now = [console.log, Deno.exit, globalThis.close, Deno.stdin.read];
     const text = await new Response(Deno.stdin.readable).text();
     console.log(own.every((value, i) => value === now[i]), text);
     await session.runPe(1, () => console.log("from PE 1"));
     await session.close();
     Deno.exitCode = 7;`,
    { pes: 2, launcher: false, stdin: "typed" },
  );
  assertEquals(result.stderr, "");
  assertEquals(result.stdout.split("\n").toSorted().join(), ",from PE 1,true typed");
  assertEquals(result.code, 7);
});

Deno.test("A session needs --allow-read only, and says so", async () => {
  const body = `${START} console.log(await session.runAll(({ currentPe }) => currentPe));`;
  const options = { pes: 2, launcher: false };
  const may = await runSource(body, { ...options, flags: ["--no-prompt", "--allow-read"] });
  assertEquals([may.stdout, may.code], ["[ 0, 1 ]\n", 0]);
  const mayNot = await runSource(body, { ...options, flags: ["--no-prompt"] });
  assertEquals(mayNot.code, 1);
  assertMatch(mayNot.stderr, /permission to read it is missing; run with --allow-read/);
});

Deno.test("A program whose top level throws ends although a session is open", async () => {
  const result = await runSource(`${START} throw new Error("enough");`, {
    pes: 2,
    launcher: false,
  });
  assertEquals(result.code, 1);
  assertMatch(result.stderr, /enough/);
});

Deno.test("A REPL starts a session, defines an AM and runs it", async () => {
  const library = JSON.stringify(new URL("../mod.ts", import.meta.url).href);
  const repl = new Deno.Command(Deno.execPath(), {
    args: ["repl", "-A", "-q"],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = repl.stdin.getWriter();
  const lines = [
    `import { am, startSession, u32 } from ${library};`,
    "const session = await startSession({ pes: 2 });",
    'const Twice = am("Twice", { n: u32 }, (self) => 2 * self.n);',
    "await session.execAmAll(Twice({ n: 21 }))",
    'const Again = am("Twice", { n: u32 }, (self) => 200 * self.n);',
    "await session.execAmAll(Again({ n: 21 }))",
    "await session.close();",
    "close();",
  ];
  await writer.write(new TextEncoder().encode(lines.join("\n") + "\n"));
  await writer.close();
  const { code, stderr, stdout } = await repl.output();
  assertEquals(new TextDecoder().decode(stderr), "");
  const text = new TextDecoder().decode(stdout);
  assert(text.includes("[ 42, 42 ]") && text.includes("[ 4200, 4200 ]"), text);
  assertEquals(code, 0);
});

Deno.test("Example sessions/progress.ts counts primes", async () => {
  const result = await runProgram({
    program: repositoryPath("examples/sessions/progress.ts"),
    pes: 2,
    args: ["100000"],
  });
  assertEquals(result.stderr, "");
  assertEquals(result.stdout, "9592 primes below 100000, counted by 2 PEs\n");
});

/** A server among the examples: its routes, and what it answers to nonsense. */
const SERVERS: Record<string, readonly [(upTo: unknown) => string, string]> = {
  "server.ts": [(upTo) => `?upTo=${upTo}`, "upTo must be 0 to 10000000"],
  "hono.ts": [(upTo) => `primes/${upTo}`, "give a number of 0 to 10000000"],
};
for (const [name, [route, error]] of Object.entries(SERVERS)) {
  Deno.test(`Example sessions/${name} answers requests side by side, and shuts down`, async () => {
    const server = startProgram({
      program: repositoryPath(`examples/sessions/${name}`),
      pes: 2,
      args: ["0"],
    });
    while (!/:\d+\//.test(server.output())) await server.moreOutput();
    const port = Number(/:(\d+)\//.exec(server.output())![1]);
    const ask = async (upTo: unknown): Promise<unknown> => {
      const response = await fetch(`http://localhost:${port}/${route(upTo)}`);
      return await response.json();
    };
    const expected = [[1000, 168], [10_000, 1229], [100_000, 9592], [1000, 168]] as const;
    const answers = await Promise.all(expected.map(([upTo]) => ask(upTo)));
    assertEquals(answers, expected.map(([upTo, primes]) => ({ upTo, primes })));
    assertEquals(await ask("many"), { error });
    server.kill("SIGINT");
    const result = await server.result;
    assertEquals([result.stderr, result.code], ["", 0]);
  });
}

Deno.test("Example sessions/primes_bench.ts measures", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["bench", "-A", "--no-check", repositoryPath("examples/sessions/primes_bench.ts")],
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals(code, 0);
  assertMatch(new TextDecoder().decode(stdout), /an AM to one PE +\|.*µs/);
});
