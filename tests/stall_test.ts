import { assert, assertEquals, assertMatch } from "@std/assert";
import { runSource } from "./support/inline.ts";
import { ROOT } from "./support/paths.ts";
import type { RunOptions, RunResult } from "./support/run.ts";

/** How long a job may go on once it is stuck: a second, and twice as much for a busy machine. */
const END_MS = 3000;
/** How long what is not stuck takes here: more than a stuck job lives. */
const LONG_MS = 2500;

const NOTHING = "a promise that nothing can settle any more";

/** Runs three PEs: PE 1 does the one, the others do the other. */
function run(
  one: string,
  others: string,
  options: Partial<RunOptions> = {},
): Promise<RunResult> {
  return runSource(
    `
    import { am, LamellarWorldBuilder, u32 } from "MOD";
    const Late = am("Late", { from: u32 }, () =>
      new Promise<void>((resolve) => setTimeout(resolve, ${LONG_MS})));
    let settle: () => unknown;
    const Settle = am("Settle", { from: u32 }, () => void settle());
    const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const never = () => new Promise<void>(() => {});
    await using world = await new LamellarWorldBuilder().build();
    const words = await world.allocSharedMemRegion("i32", 1);
    world.barrier();
    const began = Date.now();
    if (world.myPe === 1) { ${one} } else { ${others} }
    if (world.myPe === 1) console.log("after " + (Date.now() - began));
    void [Late, Settle, sleep, never, words];
    `,
    // What is downloaded here is not for the lock file of the repository.
    { flags: ["-A", "--no-lock"], env: { LAMELLAR_DEADLOCK_TIMEOUT: "15" }, ...options },
  );
}

const AT_END = "at the end of its program, waiting for all programs to end \\(PE 1\\)";

/** What PE 1 does, what the others do, and what the job says. */
const STUCK: readonly (readonly [string, string, string, string])[] = [
  [
    "a PE awaits what nothing settles, the others have ended",
    "await never();",
    "",
    `PE 1 never finishes: its program awaits ${NOTHING}; PE 0, 2: ${AT_END}`,
  ],
  [
    "a PE awaits what nothing settles, the others block in a barrier",
    "await never();",
    "world.barrier();",
    `PE 1 never finishes: its program awaits ${NOTHING}; ` +
    "PE 0, 2: waiting for a barrier \\(PE 1\\)",
  ],
  [
    "a PE awaits what nothing settles, the others await a barrier",
    "await never();",
    "await world.asyncBarrier();",
    `PE 1 never finishes: its program awaits ${NOTHING}; ` +
    "PE 0, 2: waiting for a barrier \\(PE 1\\)",
  ],
  [
    "all PEs await what nothing settles",
    "await never();",
    "const main = async () => { await null; await never(); }; await main();",
    `PE 0-2 never finish: their programs await ${NOTHING}`,
  ],
  [
    "a PE awaits what nothing settles after what came",
    "console.log('x'); await sleep(300); await fetch('data:,x'); await never();",
    "",
    `PE 1 never finishes: its program awaits ${NOTHING}; PE 0, 2: ${AT_END}`,
  ],
  [
    "a PE awaits several things that nothing settles, the others have ended",
    "await Promise.race([never(), (async () => { await null; await never(); })()]);",
    "",
    `PE 1 never finishes: its program awaits ${NOTHING}; PE 0, 2: ${AT_END}`,
  ],
  [
    "a PE awaits what nothing settles, another blocks for a signal of it",
    "await never();",
    "if (world.myPe === 0) words.waitUntil(0, '==', 1).block();",
    `PE 1 never finishes: its program awaits ${NOTHING}; ` +
    `PE 0: waiting for a value in a region; PE 2: ${AT_END}`,
  ],
];

for (const [what, one, others, verdict] of STUCK) {
  Deno.test(`a job in which ${what} ends within seconds and says so`, async () => {
    const { code, signal, stderr, ms } = await run(one, others);
    assertMatch(stderr, new RegExp(`^lamellar: ${verdict}\\n$`));
    assertEquals([code, signal], [1, null]);
    assert(ms < END_MS + 2000, `ended after ${ms} ms`);
  });
}

