import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  FeatureLevelError,
  HandshakeError,
  LamellarError,
  TimeoutError,
} from "../../internal/errors.ts";
import { type Bootstrap, EXCHANGE_TEXT_BYTES_MAX } from "./bootstrap.ts";
import { FakeLauncher, lossOf } from "./fake_launcher_test.ts";
import { startPmi } from "./pmi.ts";
import { Nonsense } from "./random_test.ts";

const AGENT = { agent: "other", timeoutMs: 5000 } as const;

function join(launcher: FakeLauncher, size: number): Promise<Bootstrap[]> {
  return Promise.all(
    Array.from({ length: size }, (_, rank) => startPmi({ ...AGENT, env: launcher.env(rank) })),
  );
}

Deno.test("PMI: exchange() gives each process the texts of all, odd ones too", async () => {
  const launcher = await FakeLauncher.start(3);
  const all = await join(launcher, 3);
  const texts = ["", "\uFEFF line\nwith = and ü\0", "x".repeat(5000)];
  const got = await Promise.all(all.map((one) => one.exchange(texts[one.rank]!)));
  for (const each of got) assertEquals(each, texts);
  await Promise.all(all.map((one) => one.barrier()));
  const again = await Promise.all(all.map((one) => one.exchange(`${one.rank}`)));
  for (const each of again) assertEquals(each, ["0", "1", "2"]);
  const longest = Math.max(...launcher.heard.map((line) => line.length));
  assert(longest < 640, `a line of ${longest} characters, and Slurm cuts them at 1024`);
  await Promise.all(all.map((one) => one.close()));
  await launcher.stop();
});

Deno.test("PMI: calls that are not awaited follow one another", async () => {
  const launcher = await FakeLauncher.start(2);
  const all = await join(launcher, 2);
  const got = await Promise.all(all.map(async (one) => {
    const [first, , second] = await Promise.all([
      one.exchange("a"),
      one.barrier(),
      one.exchange(`b${one.rank}`),
    ]);
    return [...first, ...second];
  }));
  assertEquals(got, [["a", "a", "b0", "b1"], ["a", "a", "b0", "b1"]]);
  await Promise.all(all.map((one) => one.close()));
  await launcher.stop();
});

Deno.test("PMI: exchange() refuses a text that is too long", async () => {
  const launcher = await FakeLauncher.start(1);
  const [one] = await join(launcher, 1);
  const text = "x".repeat(EXCHANGE_TEXT_BYTES_MAX + 1);
  await assertRejects(
    async () => await one!.exchange(text),
    RangeError,
    "Cannot exchange a text of 1048577 bytes: at most 1048576 are allowed",
  );
  await one!.close();
  await launcher.stop();
});

Deno.test("PMI: a launcher that does not answer is given up after the limit", async () => {
  const launcher = await FakeLauncher.start(
    1,
    (line) => line.includes("get_maxes") ? "" : undefined,
  );
  await assertRejects(
    () => startPmi({ ...AGENT, timeoutMs: 200, env: launcher.env(0) }),
    TimeoutError,
    "Waited 0.2 s for cmd=maxes, and the launcher (PMI_PORT=127.0.0.1:",
  );
  await launcher.stop();
});

Deno.test("PMI: a barrier to which not all come ends, and settles lost()", async () => {
  const launcher = await FakeLauncher.start(2);
  const env = launcher.env(0);
  const one = await startPmi({ ...AGENT, timeoutMs: 200, env });
  await assertRejects(() => one.barrier(), TimeoutError, "Waited 0.2 s for cmd=barrier_out");
  assert(await lossOf(one) instanceof TimeoutError);
  await assertRejects(() => one.barrier(), TimeoutError);
  await assertRejects(() => one.exchange("x"), TimeoutError);
  await one.close();
  await launcher.stop();
});

