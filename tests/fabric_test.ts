import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { discoverFabric, fabricCalls, FI, openFabric, QueueWait, sweepShm } from "../ffi/mod.ts";
import { ClosedError, FeatureLevelError, TransportError } from "../internal/errors.ts";
import { DATA, Side } from "./support/fabric_side.ts";
import type { FabricTask } from "./support/fabric_worker.ts";

const MODULE = new URL("../ffi/mod.ts", import.meta.url).href;
const PROVIDERS = ["tcp;ofi_rxm", "shm", "net", "udp;ofi_rxd"];

/** Two sides that know each other. */
function pair(provider: string, fast?: boolean): Disposable & {
  one: Side;
  two: Side;
  toTwo: bigint;
  toOne: bigint;
} {
  const stack = new DisposableStack();
  const one = stack.use(new Side(provider, fast));
  const two = stack.use(new Side(provider, fast));
  const [toTwo] = one.fabric.insert([two.fabric.name]);
  const [toOne] = two.fabric.insert([one.fabric.name]);
  return { one, two, toTwo: toTwo!, toOne: toOne!, [Symbol.dispose]: () => stack.dispose() };
}

function descriptors(): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`);
    } catch {
      return "gone";
    }
  }).filter((target) => /^socket:|memfd|shm/.test(target)).sort();
}

/** Files of a process; those of others come and go. */
function shmFiles(pid: number): string[] {
  const names = [...Deno.readDirSync("/dev/shm")].map(({ name }) => name);
  return names.filter((name) => name.includes(`-${pid}-`));
}

for (const provider of PROVIDERS) {
  for (const fast of [true, false]) {
    const way = fast ? "the fast way" : "the slow way";
    Deno.test(`a message, a put and a get arrive over ${provider}, called ${way}`, () => {
      using sides = pair(provider, fast);
      const { one, two, toTwo } = sides;
      assertEquals(one.fabric.provider, provider);
      assertEquals(one.own.calls.fast, fast);
      const idle = () => void two.own.calls.cqRead(two.fabric.cq, two.own.at(2048), 0n);

      two.own.receive(DATA, 1024, 7n, () => {});
      one.own.bytes.set([1, 2, 3, 4, 5], DATA);
      one.own.send(toTwo, DATA, 5, 9n, idle);
      const sent = one.own.complete(idle);
      assertEquals([sent.context, sent.flags & FI.FI_SEND], [9n, FI.FI_SEND]);
      const received = two.own.complete(() => void one.own.poll());
      assertEquals([received.context, received.bytes], [7n, 5]);
      assertEquals(received.flags & FI.FI_RECV, FI.FI_RECV);
      assertEquals([...two.own.bytes.subarray(DATA, DATA + 6)], [1, 2, 3, 4, 5, 0]);

      for (const bytes of [8, 100_000]) {
        const data = Uint8Array.from({ length: bytes }, (_, index) => index * 7 + bytes);
        one.own.bytes.set(data, DATA);
        const target = { offset: DATA, bytes, ...two.remote(DATA + 512) };
        one.own.put(toTwo, target, 11n, idle);
        assertEquals(one.own.complete(idle).context, 11n);
        // Complete means delivered: the bytes are there without a look at the target's queue.
        assertEquals(two.own.bytes.slice(DATA + 512, DATA + 512 + bytes), data);

        one.own.bytes.fill(0, DATA);
        one.own.get(toTwo, target, 12n, idle);
        assertEquals(one.own.complete(idle).context, 12n);
        assertEquals(one.own.bytes.slice(DATA, DATA + bytes), data);
      }
    });
  }
}

Deno.test("operations without FI_COMPLETION complete in silence, but on net", () => {
  for (const provider of PROVIDERS) {
    using sides = pair(provider);
    const { one, two, toTwo } = sides;
    const idle = () => void two.own.calls.cqRead(two.fabric.cq, two.own.at(2048), 0n);
    two.own.receive(DATA, 64, 1n, () => {});
    one.own.send(toTwo, DATA, 8, 21n, idle);
    one.own.complete(idle);
    two.own.complete(() => {});
    two.own.receive(DATA, 64, 2n, () => {});
    // The structure still holds the message.
    assertEquals(one.own.calls.sendmsg(one.fabric.ep, one.own.at(0), FI.FI_INJECT), 0, provider);
    const seen: bigint[] = [];
    const look = () => {
      const completion = one.own.poll();
      if (completion !== undefined) seen.push(completion.context);
    };
    assertEquals(two.own.complete(look).context, 2n, provider);
    for (let round = 0; round < 100; round++) look();
    assertEquals(seen, provider === "net" ? [21n] : [], provider);
  }
});

Deno.test("memory is shared under random keys of all the bits that the provider takes", () => {
  for (const provider of PROVIDERS) {
    using side = new Side(provider);
    const address = side.own.at(0);
    const keys = Array.from({ length: 16 }, () => side.fabric.share(address, 4096n).key);
    assertEquals(new Set(keys).size, keys.length);
    const bits = BigInt(8 * Math.min(8, side.fabric.info.mrKeySize));
    // One in 2^16 keys has its highest sixteen bits zero; that all of these have is the old way.
    assert(keys.some((key) => key >> (bits - 16n) !== 0n), `${provider}: ${keys}`);
    assert(keys.every((key) => key > 2n ** 16n && key >> bits === 0n), `${provider}: ${keys}`);
  }
});

Deno.test("a key that nobody gave is a TransportError where the provider reports it", () => {
  using sides = pair("tcp;ofi_rxm");
  const { one, two, toTwo } = sides;
  const idle = () => void two.own.calls.cqRead(two.fabric.cq, two.own.at(2048), 0n);
  const target = { offset: DATA, bytes: 8, ...two.remote(DATA), key: 0xbadn };
  one.own.put(toTwo, target, 5n, idle);
  const error = assertThrows(() => one.own.complete(idle), TransportError);
  assertEquals(error.errno, FI.FI_ECANCELED);
  assertEquals([error.provider, error.op, error.code], [
    "tcp;ofi_rxm",
    "completion",
    "ERR_TRANSPORT",
  ]);
  assertStringIncludes(error.message, "Cannot complete an operation on tcp;ofi_rxm: ");
});

/** Starts a Worker on an endpoint; it is ready when this settles. */
async function startWorker(task: FabricTask): Promise<{ done: Promise<unknown> }> {
  const worker = new Worker(new URL("./support/fabric_worker.ts", import.meta.url), {
    type: "module",
  });
  const ready = Promise.withResolvers<unknown>();
  const done = Promise.withResolvers<unknown>();
  worker.onmessage = ({ data }) => data.ready === true ? ready.resolve(data) : done.resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    for (const promise of [ready, done]) promise.reject(new Error(event.message));
  };
  worker.postMessage(task);
  await Promise.race([ready.promise, done.promise]);
  return { done: done.promise };
}

Deno.test("another thread of the process uses an endpoint that the main one opened", async () => {
  for (const provider of PROVIDERS) {
    for (const sleep of provider === "shm" ? [false] : [false, true]) {
      using sides = pair(provider);
      const { one, two, toTwo, toOne } = sides;
      const task = { task: "answer", side: two.pointers, peer: toOne, completions: 0 } as const;
      const worker = await startWorker({ ...task, sleep });
      for (let round = 0; round < 100; round++) {
        one.own.receive(DATA + 2048, 1024, 3n, () => {});
        one.own.bytes.set([round, 8, 9], DATA);
        one.own.send(toTwo, DATA, 3, 4n, () => {});
        const contexts = [one.own.complete(() => {}).context, one.own.complete(() => {}).context];
        assertEquals(contexts.sort(), [3n, 4n], provider);
        assertEquals([...one.own.bytes.subarray(DATA + 2048, DATA + 2051)], [round + 1, 8, 9]);
      }
      one.own.send(toTwo, DATA, 1, 4n, () => {});
      one.own.complete(() => {});
      assertEquals(await worker.done, { done: 100, fast: true }, provider);
    }
  }
});

Deno.test("one thread sends while another sleeps in cqSread on the same endpoint", async () => {
  for (const provider of ["tcp;ofi_rxm", "net", "udp;ofi_rxd"]) {
    using sides = pair(provider);
    const { one, two, toOne } = sides;
    const completions = 200;
    const task = { task: "count", side: two.pointers, peer: toOne, completions } as const;
    const worker = await startWorker({ ...task, sleep: true });
    for (let round = 0; round < completions; round++) {
      one.own.receive(DATA, 8, 3n, () => {});
      two.own.bytes[DATA] = round;
      two.own.send(toOne, DATA, 8, 4n, () => void one.own.poll());
      assertEquals(one.own.complete(() => {}).context, 3n, provider);
      assertEquals(one.own.bytes[DATA], round);
    }
    assertEquals(await worker.done, { done: completions, fast: true }, provider);
  }
});

Deno.test("a put arrives while the only thread that looks sleeps in cqSread", async () => {
  for (const provider of ["tcp;ofi_rxm", "net", "udp;ofi_rxd"]) {
    using sides = pair(provider);
    const { one, two, toTwo, toOne } = sides;
    const task = { task: "count", side: two.pointers, peer: toOne, completions: 1 } as const;
    const worker = await startWorker({ ...task, sleep: true });
    one.own.bytes.fill(7, DATA, DATA + 50_000);
    one.own.put(toTwo, { offset: DATA, bytes: 50_000, ...two.remote(DATA) }, 1n, () => {});
    assertEquals(one.own.complete(() => {}).context, 1n, provider);
    assert(two.own.bytes.subarray(DATA, DATA + 50_000).every((byte) => byte === 7), provider);
    two.own.receive(DATA, 8, 2n, () => {});
    one.own.send(toTwo, DATA, 8, 3n, () => {});
    assertEquals(await worker.done, { done: 1, fast: true }, provider);
  }
});

Deno.test("cqSread sleeps until its timeout where the endpoint says that it sleeps", () => {
  for (const provider of ["tcp;ofi_rxm", "net", "udp;ofi_rxd"]) {
    using side = new Side(provider);
    assertEquals(side.fabric.waitable, "sleeps");
    const [start, cpu] = [performance.now(), cpuMs()];
    assertEquals(side.own.wait(200), undefined);
    const [took, used] = [performance.now() - start, cpuMs() - cpu];
    assert(took >= 190 && took < 5000, `${provider} took ${took} ms`);
    assert(used < 100, `${provider} used ${used} ms of a core in ${took} ms`);
    // A signal is kept until somebody waits, or the wake-up would be lost.
    assertEquals(side.own.calls.cqSignal(side.fabric.cq), 0);
    const from = performance.now();
    assertEquals(side.own.wait(5000), undefined);
    assert(performance.now() - from < 2000, `${provider} did not hear the signal`);
  }
  using shm = openFabric({ provider: "shm" });
  assertEquals(shm.waitable, "spins");
});

Deno.test("QueueWait ends by a signal and its time, and takes what is put", () => {
  const provider = "tcp;ofi_rxm";
  using sides = pair(provider);
  const { one, two, toTwo } = sides;
  const { calls } = two.own;
  const wait = new QueueWait(two.fabric.waitObject!, provider);
  const look = () => Math.max(0, calls.cqRead(two.fabric.cq, two.own.at(2048), 4n));
  const target = { offset: DATA, bytes: 8, ...two.remote(DATA + 512) };
  let called = false;
  const sleepMs = (timeoutMs: number, alertMs = 0): number => {
    const start = performance.now();
    assertEquals(wait.sleep(timeoutMs, () => called, look, alertMs), 0);
    return performance.now() - start;
  };
  // The first put connects the two.
  one.own.put(toTwo, target, 1n, () => void look());
  one.own.complete(() => void look());
  let slept = 0;
  for (let round = 0; round < 100 && slept < 30; round++) slept = sleepMs(30);
  assert(slept >= 29, `slept for ${slept} ms`);
  assert(sleepMs(20, 10) >= 29, "being alert comes before the sleep");
  called = true;
  calls.cqSignal(two.fabric.cq);
  assert(sleepMs(10_000) < 5000);
  called = false;
  one.own.bytes.set([9, 8, 7], DATA);
  one.own.put(toTwo, target, 2n, () => void look());
  one.own.complete(() => void sleepMs(20, 1));
  assertEquals([...two.own.bytes.subarray(DATA + 512, DATA + 515)], [9, 8, 7]);
  assert(!wait.restless);
});

Deno.test("the alarm of a queue is on while somebody sleeps, and wakes them", () => {
  const provider = "tcp;ofi_rxm";
  using sides = pair(provider);
  const { one, two, toTwo } = sides;
  const { set, fd, events, data } = one.fabric.waitObject!.alarm!;
  const member = () => {
    const text = Deno.readTextFileSync(`/proc/self/fdinfo/${set}`);
    return new RegExp(`^tfd: +${fd} events: +(\\S+) data: +(\\S+)`, "m").exec(text)?.slice(1);
  };
  const as = [events.toString(16), data.toString(16)];
  assertEquals(member(), as);
  const wait = new QueueWait(one.fabric.waitObject!, provider);
  wait.silence();
  assertEquals(member(), undefined);
  const look = () => Math.max(0, one.own.calls.cqRead(one.fabric.cq, one.own.at(2048), 4n));
  // The first message connects the two.
  one.own.send(toTwo, DATA, 8, 1n, () => void two.own.poll());
  while (look() === 0) two.own.poll();
  for (let round = 0; round < 20 && look() === 0; round++) wait.sleep(10, () => false, look);
  for (let round = 0; round < 5; round++) {
    // What another thread sends leaves at once, so that nothing of it comes by the network.
    const send = (): boolean => {
      assertEquals(member(), as);
      one.own.send(toTwo, DATA, 8, 2n, () => {});
      return false;
    };
    const start = performance.now();
    assertEquals(wait.sleep(10_000, send, look), 1);
    assert(performance.now() - start < 5000, "nobody woke the sleeper");
    assertEquals(member(), undefined);
  }
  assertEquals(wait.alarmed(member), as);
  assertThrows(() => wait.alarmed(() => [].at(0)!["x"]), TypeError);
  assertEquals(member(), undefined);
});

Deno.test("QueueWait finds out that a descriptor never comes to rest", () => {
  using sides = pair("net");
  const { one, two, toTwo } = sides;
  const wait = new QueueWait(two.fabric.waitObject!, "net");
  two.own.receive(DATA, 64, 1n, () => {});
  one.own.send(toTwo, DATA, 8, 2n, () => void two.own.poll());
  one.own.complete(() => void two.own.poll());
  for (let trial = 0; trial < 2; trial++) {
    for (let round = 0; round < 1000 && !wait.restless; round++) {
      wait.sleep(10_000, () => false, () => two.own.poll() ? 1 : 0);
    }
    assert(wait.restless);
    wait.retry();
    assert(!wait.restless);
  }
});

Deno.test("shm gives away nothing to sleep by", () => {
  using sides = pair("shm");
  assertEquals(sides.one.fabric.waitObject, undefined);
});

/** Processor time of this process in milliseconds. */
function cpuMs(): number {
  const fields = Deno.readTextFileSync("/proc/self/stat").replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

Deno.test("closing leaves no descriptor and no file, and closing again does nothing", () => {
  // What libfabric opens once and keeps is opened here.
  for (const provider of PROVIDERS) pair(provider)[Symbol.dispose]();
  const [before, files] = [descriptors(), shmFiles(Deno.pid)];
  for (let round = 0; round < 3; round++) {
    for (const provider of PROVIDERS) {
      const sides = pair(provider);
      if (provider === "shm") assertEquals(shmFiles(Deno.pid).length, files.length + 2);
      assert(descriptors().length > before.length);
      sides[Symbol.dispose]();
      sides.one.fabric.close();
      assertThrows(() => sides.one.fabric.insert([]), ClosedError);
      assertThrows(() => sides.one.fabric.share(4096n, 1n), ClosedError);
    }
  }
  assertEquals(descriptors(), before);
  assertEquals(shmFiles(Deno.pid), files);
});

Deno.test("the files of a killed process are swept, no others", async () => {
  const program = `import { openFabric } from "${MODULE}";
    openFabric({ provider: "shm" }); console.log("open"); setInterval(() => {}, 1000);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    stdout: "piped",
  }).spawn();
  const foreign = `/dev/shm/lamellar-0-${child.pid}-0`;
  Deno.writeTextFileSync(foreign, "not ours");
  try {
    const reader = child.stdout.getReader();
    await reader.read();
    const own = shmFiles(child.pid);
    assertEquals(own.length, 2);
    assertEquals(sweepShm(), []);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    assertEquals(sweepShm(), own.filter((name) => !foreign.endsWith(name)));
    assertEquals(shmFiles(child.pid), [foreign.slice(9)]);
    // A process that ends without closing its endpoint removes what is its own.
    const fabric = openFabric({ provider: "shm" });
    assertEquals(shmFiles(Deno.pid).length, 1);
    assertEquals(sweepShm(true).length, 1);
    assertEquals(shmFiles(Deno.pid), []);
    fabric.close();
  } finally {
    Deno.removeSync(foreign);
  }
});

