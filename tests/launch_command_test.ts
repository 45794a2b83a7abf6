import { assert, assertEquals, assertMatch } from "@std/assert";
import { programUrl, ROOT } from "./support/paths.ts";
import { repositoryPath, runSource } from "./support/inline.ts";
import { LAUNCHER, runProgram, startCommand, startDeno } from "./support/run.ts";

const HELLO = repositoryPath("examples/hello.ts");

/** Refused command lines, and what is said. */
const REFUSED: readonly (readonly [string, RegExp])[] = [
  ["-n 0 app.ts", /^-n must be a whole number from 1 to 256, got "0"$/],
  ["-n 4x app.ts", /^-n must be a whole number from 1 to 256, got "4x"$/],
  ["--pes=257 app.ts", /^--pes must be a whole number from 1 to 256, got "257"$/],
  ["-n", /^Option -n needs a value$/],
  ["-np 0 app.ts", /^-np must be a whole number from 1 to 256, got "0"$/],
  ["-n=x app.ts", /^-n must be a whole number from 1 to 256, got "x"$/],
  ["--frobnicate app.ts", /^Unknown option --frobnicate; there are -n, .*--version, and flags of /],
  ["--proceses 2 app.ts", /^Unknown option --proceses; did you mean --processes\?$/],
  ["-hosts a,b app.ts", /^Unknown option -hosts; did you mean --hosts\?$/],
  ["--backend mpi app.ts", /^--backend must be local, shmem or rofi, got "mpi"$/],
  ["--heap 5x app.ts", /^--heap must be a number of bytes from 64K to 16G, got "5x"$/],
  ["--heap 17G app.ts", /^--heap must be a number of bytes from 64K to 16G, got "17G"$/],
  [
    `-n 4 --heap 5G ${HELLO}`,
    /^Cannot reserve 21\d+ bytes for 4 PEs with a heap of 5368709120 bytes each: one process can /,
  ],
  ["no_such_program.ts", /^Cannot run no_such_program\.ts: there is no file \/.*m\.ts$/],
  ["/no/such/program.ts", /^Cannot run \/no\/such\/program\.ts: there is no such file$/],
  ["file:///no/such.ts", /^Cannot run file:.*: there is no file \/no\/such\.ts$/],
  [
    "file://host/such.ts",
    /^Cannot run file:\/\/host\/such\.ts: it does not name a file of this machine$/,
  ],
  ["examples/hello", /^Cannot run examples\/hello: .*; did you mean examples\/hello\.ts\?$/],
  ["examples/hello.ts/x", /^Cannot run examples\/hello\.ts\/x: Not a directory .*x'$/],
  ["examples", /^Cannot run examples: \/.*\/examples is a folder$/],
  ["/dev/null", /^Cannot run \/dev\/null: it is not a file$/],
  ["http://", /^Cannot run http:\/\/: it is not a URL$/],
  ["-n4 --processes 3 --exec true", /^Cannot divide 4 PEs evenly among 3 processes$/],
  ["--hosts a,b --exec true", /^Cannot tell the number of PEs: give -n, --processes or /],
  ["-n9 --hosts a:2,b:2 --exec true", /^Cannot divide 9 PEs evenly among 2 hosts$/],
  ["--processes=9 --hosts a:2,b:2 --exec true", /^Cannot place 9 PEs: the hosts have 4 slots$/],
  ["--hostfile no_such_file --exec true", /^Cannot read the host file no_such_file: No such file/],
  ["--processes 2 --exec", /^Option --exec needs a command$/],
  ["--processes 2 -x NOT_SET --exec true", /^Cannot pass NOT_SET: it is not set, or may not be /],
  ["--backend local --processes 2 app.ts", /^Cannot start several processes on the local lamella/],
  ["-x PATH app.ts", /^Options -x and --allow-… only apply to several processes; add --processes /],
];

function launch(args: readonly string[], env: Record<string, string> = {}, flags = ["-A"]) {
  const command = ["run", "--no-prompt", ...flags, LAUNCHER, ...args];
  return startDeno(command, { env, cwd: repositoryPath(".") }).result;
}

for (const [args, message] of REFUSED) {
  const shown = args.replace(HELLO, "examples/hello.ts");
  Deno.test(`launch.ts ${shown} says what is wrong in one line and exits with 2`, async () => {
    const { code, stdout, stderr } = await launch(args.split(" "));
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^lamellar: .*\n$/);
    assertMatch(stderr.slice("lamellar: ".length, -1), message);
  });
}