/** What takes long but comes, on PE 1; the others wait at the end of their programs. */
const COMES: Record<string, string> = {
  "a timer": "await sleep(LONG);",
  "a timer that keeps nothing alive": `
    await new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, LONG)));`,
  "an abort signal": `const signal = AbortSignal.timeout(LONG);
    await new Promise<void>((resolve) => signal.onabort = () => resolve());`,
  "a child process": `await new Deno.Command("sleep", { args: ["2.5"] }).output();`,
  "a request": `const server = Deno.serve({ port: 0, onListen: () => {} }, async () => {
      await sleep(LONG);
      return new Response("");
    });
    await (await fetch("http://127.0.0.1:" + server.addr.port)).text();
    await server.shutdown();`,
  "a connection": `using listener = Deno.listen({ port: 0 });
    new Deno.Command("bash", { args: ["-c", "sleep 2.5; : > /dev/tcp/127.0.0.1/" +
      (listener.addr as Deno.NetAddr).port] }).spawn();
    (await listener.accept()).close();`,
  "a Worker": `const worker = new Worker("data:text/javascript," +
      "setTimeout(() => postMessage(1), " + LONG + ")", { type: "module" });
    await new Promise((resolve) => worker.onmessage = resolve);
    worker.terminate();`,
  "a MessagePort": `const worker = new Worker("data:text/javascript," +
      "onmessage = (event) => setTimeout(() => event.data.postMessage(1), " + LONG + ")",
      { type: "module" });
    const { port1, port2 } = new MessageChannel();
    worker.postMessage(port2, [port2]);
    await new Promise((resolve) => port1.onmessage = resolve);
    worker.terminate();`,
  "a BroadcastChannel": `const [one, two] = [0, 1].map(() => new BroadcastChannel("x"));
    const worker = new Worker("data:text/javascript,setTimeout(() => new BroadcastChannel('x')" +
      ".postMessage(1), " + LONG + ")", { type: "module" });
    await new Promise((resolve) => one!.onmessage = resolve);
    worker.terminate();
    one!.close();
    two!.close();`,
  "a nonblocking foreign call": `const libc = Deno.dlopen("libc.so.6", {
      usleep: { parameters: ["u32"], result: "i32", nonblocking: true } });
    await libc.symbols.usleep(LONG * 1000);`,
  "a module that is downloaded": `const server = Deno.serve({ port: 0, onListen: () => {} },
      async () => {
        await sleep(LONG);
        const headers = { "content-type": "text/javascript" };
        return new Response("export {}", { headers });
      });
    await import("http://127.0.0.1:" + server.addr.port + "/late.js");
    await server.shutdown();`,
  "a word of shared memory": `const words = new Int32Array(new SharedArrayBuffer(4));
    await Atomics.waitAsync(words, 0, 0, LONG).value;`,
  "a module that takes long": `
    await import("data:text/javascript,await new Promise((r) => setTimeout(r, " + LONG + "))");`,
  "a file": `const fifo = Deno.makeTempDirSync() + "/fifo";
    new Deno.Command("mkfifo", { args: [fifo] }).outputSync();
    const later = "(sleep 2.5; echo 1 > " + fifo + ") > /dev/null 2>&1 &";
    new Deno.Command("bash", { args: ["-c", later] })
      .outputSync();
    await Deno.readTextFile(fifo);
    Deno.removeSync(fifo.slice(0, -5), { recursive: true });`,
  "a task beside it": `let settle: () => void;
    (async () => {
      const words = new Int32Array(new SharedArrayBuffer(4));
      await Atomics.waitAsync(words, 0, 0, LONG).value;
      settle();
    })();
    await new Promise<void>((resolve) => settle = resolve);`,
  "the compiler of WebAssembly": `const leb = (n: number) => [
      ...[0, 7, 14].map((shift) => 128 | (n >> shift) & 127), n >> 21];
    const section = (id: number, bytes: number[]) => [id, ...leb(bytes.length), ...bytes];
    const body = [0, ...new Array(5000).fill([0x41, 1, 0x1a]).flat(), 0x0b];
    const functions = 200;
    const code = new Array(functions).fill([...leb(body.length), ...body]).flat();
    const module = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
      ...section(1, [1, 0x60, 0, 0]),
      ...section(3, [...leb(functions), ...new Array(functions).fill(0)]),
      ...section(10, [...leb(functions), ...code])]);
    const end = Date.now() + LONG;
    while (Date.now() < end) await WebAssembly.compile(module);`,
  "keys": `const { generateKey } = crypto.subtle;
    const end = Date.now() + LONG;
    const rsa = { name: "RSA-OAEP", modulusLength: 2048, hash: "SHA-1",
      publicExponent: new Uint8Array([1, 0, 1]) };
    while (Date.now() < end) {
      await generateKey.call(crypto.subtle, rsa, false, ["encrypt", "decrypt"]);
    }`,
  "an async handler of another PE": "await world.execAmPe(0, Late({ from: 1 }));",
  "an async handler of its own": "await world.execAmPe(1, Late({ from: 1 }));",
  "an AM of another PE that settles it": `
    await new Promise<void>((resolve) => settle = resolve);`,
};