Deno.test("programs still hear signals after libfabric was opened", async () => {
  const program = `import { openFabric } from "${MODULE}";
    Deno.addSignalListener("SIGINT", () => { console.log("heard SIGINT"); });
    openFabric({ provider: "tcp" }).close();
    Deno.addSignalListener("SIGTERM", () => { console.log("heard SIGTERM"); Deno.exit(3); });
    Deno.kill(Deno.pid, "SIGINT");
    setTimeout(() => Deno.kill(Deno.pid, "SIGTERM"), 100);
    setTimeout(() => Deno.exit(4), 10_000);`;
  const result = await new Deno.Command(Deno.execPath(), { args: ["eval", program] }).output();
  assertEquals(new TextDecoder().decode(result.stdout), "heard SIGINT\nheard SIGTERM\n");
  assertEquals(result.code, 3);
});

Deno.test("the endpoint has an address that other hosts reach, unless another is asked for", () => {
  const { chosen, version } = discoverFabric({ provider: "tcp" });
  assert(!(chosen instanceof Error));
  assert(/^\d+\.\d+$/.test(version));
  using chosenFabric = openFabric({ provider: "tcp" });
  assertEquals(chosenFabric.nameText, chosen.source);
  assertEquals(chosenFabric.domainName, chosen.domain);
  const others = Deno.networkInterfaces().some(({ address, family }) =>
    family === "IPv4" && !address.startsWith("127.")
  );
  assertEquals(chosenFabric.nameText.startsWith("127."), !others);
  using loopback = openFabric({ provider: "tcp", domain: "lo" });
  assertEquals([loopback.domainName, loopback.nameText], ["lo", "127.0.0.1"]);
  using network = openFabric({ provider: "tcp", domain: loopback.fabricName });
  assertEquals(network.nameText, "127.0.0.1");
});