Deno.test("launch.ts names the variable that cannot be used", async () => {
  for (
    const [name, value] of [
      ["LAMELLAR_PES", "many"],
      ["LAMELLAR_HEAP_SIZE", "lots"],
      ["LAMELLAR_RING_SIZE", "5000"],
      ["LAMELLAR_AM_SIZE_THRESHOLD", "-1"],
      ["LAMELLAR_BARRIER_DISSEMINATION_FACTOR", "0"],
      ["LAMELLAR_SPIN", "1.5"],
      ["LAMELLAR_DEADLOCK_WARNING_TIMEOUT", "soon"],
      ["LAMELLAR_DEADLOCK_TIMEOUT", "-3"],
      ["LAMELLAR_LABEL", "maybe"],
      ["LAMELLAR_CLOSURES", "2"],
      ["LAMELLAR_BACKEND", "mpi"],
    ] as const
  ) {
    const { code, stdout, stderr } = await launch([HELLO], { [name]: value });
    assertEquals([code, stdout], [2, ""], name);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
    assert(stderr.startsWith(`lamellar: ${name} must be `), stderr);
    assert(stderr.endsWith(`got ${JSON.stringify(value)}\n`), stderr);
  }
});

Deno.test("a program that runs by itself says in one line what cannot be used", async () => {
  for (
    const [name, value, message] of [
      ["LAMELLAR_PES", "abc", /^LAMELLAR_PES must be a whole number from 1 to 256, got "abc"$/],
      ["LAMELLAR_HEAP_SIZE", "900G", /^LAMELLAR_HEAP_SIZE must be .* to 16G, got "900G"$/],
      [
        "LAMELLAR_HEAP_SIZE",
        "16G",
        /^Cannot reserve \d+ bytes .*; lower LAMELLAR_HEAP_SIZE .* to \d/,
      ],
      ["LAMELLAR_BOOTSTRAP", "x", /^LAMELLAR_BOOTSTRAP must be pmi, pmix, rendezvous or alone/],
      ["LAMELLAR_BOOTSTRAP", "rendezvous", /^A rendezvous needs LAMELLAR_RENDEZVOUS, /],
      ["LAMELLAR_ROFI_PROVIDER", "nix", /^Cannot use provider nix: /],
    ] as const
  ) {
    const env = { [name]: value, ...name.includes("ROFI") ? { LAMELLAR_BACKEND: "rofi" } : {} };
    const { code, stdout, stderr } = await runProgram({ program: HELLO, pes: 2, env });
    assertEquals([code, stdout], [2, ""], name);
    assertMatch(stderr, /^lamellar: .*\n$/);
    assertMatch(stderr.slice("lamellar: ".length, -1), message);
  }
});

Deno.test("a job of several processes starts where PATH leads nowhere", async () => {
  const args = ["-n2", "--processes", "2", HELLO, "100"];
  const { code, stdout, stderr } = await launch(args, { PATH: "/nonexistent" });
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^Hello from PE 1 to PE 0 of 2$/m);
});

Deno.test("launch.ts warns of a variable that is misspelt", async () => {
  const { code, stderr } = await launch(["-n1", HELLO, "100"], { LAMELLAR_LABLE: "1" });
  assertEquals(code, 0);
  assertMatch(stderr, /^lamellar: Environment variable LAMELLAR_LABLE is not known.*LABEL\?\n$/);
});

