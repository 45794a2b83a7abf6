/**
 * I/O and timers of PE 0 beside AMs to the last PE. Tells what each takes in the same run, in
 * milliseconds, as one line of JSON: what a tenth of all are faster than, which a busy machine
 * hardly changes, or the median of what happens while something else is awaited.
 */

import { am, LamellarWorldBuilder, u32 } from "../../mod.ts";

const Add = am("Add", { value: u32 }, ({ value }) => value + 1, { returns: u32 });
const Compute = am("Compute", { ms: u32 }, ({ ms }) => {
  for (const end = performance.now() + ms; performance.now() < end;);
});
const Late = am("Late", { ms: u32 }, ({ ms }) => sleep(ms));
const Later = am("Later", async () => await undefined);
const EchoThere = am("EchoThere", { rounds: u32 }, async ({ rounds }) => {
  const echo = await connected();
  for (let round = 0; round < rounds; round++) await echo();
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** How often each is done, and AMs that take long. */
const ROUNDS = 100;
const LONG_ROUNDS = 20;
const COMPUTE_MS = 5;
const LATE_MS = 100;
const ECHOES = 5;

let connection: Promise<() => Promise<void>> | undefined;

/** Sends a byte there and back, through a connection of this PE to itself. */
function connected(): Promise<() => Promise<void>> {
  return connection ??= connect();
}

async function connect(): Promise<() => Promise<void>> {
  const hostname = "127.0.0.1";
  const listener = Deno.listen({ hostname, port: 0 });
  const { port } = listener.addr;
  const [here, there] = await Promise.all([Deno.connect({ hostname, port }), listener.accept()]);
  for (const end of [here, there]) end.setNoDelay(true);
  listener.close();
  const answer = async (): Promise<void> => {
    const buffer = new Uint8Array(1);
    while (await there.read(buffer)) await there.write(buffer);
    there.close();
  };
  const answered = answer();
  const byte = new Uint8Array(1);
  closing.push(() => (here.closeWrite(), answered), () => here.close());
  return async () => {
    await here.write(byte);
    await here.read(byte);
  };
}

const closing: (() => Promise<void> | void)[] = [];

async function quickOf(
  rounds: number,
  work: () => Promise<unknown>,
  part = 0.1,
): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds * part)]!;
}

/** The median of what happens again and again while something of the runtime is awaited. */
async function medianWhile(
  awaited: () => PromiseLike<unknown>,
  work: () => Promise<unknown>,
  rounds = ROUNDS,
): Promise<number> {
  let over = false;
  const running = (async () => {
    while (!over) await awaited();
  })();
  const median = await quickOf(rounds, work, 0.5);
  over = true;
  await running;
  return median;
}

await using world = await new LamellarWorldBuilder().build();
const target = world.numPes - 1;
const region = await world.allocSharedMemRegion("u32", 1);
/** Whatever a program may await without a pause. */
const streams: Record<string, () => PromiseLike<unknown>> = {
  am: () => world.execAmPe(target, Add({ value: 1 })),
  ownAm: () => world.execAmPe(0, Add({ value: 1 })),
  localAm: () => world.execAmLocal(Add({ value: 1 })),
  amAll: () => world.execAmAll(Add({ value: 1 })),
  asyncAm: () => world.execAmPe(target, Later({})),
  ownAsyncAm: () => world.execAmPe(0, Later({})),
  closure: () => world.execClosurePe(target, (value: number) => value + 1, [1]),
  ownClosure: () => world.execClosurePe(0, (value: number) => value + 1, [1]),
  awaitAll: () => (world.execAmPe(target, Add({ value: 1 })), world.awaitAll()),
  ownAwaitAll: () => (world.execAmPe(0, Add({ value: 1 })), world.awaitAll()),
  nothing: () => world.awaitAll(),
  fetchAdd: () => region.fetchAdd(target, 0, 1),
  ownFetchAdd: () => region.fetchAdd(0, 0, 1),
  quiet: () => (region.put(target, 0, new Uint32Array(1)), world.quiet()),
};
if (world.myPe === 0) {
  const echo = await connected();
  const file = await Deno.makeTempFile();
  const read = (): Promise<string> => Deno.readTextFile(file);
  const add = (): Promise<number> => world.execAmPe(target, Add({ value: 1 })).then();
  const tick = (): Promise<void> => sleep(1);
  const launch = {
    compute: () => world.execAmPe(target, Compute({ ms: COMPUTE_MS })).then(),
    late: () => world.execAmPe(target, Late({ ms: LATE_MS })).then(),
    there: () => world.execAmPe(target, EchoThere({ rounds: ECHOES })).then(),
  };
  for (const each of [echo, read, add, launch.there]) await quickOf(ROUNDS, each);
  const told: Record<string, number> = {
    echo: await quickOf(ROUNDS, echo),
    read: await quickOf(ROUNDS, read),
    add: await quickOf(ROUNDS, add),
    tick: await quickOf(ROUNDS, tick),
    echoAdd: await quickOf(ROUNDS, async () => (await echo(), await add())),
    readAdd: await quickOf(ROUNDS, async () => (await read(), await add())),
    there: await quickOf(LONG_ROUNDS, launch.there) / ECHOES,
    echoWhileAdding: await medianWhile(add, echo),
    echoWhileComputing: await medianWhile(launch.compute, echo),
    echoWhileLate: await medianWhile(launch.late, echo),
    tickWhileLate: await medianWhile(launch.late, tick),
  };
  for (const [name, stream] of Object.entries(streams)) {
    told[`tickWhile_${name}`] = await medianWhile(stream, tick, LONG_ROUNDS);
    told[`echoWhile_${name}`] = await medianWhile(stream, echo, LONG_ROUNDS);
  }
  console.log(JSON.stringify(told));
  await Deno.remove(file);
}
await world.asyncBarrier();
for (const close of closing) await close();