Deno.test("a provider or domain that is not there is refused with what there is", () => {
  const nonesuch = assertThrows(() => openFabric({ provider: "nonesuch" }), FeatureLevelError);
  assertStringIncludes(nonesuch.message, "Cannot use provider nonesuch: libfabric 1.");
  assertStringIncludes(nonesuch.message, "does not offer nonesuch; available if named: ");
  assertStringIncludes(nonesuch.message, "tcp;ofi_rxm");
  const domain = assertThrows(
    () => openFabric({ provider: "tcp", domain: "nowhere0" }),
    FeatureLevelError,
  );
  assertStringIncludes(domain.message, "on domain nowhere0: tcp;ofi_rxm: its domain is ");
});

Deno.test("names that are none of the provider are refused, or never reach anybody", () => {
  using side = new Side("tcp");
  const error = assertThrows(() => side.fabric.insert([new Uint8Array(3)]), TransportError);
  assertStringIncludes(error.message, "Cannot insert name 0 of 1 (3 bytes) on tcp;ofi_rxm: ");
});

Deno.test("a permission that is missing or scoped is refused with what to type", async () => {
  const program = `import { fabricCalls, openFabric } from "${MODULE}";
    for (const call of [() => openFabric(), () => fabricCalls(8n, 8n)]) {
      try { call(); } catch (error) { console.log(error.name, error.message); }
    }`;
  const file = Deno.makeTempFileSync({ suffix: ".ts" });
  try {
    Deno.writeTextFileSync(file, program);
    for (const flags of [[], ["--allow-ffi=/x"], ["--allow-ffi", "--deny-ffi=/x"]]) {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--allow-read", ...flags, file],
      }).output();
      const text = "FeatureLevelError Cannot use libfabric: permission for foreign functions is " +
        "missing, or given for some paths only; run with --allow-ffi, without paths\n";
      assertEquals(new TextDecoder().decode(stdout), text.repeat(2), flags.join(" "));
    }
  } finally {
    Deno.removeSync(file);
  }
});