for (const [what, code] of Object.entries(COMES)) {
  Deno.test(`a PE that awaits ${what} is not taken for stuck`, async () => {
    const others = what.startsWith("an AM")
      ? `if (world.myPe === 0) { await sleep(${LONG_MS}); world.execAmPe(1, Settle({ from: 0 })); }`
      : "";
    const result = await run(code.replaceAll("LONG", String(LONG_MS)), others);
    assertEquals([result.code, result.stderr], [0, ""]);
    const after = Number(/^after (\d+)$/m.exec(result.stdout)?.[1]);
    assert(after > LONG_MS - 100, `awaited for ${after} ms only`);
  });
}

Deno.test("a PE that awaits its standard input is not taken for stuck", async () => {
  // The text comes from a process that no PE waits for.
  const args = JSON.stringify(["-c", "(sleep 2.5; echo now) &"]);
  const { code, stdout, stderr } = await run(
    `await new Deno.Command("bash", { args: ${args}, stdout: "inherit" }).spawn().status;`,
    `if (world.myPe === 0) console.log((await new Response(Deno.stdin.readable).text()).trim());`,
    { stdin: "said", stdinAfter: "now" },
  );
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^after \d+\nnow\nsaid\n$/);
});

Deno.test("a PE that awaits the collector of garbage is not taken for stuck", async () => {
  const { code, stderr } = await run(
    `await new Promise((resolve) => {
      const registry = new FinalizationRegistry(resolve);
      Object.assign(globalThis, { registry });
      registry.register({}, 1);
    });`,
    "",
  );
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("a program whose world another module builds is not taken for stuck", async () => {
  const builder = "data:text/javascript," + encodeURIComponent(
    `import { LamellarWorldBuilder } from "${new URL("mod.ts", ROOT).href}";
    export const world = await new LamellarWorldBuilder().build();`,
  );
  const { code, stdout, stderr } = await runSource(`
    import { world } from "${builder}";
    void world;
    const words = new Int32Array(new SharedArrayBuffer(4));
    await Atomics.waitAsync(words, 0, 0, ${LONG_MS}).value;
    console.log("late");
  `);
  assertEquals([code, stdout, stderr], [0, "late\n".repeat(3), ""]);
});

/** What a handler starts is not the program's. */
const SETTLE = "if (world.myPe === 0) await world.execAmPe(1, Settle({ from: 0 }));";

/** What a PE may do that awaits for ever, or another while it does. */
const GOES_ON: Record<string, readonly [string, string]> = {
  "has a timer": [
    `settle = () => setTimeout(() => console.log("done"), LONG); await never();`,
    SETTLE,
  ],
  "has an operation under way": [
    `const libc = Deno.dlopen("libc.so.6", {
      usleep: { parameters: ["u32"], result: "i32", nonblocking: true } });
    settle = () => libc.symbols.usleep(LONG * 1000).then(() => console.log("done"));
    await never();`,
    SETTLE,
  ],
  "answers another": [
    "await never();",
    `if (world.myPe === 0) {
      await world.execAmPe(1, Late({ from: 0 }));
      console.log("done");
    }`,
  ],
  "is awaited by one that serves requests": [
    "await never();",
    `if (world.myPe === 0) {
      const server = Deno.serve({ port: 0, onListen: () => {} }, () => new Response("done"));
      await Promise.race([world.asyncBarrier(), sleep(LONG)]);
      console.log(await (await fetch("http://127.0.0.1:" + server.addr.port)).text());
      await server.shutdown();
    } else await world.asyncBarrier();`,
  ],
  "is waited for by one that blocks for a limited time": [
    "await never();",
    `if (world.myPe === 0) {
      try {
        words.waitUntil(0, "==", 1, { timeoutMs: LONG }).block();
      } catch {
        console.log("done");
      }
    }`,
  ],
};

for (const [what, [one, others]] of Object.entries(GOES_ON)) {
  Deno.test(`a job goes on while a lost PE ${what}, and ends then`, async () => {
    const long = String(LONG_MS);
    const result = await run(one.replaceAll("LONG", long), others.replaceAll("LONG", long));
    assertEquals([result.code, result.stdout], [1, "done\n"]);
    assertMatch(result.stderr, /^lamellar: PE 1 never finishes: /);
  });
}