Deno.test("launch.ts --help and --version tell and exit with 0", async () => {
  const help = await launch(["--help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
  for (const option of ["--pes", "--label", "--heap", "--help", "--version"]) {
    assert(help.stdout.includes(option), help.stdout);
  }
  const version = await launch(["--version"]);
  const { version: expected } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  assertEquals([version.code, version.stdout], [0, `lamellar ${expected}\n`]);
});

Deno.test("launch.ts without a program runs the demonstration on every core", async () => {
  const { code, stdout, stderr } = await launch([]);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /There are 1,270,607 primes below 20,000,000\./);
  for (let pe = 0; pe < navigator.hardwareConcurrency; pe++) {
    assertMatch(stdout, new RegExp(`^Hello from PE ${pe} `, "m"));
  }
});

Deno.test("deno task run:local takes options, program and arguments", async () => {
  const args = ["task", "run:local", "-n", "3", "tests/programs/arguments.ts", "-n", "a b", "--x"];
  const { code, stdout } = await startDeno(args, { cwd: repositoryPath(".") }).result;
  assertEquals(code, 0);
  const lines = stdout.trim().split("\n").sort();
  assertEquals(lines, [0, 1, 2].map((pe) => `PE ${pe} of 3 has ["-n","a b","--x"]`));
});

Deno.test("deno task run:local runs in the folder it is called from", async () => {
  const folder = await Deno.makeTempDir({ prefix: "lamellar test ü " });
  try {
    const source = `import { LamellarWorldBuilder } from ${
      JSON.stringify(import.meta.resolve("../mod.ts"))
    };
      await using _world = await new LamellarWorldBuilder().build();
      console.log(Deno.cwd(), JSON.stringify(Deno.args));`;
    await Deno.writeTextFile(`${folder}/my äpp.ts`, source);
    // A task that runs inside another task keeps that one's folder.
    const task = ["env", "-u", "INIT_CWD", Deno.execPath(), "task", "--quiet", "--config"];
    const run = (...args: string[]) =>
      startCommand([...task, repositoryPath("deno.json"), "run:local", ...args], { cwd: folder })
        .result;
    for (const path of ["my äpp.ts", "./my äpp.ts", `../${folder.split("/").at(-1)}/my äpp.ts`]) {
      const { code, stdout, stderr } = await run("-n2", path, "-n", "a b");
      assertEquals([code, stderr], [0, ""], path);
      assertEquals(stdout, `${folder} ["-n","a b"]\n`.repeat(2));
    }
    const { code, stderr } = await run("-n2", "your app.ts");
    const tried = `lamellar: Cannot run your app.ts: there is no file ${folder}/your app.ts\n`;
    assertEquals([code, stderr], [2, tried]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a program that runs by itself becomes as many PEs as LAMELLAR_PES says", async () => {
  const program = programUrl("arguments.ts");
  const { code, stdout } = await runProgram({ program, pes: 2, args: ["one"] });
  assertEquals(code, 0);
  assertEquals(stdout.trim().split("\n").sort(), [
    'PE 0 of 2 has ["one"]',
    'PE 1 of 2 has ["one"]',
  ]);
});

Deno.test("the launcher runs the top level of a program once on each PE", async () => {
  const source = `console.log("top level");\nDeno.exit(0);`;
  const { code, stdout } = await runSource(source, { pes: 3 });
  assertEquals([code, stdout], [0, "top level\n".repeat(3)]);
});

Deno.test("the least permissions do, and a missing one is named without a prompt", async () => {
  const here = repositoryPath(".");
  const enough = await launch(["-n2", HELLO, "100"], {}, [`--allow-read=${here}`]);
  assertEquals([enough.code, enough.stderr], [0, ""]);
  const none = await launch(["-n2", HELLO, "100"], {}, []);
  assertEquals([none.code, none.stdout], [2, ""]);
  assertMatch(none.stderr, /^lamellar: Cannot start PEs from .*run with --allow-read\n$/);
  const little = await launch(["-n2", HELLO, "100"], {}, [`--allow-read=${HELLO}`]);
  assertEquals([little.code, little.stdout], [2, ""]);
  assertMatch(little.stderr, /^lamellar: Cannot start PEs from .*boot\.ts: .*--allow-read\n$/);
  const alone = await startDeno(["run", "--no-prompt", HELLO]).result;
  assertEquals([alone.code, alone.stdout], [2, ""]);
  assertMatch(alone.stderr, /^lamellar: Cannot start PEs from .*run with --allow-read\n$/);
});
