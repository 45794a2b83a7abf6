import { assertEquals } from "@std/assert";
import { runSource } from "./support/inline.ts";

/** How a program ends, and the exit code of its job. */
const ENDS: readonly (readonly [string, number])[] = [
  ["Deno.exit(0)", 0],
  ["Deno.exit(7)", 7],
  ["Deno.exit(256)", 1],
  ["Deno.exit(259)", 3],
  ["Deno.exit(-1)", 255],
  ["Deno.exit(-256)", 1],
  ["Deno.exit(2 ** 32)", 1],
  ["Deno.exit(NaN)", 1],
  ["Deno.exit(1.5)", 1],
  ["Deno.exit('x')", 1],
  ["Deno.exitCode = 256", 1],
  ["Deno.exitCode = -1; Deno.exit()", 255],
  ["(await import('node:process')).default.exit(512)", 1],
  ["(await import('node:process')).default.exitCode = 256", 1],
];

/** A job of one process, by itself and launched, and one of two. */
const JOBS = {
  "by itself": { launcher: false, pes: 1 },
  "with the launcher": { pes: 2 },
  "in two processes": { pes: 2, launcherFlags: ["--processes", "2"] },
} as const;

for (const [job, options] of Object.entries(JOBS)) {
  Deno.test(`a job whose program asks for another exit code than 0 has one (${job})`, async () => {
    for (const [end, expected] of ENDS) {
      const source = `import { LamellarWorldBuilder } from "MOD";
        const world = await new LamellarWorldBuilder().build();
        await world.close();
        ${end};`;
      const { code, stderr } = await runSource(source, options);
      assertEquals(code, expected, `${end}: ${stderr}`);
    }
  });
}