Deno.test("LAMELLAR_FFI_FASTCALL=0 takes the slow way", () => {
  using side = new Side("tcp");
  assertEquals(side.own.calls.fast, true);
  Deno.env.set("LAMELLAR_FFI_FASTCALL", "0");
  try {
    using calls = fabricCalls(side.fabric.ep, side.fabric.cq);
    assertEquals(calls.fast, false);
    assertEquals(calls.cqRead(side.fabric.cq, side.own.at(2048), 1n), -FI.FI_EAGAIN);
  } finally {
    Deno.env.delete("LAMELLAR_FFI_FASTCALL");
  }
});

Deno.test("what is no endpoint, or lacks room, is refused, and what was opened is closed", () => {
  using side = new Side("tcp");
  const { ep, cq } = side.fabric;
  const error = assertThrows(() => fabricCalls(cq, cq), FeatureLevelError);
  assertStringIncludes(error.message, "its endpoint has class 14 instead of 3");
  assertThrows(() => fabricCalls(ep, ep), FeatureLevelError, "completion queue has class 3");
  assertThrows(() => fabricCalls(0n, cq), FeatureLevelError, "class none");
  const before = descriptors();
  const room = assertThrows(() => openFabric({ provider: "tcp", cqEntries: 2 ** 52 }), Error);
  assert(room instanceof TransportError, `${room}`);
  assertEquals(room.op, "fi_cq_open");
  assertEquals(descriptors(), before);
});