Deno.test("PMI: only our agent is told what a process does, in order", async () => {
  for (const agent of ["lamellar", "other"] as const) {
    const launcher = await FakeLauncher.start(1);
    const one = await startPmi({ agent, timeoutMs: Infinity, env: launcher.env(0) });
    one.enter("greeting");
    await one.barrier();
    one.enter("started");
    // The turn of what it said has come, and no answer yet.
    await Promise.resolve();
    await one.close();
    const word = (value: string) => `cmd=put kvsname=kvs_7 key=lamellar-phase value=${value}`;
    const said = agent === "lamellar"
      ? [word("greeting"), "cmd=barrier_in", word("started"), "cmd=finalize"]
      : ["cmd=barrier_in", "cmd=finalize"];
    assertEquals(launcher.heard.slice(-said.length), said);
    assertEquals(
      launcher.heard.filter((line) => line.startsWith("cmd=put")).length,
      said.length - 2,
    );
    await launcher.stop();
  }
});

Deno.test("PMI: after a wrong answer nothing but abort() is said", async () => {
  const aborted = Promise.withResolvers<void>();
  const launcher = await FakeLauncher.start(1, (line) => {
    if (line.startsWith("cmd=abort")) aborted.resolve();
    return line === "cmd=barrier_in" ? "cmd=put_result\ncmd=barrier_out\n" : undefined;
  });
  const [one] = await join(launcher, 1);
  await assertRejects(() => one!.barrier(), HandshakeError, "cmd=barrier_out was expected");
  await assertRejects(() => one!.barrier(), HandshakeError, "cmd=barrier_out was expected");
  assertEquals(launcher.heard.filter((line) => line === "cmd=barrier_in").length, 1);
  await one!.abort(1, "no");
  await aborted.promise;
  await one!.close();
  await launcher.stop();
});

Deno.test("PMI: lost() settles and calls reject when the launcher goes away", async () => {
  const launcher = await FakeLauncher.start(2);
  const [one, other] = await join(launcher, 2);
  const pending = assertRejects(() => one!.barrier(), LamellarError, "was closed");
  await other!.close();
  for (const socket of launcher.sockets) socket.end();
  await pending;
  const error = await lossOf(one!);
  assertEquals((error as LamellarError).code, "ERR_LAUNCHER_LOST");
  assertStringIncludes(error.message, "The connection to the launcher (PMI_PORT=127.0.0.1:");
  await one!.close();
  await launcher.stop();
});

Deno.test("PMI: lost() does not settle by close(), which is idempotent", async () => {
  const launcher = await FakeLauncher.start(1);
  const [one] = await join(launcher, 1);
  const lost = one!.lost().then(() => "lost");
  await Promise.all([one!.close(), one!.close()]);
  await one!.close();
  assertEquals(launcher.heard.filter((line) => line === "cmd=finalize").length, 1);
  const turn = new Promise((resolve) => setTimeout(resolve, 20, "kept"));
  assertEquals(await Promise.race([lost, turn]), "kept");
  await assertRejects(() => one!.barrier(), LamellarError, "The bootstrap is closed");
  await launcher.stop();
});

Deno.test("PMI: abort() tells the exit code, and the reason to our own launcher only", async () => {
  for (const agent of ["other", "lamellar"] as const) {
    const heard = Promise.withResolvers<string>();
    const launcher = await FakeLauncher.start(1, (line) => {
      if (line.startsWith("cmd=abort")) heard.resolve(line);
      return undefined;
    });
    const one = await startPmi({ ...AGENT, agent, env: launcher.env(0) });
    await one.abort(7, "a = b \ud800");
    const reason = agent === "other" ? "" : " msg=a%20%3D%20b%20%EF%BF%BD";
    assertEquals(await heard.promise, `cmd=abort exitcode=7${reason}`);
    await one.close();
    await one.abort(7, "too late, and no error");
    await launcher.stop();
  }
});

Deno.test("PMI: an environment that names no launcher is refused with what to do", async () => {
  const start = (values: Record<string, string>) =>
    startPmi({ ...AGENT, env: (name) => values[name] });
  const advice = "; start the program by mpiexec.hydra, srun --mpi=pmi2 or scripts/launch.ts";
  const cases: [Record<string, string>, string][] = [
    [{}, "neither PMI_FD nor PMI_PORT is set"],
    [{ PMI_FD: "six" }, 'PMI_FD is "six", which is not a descriptor'],
    [{ PMI_PORT: "here" }, 'PMI_PORT is "here" and PMI_ID not set'],
    [{ PMI_PORT: "h:1", PMI_ID: "x" }, 'PMI_PORT is "h:1" and PMI_ID x'],
  ];
  for (const [values, what] of cases) {
    const error = await assertRejects(() => start(values), FeatureLevelError);
    assertEquals(error.message, `Cannot start by PMI: ${what}${advice}`);
  }
});

