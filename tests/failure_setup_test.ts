import { assert, assertEquals, assertMatch } from "@std/assert";
import { runSource } from "./support/inline.ts";
import type { RunOptions } from "./support/run.ts";

const IMPORT = `import { am, LamellarWorldBuilder, u32 } from "MOD";\n`;
const BUILD = `await using world = await new LamellarWorldBuilder().build();\n`;
/** The number of the PE where there is no world yet, so that PEs can differ. */
const MY_PE = `const myPe: number = globalThis[Symbol.for("lamellar.pe")].lamella.pe;\n`;

/** A broken program, the report it deserves, and how it is run. */
interface Broken {
  readonly what: string;
  readonly source: string;
  readonly report: RegExp;
  readonly options?: Partial<RunOptions>;
}

const BROKEN: readonly Broken[] = [
  {
    what: "a syntax error",
    source: `${IMPORT}const x = = 3;`,
    report: /^lamellar: PE \d failed: .*SyntaxError: Expression expected[^]*program\.ts:2:1\d/,
  },
  {
    what: "an import of a file that does not exist",
    source: `import "./nothing_here.ts";\n${IMPORT}${BUILD}`,
    report: /^lamellar: PE \d failed: .*Module not found "file:.*nothing_here\.ts"/,
  },
  {
    what: "an import of what the library does not export",
    source: `import { nothing } from "MOD";\nconsole.log(nothing);`,
    report: /^lamellar: PE \d failed: SyntaxError: .*does not provide an export named 'nothing'/,
  },
  {
    what: "an error before the world is built",
    source: `throw new Error("before the world");`,
    report: /^lamellar: PE \d failed: Error: before the world\n +at /,
  },
  {
    what: "an error inside the scope of its world",
    source: `${IMPORT}{ ${BUILD} if (world.myPe === 1) null.foo(); }`,
    report: /^lamellar: PE 1 failed: TypeError: .*reading 'foo'/,
  },
  {
    what: "two AMs of one name",
    source: `${IMPORT}am("A", {}, () => {});\nam("A", {}, () => {});\n${BUILD}`,
    report: /^lamellar: PE \d failed: TypeError: Cannot define AM "A": another AM has this name\n/,
  },
  {
    what: "AMs that differ between its PEs",
    source: `${IMPORT}${MY_PE}am(myPe === 1 ? "One" : "Other", { x: u32 }, () => {});\n${BUILD}`,
    report: new RegExp(
      "^lamellar: PE \\d failed: HandshakeError: The PEs define different AMs: " +
        'PE 0, 2 lacks? "One" .*; PE 1 lacks? "Other" ',
    ),
  },
  {
    what: "static fields that differ between its PEs",
    source: `${IMPORT}${MY_PE}import { staticField } from "MOD";
      am("A", { x: myPe === 1 ? staticField(u32) : u32 }, () => {});\n${BUILD}`,
    report: new RegExp(
      "^lamellar: PE \\d failed: HandshakeError: The PEs define different AMs: " +
        'PE 0, 2 lacks? "A" \\(schema {x:u32} with static "x"\\); PE 1 lacks? "A" \\(',
    ),
  },
  {
    what: "collectives that differ between its PEs",
    source: `${IMPORT}${BUILD}if (world.myPe === 1) world.allocSharedMemRegion("u8", 8).block();
      else world.barrier();`,
    report: new RegExp(
      "^lamellar: PE (\\d) failed: CollectiveMismatchError: PE \\1 called \\w+.* " +
        "as collective number 2 of the world where PE \\d called \\w+",
    ),
  },
  {
    what: "a PE that ends without a world while the others wait for it",
    source: `${IMPORT}${MY_PE}if (myPe !== 1) await new LamellarWorldBuilder().build();`,
    report: /^lamellar: PE 1 failed: its program ended without building a world, and PE \d built/,
  },
  {
    what: "a PE that exits with 0 before it builds the world of the others",
    source: `${IMPORT}${MY_PE}if (myPe === 1) Deno.exit(0);\n${BUILD}`,
    report: /^lamellar: PE 1 failed: its program ended without building a world, and PE \d built/,
  },
  {
    what: "a second world",
    source: `${IMPORT}${BUILD}await new LamellarWorldBuilder().build();`,
    report: /^lamellar: PE \d failed: LamellarError: Cannot build a second world in one program\n/,
  },
  {
    what: "a number of PEs that is not the launcher's",
    source: `${IMPORT}await new LamellarWorldBuilder().withNumPes(2).build();`,
    report: /^lamellar: PE \d failed: HandshakeError: .*2 PEs and 3 were started: use -n 2\n/,
  },
  {
    what: "a heap that is exhausted",
    source: `${IMPORT}${BUILD}world.allocSharedMemRegion("u8", 2 ** 20).block();
      world.allocSharedMemRegion("u8", 2 ** 30).block();`,
    report:
      /^lamellar: PE \d failed: OutOfMemoryError: Cannot allocate 10737\d+ bytes .* 2097152 conf/,
    options: { launcherFlags: ["--heap", "2M"] },
  },
];

for (const { what, source, report, options } of BROKEN) {
  Deno.test(`${what} ends the job with one clear line`, async () => {
    const { code, signal, stderr, stdout } = await runSource(source, options);
    assertMatch(stderr, report);
    assertEquals(stderr.match(/^lamellar: /gm)?.length, 1, stderr);
    assertEquals([code, signal, stdout], [1, null, ""]);
  });
}

Deno.test("an unhandled rejection that the program looks after does not end it", async () => {
  const source = `addEventListener("unhandledrejection", (event) => {
      console.log("looked after", event.reason.message);
      event.preventDefault();
    });
    Promise.reject(new Error("spared"));
    await new Promise((resolve) => setTimeout(resolve, 10));
    Deno.exit(0);`;
  const { code, stdout, stderr } = await runSource(source, { pes: 1 });
  assertEquals([code, stdout, stderr], [0, "looked after spared\n", ""]);
});

Deno.test("a PE that runs out of memory ends the job, with the reason that V8 gives", async () => {
  const source = `${IMPORT}${BUILD}
    if (world.myPe !== 1) world.barrier();
    const kept: unknown[] = [];
    for (;;) kept.push(new Array(1e6).fill({}));`;
  const { code, signal, stderr } = await runSource(source, {
    flags: ["-A", "--v8-flags=--max-old-space-size=100"],
  });
  assert(code !== 0 && signal !== "SIGKILL", `${code} ${signal}`);
  assertMatch(stderr, /out of memory/);
});
