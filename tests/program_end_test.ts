import { assert, assertEquals, assertMatch } from "@std/assert";
import { runSource } from "./support/inline.ts";

const HEAD = `import { am, LamellarWorldBuilder, u32 } from "MOD";
  const Next = am("Next", { i: u32 }, (self) => self.i + 1);
  const Later = am("Later", { ms: u32 }, (self, { currentPe, world }) => {
    setTimeout(async () => console.log("later on", currentPe, await world.execAmPe(0,
      Next({ i: 1 }))), self.ms);
  });
  const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  void [Later, Next, sleep];
`;
const BUILD = `await using world = await new LamellarWorldBuilder().build();
  const next = (world.myPe + 1) % world.numPes;
  void next;
`;

/** What a program leaves to the event loop, and what it prints on each PE but for the number. */
const LEFT: Record<string, readonly [string, string]> = {
  "a timer": [
    `setTimeout(async () => console.log(await world.execAmPe(next, Next({ i: 1 }))), 100);`,
    "2",
  ],
  "an interval until it is cleared": [
    `let count = 0;
     const interval = setInterval(async () => {
       if (++count < 3) return;
       clearInterval(interval);
       console.log(await world.execAmPe(next, Next({ i: count })));
     }, 20);`,
    "4",
  ],
  "an async function that reads a file": [
    `(async () => {
       await Deno.readTextFile(new URL(import.meta.url));
       console.log(await world.execAmPe(next, Next({ i: 2 })));
       await sleep(20);
       console.log(await world.execAmPe(next, Next({ i: 3 })));
     })();`,
    "3 4",
  ],
  "an async function that awaits AMs and then a timer": [
    `(async () => {
       const one = await world.execAmPe(next, Next({ i: 2 }));
       await sleep(50);
       console.log(one, await world.execAmPe(next, Next({ i: 3 })));
     })();`,
    "3 4",
  ],
  "an async function that calls collectives": [
    `(async () => {
       await world.asyncBarrier();
       const region = await world.allocSharedMemRegion("u32", 1);
       await region.store(next, 0, next);
       await world.asyncBarrier();
       await sleep(world.myPe * 20);
       await world.asyncBarrier();
       console.log(region.length, await world.execAmPe(next, Next({ i: 3 })));
     })();`,
    "1 4",
  ],
  "a collective of a team": [
    `(async () => {
       const team = await world.team.createSubteamFromArch(new StridedArch(0, 2, 2));
       if (world.myPe !== 1) await team.asyncBarrier();
       console.log(await world.execAmPe(next, Next({ i: 3 })));
     })();`,
    "4",
  ],
  "a server that is shut down": [
    `const server = Deno.serve({ port: 0, onListen: () => {} }, async () =>
       new Response(String(await world.execAmPe(next, Next({ i: 6 })))));
     setTimeout(async () => {
       const answer = await fetch("http://127.0.0.1:" + server.addr.port);
       console.log(await answer.text());
       await server.shutdown();
     }, 100);`,
    "7",
  ],
  "a Worker until it is terminated": [
    `const worker = new Worker("data:text/javascript,setTimeout(() => postMessage(5), 50)",
       { type: "module" });
     worker.onmessage = async ({ data }) => {
       worker.terminate();
       console.log(data, await world.execAmPe(next, Next({ i: 1 })));
     };`,
    "5 2",
  ],
  "a foreign call": [
    `const libc = Deno.dlopen("libc.so.6", {
       usleep: { parameters: ["u32"], result: "i32", nonblocking: true } });
     libc.symbols.usleep(50_000).then((code) => console.log("slept", code));`,
    "slept 0",
  ],
  "an import": [
    `import("data:text/javascript,await new Promise((r) => setTimeout(r, 50));export const x = 3;")
       .then(async ({ x }) => console.log(await world.execAmPe(next, Next({ i: x }))));`,
    "4",
  ],
};

const lines = (text: string): string[] => text.trim().split("\n").sort();

for (const [what, [code, expected]] of Object.entries(LEFT)) {
  Deno.test(`a program that ends before ${what} goes on until that is over`, async () => {
    const source = HEAD.replace("u32 }", "StridedArch, u32 }") + BUILD + code;
    const result = await runSource(source.replace("void next;", "void [next, StridedArch];"));
    assertEquals([result.code, result.stderr], [0, ""]);
    const each = expected.split(what.includes("reads a file") ? " " : "\n");
    assertEquals(lines(result.stdout), Array(3).fill(each).flat().sort());
  });
}