/** What a launcher may say wrongly, and how that is refused. */
const WRONG: readonly (readonly [string, string, string])[] = [
  ["initack", "cmd=initack rc=0\ncmd=set size=0\n", 'sent size="0" in cmd=set'],
  ["initack", "cmd=initack rc=0\ncmd=set size=2\ncmd=set rank=2\ncmd=set debug=0\n", "rank 2 of 2"],
  ["initack", "cmd=initack rc=0\ncmd=set size=99999999\ncmd=set rank=2\n\n", "is not a field"],
  ["init", "cmd=response_to_init rc=-1 msg=no\n", "cmd=response_to_init rc=-1 no"],
  ["init", "cmd=response_to_init pmi_version=0 rc=0\n", 'pmi_version="0"'],
  ["get_maxes", "cmd=maxes vallen_max=8\n", "at least 16 was expected"],
  ["get_maxes", "cmd=maxes cmd=maxes\n", "twice"],
  ["get_my_kvsname", "cmd=barrier_out\n", "cmd=my_kvsname was expected"],
  ["get_my_kvsname", "cmd=my_kvsname\n", "no name of the job"],
  ["get_my_kvsname", "x".repeat(20_000), "a line of more than 16384 bytes"],
  ["get_my_kvsname", "\n", "is not a field"],
  ["put", "cmd=put_result rc=1\n", "cmd=put_result rc=1"],
  ["barrier_in", "cmd=get_result value=1\n", "cmd=barrier_out was expected"],
  ["get", "cmd=get_result rc=0\n", "not a text of this library"],
  ["get", "cmd=get_result rc=0 value=000000040000\n", "cannot be read"],
  ["get", "cmd=get_result rc=0 value=00000001ff\n", "cannot be read"],
  ["get", "cmd=get_result rc=0 value=7fffffffff\n", "not a text of this library"],
];

for (const [command, answer, message] of WRONG) {
  const shown = JSON.stringify(answer.slice(0, 60));
  Deno.test(`PMI: the answer ${shown} to ${command} is refused`, async () => {
    const launcher = await FakeLauncher.start(
      2,
      (line) =>
        line.startsWith(`cmd=${command} `) || line === `cmd=${command}` ? answer : undefined,
    );
    const error = await assertRejects(() => start(launcher), HandshakeError);
    assertStringIncludes(error.message, message);
    await launcher.stop();
  });
}

/** One of two processes joins and exchanges; the launcher plays the other. */
async function start(launcher: FakeLauncher): Promise<void> {
  const both = await Promise.all(
    [0, 1].map((rank) => startPmi({ ...AGENT, env: launcher.env(rank) })),
  );
  try {
    await Promise.all(both.map((one) => one.exchange("x")));
  } finally {
    await Promise.all(both.map((one) => one.close()));
  }
}

Deno.test("PMI: 500 launchers that answer nonsense give typed errors, and no hang", async () => {
  const nonsense = new Nonsense();
  const pieces = ["cmd=", "rc=0 ", "rc=", "value=", "\n", " ", "=", "\0", "ü", "size=1", "set "];
  for (let round = 0; round < 500; round++) {
    const wrong = nonsense.below(6);
    const launcher = await FakeLauncher.start(
      1,
      (_, step) => step === wrong ? `${nonsense.of(pieces, 12)}\n` : undefined,
    );
    const error = await startPmi({ ...AGENT, env: launcher.env(0) })
      .then((one) => one.exchange("x").finally(() => one.close()))
      .then(() => undefined, (error) => error);
    const right = error instanceof LamellarError && !(error instanceof TimeoutError);
    assert(right, `round ${round} of seed ${nonsense.seed}: ${error}`);
    await launcher.stop();
  }
});