Deno.test("a main function that is not awaited runs to its end", async () => {
  const source = `${HEAD}
    async function main() {
      await sleep(50);
      ${BUILD}
      await world.asyncBarrier();
      await sleep(20);
      console.log(await world.execAmPe(next, Next({ i: world.myPe })));
    }
    main();`;
  const { code, stdout, stderr } = await runSource(source);
  assertEquals([code, lines(stdout), stderr], [0, ["1", "2", "3"], ""]);
});

Deno.test("what handlers start when their PE has come to its end goes on, too", async () => {
  const source = `${HEAD}${BUILD}
    if (world.myPe === 0) {
      await sleep(100);
      await world.execAmPe(1, Later({ ms: 100 }));
    }`;
  const { code, stdout, stderr } = await runSource(source);
  assertEquals([code, stdout, stderr], [0, "later on 1 2\n", ""]);
});

Deno.test("a program that closed its world goes on, too", async () => {
  const source = `${HEAD}${BUILD}
    await world.close();
    setTimeout(() => console.log("after the world"), 50);`;
  const { code, stdout, stderr } = await runSource(source);
  assertEquals([code, stdout, stderr], [0, "after the world\n".repeat(3), ""]);
});

Deno.test("over the network, what is left of a program goes on until it is over", async () => {
  const source = `${HEAD}${BUILD}
    (async () => {
      await world.asyncBarrier();
      await sleep(50);
      console.log(await world.execAmPe(next, Next({ i: world.myPe })));
    })();`;
  const { code, stdout, stderr } = await runSource(source, {
    pes: 4,
    launcherFlags: ["--processes", "2", "--backend", "rofi"],
    env: { LAMELLAR_SHARE_MEMORY: "0", LAMELLAR_ROFI_PROVIDER: "tcp" },
  });
  assertEquals([code, lines(stdout), stderr], [0, ["1", "2", "3", "4"], ""]);
});

Deno.test("an error in what is left of a program ends the job", async () => {
  const source = `${HEAD}${BUILD}
    setTimeout(() => {
      if (world.myPe === 1) throw new Error("left behind");
    }, 50);
    setTimeout(() => {}, 60_000);`;
  const { code, stderr, ms } = await runSource(source);
  assertMatch(stderr, /^lamellar: PE 1 failed: Error: left behind\n +at /);
  assertEquals(code, 1);
  assert(ms < 10_000, `ended after ${ms} ms`);
});

Deno.test("what keeps no program alive is not waited for", async () => {
  const source = `${HEAD}${BUILD}
    Deno.unrefTimer(setTimeout(() => console.log("late"), 60_000));
    Deno.unrefTimer(setInterval(() => {}, 10));
    Deno.addSignalListener("SIGUSR1", () => {});
    (async () => await Atomics.waitAsync(new Int32Array(new SharedArrayBuffer(4)), 0, 0).value)();
    (async () => await new Promise(() => {}))();`;
  const { code, stdout, stderr, ms } = await runSource(source);
  assertEquals([code, stdout, stderr], [0, "", ""]);
  assert(ms < 10_000, `ended after ${ms} ms`);
});

Deno.test("a server that goes on when its program has ended is not taken for stuck", async () => {
  const source = `${HEAD}${BUILD}
    if (world.myPe === 0) {
      const server = Deno.serve({ port: 0, onListen: () => {} }, () => new Response(""));
      setTimeout(() => server.shutdown(), 2500);
    }`;
  const env = { LAMELLAR_DEADLOCK_WARNING_TIMEOUT: "0.5", LAMELLAR_DEADLOCK_TIMEOUT: "1" };
  const { code, stdout, stderr } = await runSource(source, { env });
  assertEquals([code, stdout, stderr], [0, "", ""]);
});

Deno.test("using disposes a region on a PE that is done, a barrier delays that", async () => {
  const source = (end: string): string =>
    `import { am, LamellarWorldBuilder } from "MOD";
    const Set = am("Set", (self, { currentPe }) => self.region.store(currentPe, 0, 7).block());
    await using world = await new LamellarWorldBuilder().build();
    using region = await world.allocSharedMemRegion("u32", 1);
    if (world.myPe === 0) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      region.store(1, 0, 5);
      console.log(region.load(1, 0).block());
      await world.execAmPe(1, Set({ region })).then(() => console.log("set"), (error) =>
        console.log(error.message));
    }
    ${end}`;
  const done = await runSource(source(""), { pes: 2 });
  assertMatch(done.stdout, /^5\nAM "Set" failed .*: it was disposed by PE 1\n$/);
  const met = await runSource(source("await world.asyncBarrier();"), { pes: 2 });
  assertEquals([met.code, met.stdout, met.stderr], [0, "5\nset\n", ""]);
});
