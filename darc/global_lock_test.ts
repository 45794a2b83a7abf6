import { assert, assertEquals } from "@std/assert";
import { exploreAll, exploreOnce, type Model, type Move } from "../internal/explorer_test.ts";
import {
  LockClient,
  type LockClientState,
  LockHome,
  type LockHomeState,
  type LockMessage,
} from "./global_lock.ts";
import { EVERYBODY, type LockMode } from "./lock_queue.ts";
import { newSeed, randomNumbers } from "../internal/random_test_numbers.ts";

/** What a program does with the lock. */
type Step = "read" | "write" | "tryRead" | "tryWrite" | "together";

/** A program or a handler: it does one step after the other. */
interface Thread {
  readonly pe: number;
  readonly steps: Step[];
  /** Whether it may give up a claim that waits. */
  cancels: boolean;
  /** How often it may ask who holds the lock. */
  watches: number;
  /** Its claim, if it has one. */
  ticket: number | undefined;
}

/** PEs that share a lock. Messages of a pair keep their order. */
interface World {
  readonly home: number;
  readonly homeState: LockHomeState;
  readonly clients: LockClientState[];
  readonly threads: Thread[];
  /** By sender and receiver, of which one is the home. */
  readonly channels: Map<string, LockMessage[]>;
  /** Modes of the claims that are held, by PE and ticket. */
  readonly held: Map<string, LockMode | "together">;
  /** Collective claims so far, and how many PEs have called for the next. */
  together: number;
  called: number;
}

const MODES: Record<Step, LockMode | "together"> = {
  read: "read",
  write: "write",
  tryRead: "read",
  tryWrite: "write",
  together: "together",
};

function newWorld(
  home: number,
  numPes: number,
  threads: [pe: number, steps: Step[], cancels?: boolean, watches?: number][],
): World {
  return {
    home,
    homeState: { lock: { holders: new Map(), waiting: new Map() }, watchers: new Map() },
    clients: Array.from({ length: numPes }, () => (
      { next: 0, waiting: new Set<number>(), held: new Set<number>() }
    )),
    threads: threads.map(([pe, steps, cancels = false, watches = 0]) => (
      { pe, steps: [...steps], cancels, watches, ticket: undefined }
    )),
    channels: new Map(),
    held: new Map(),
    together: 0,
    called: 0,
  };
}

function homeOf(world: World): LockHome {
  const pes = world.clients.map((_, pe) => pe);
  return new LockHome(pes, (to, message) => send(world, world.home, to, message), world.homeState);
}

function clientOf(world: World, pe: number): LockClient {
  return new LockClient(
    world.home,
    (to, message) => send(world, pe, to, message),
    (ticket, granted) => {
      const thread = world.threads.find((one) => one.pe === pe && one.ticket === ticket)!;
      if (granted) world.held.set(`${pe}/${ticket}`, MODES[thread.steps[0]!]);
      else endStep(thread);
    },
    world.clients[pe]!,
  );
}

function endStep(thread: Thread): void {
  thread.steps.shift();
  thread.ticket = undefined;
}

function send(world: World, from: number, to: number, message: LockMessage): void {
  if (from === to) return receive(world, from, to, message);
  const key = `${from}>${to}`;
  const channel = world.channels.get(key) ?? [];
  channel.push(message);
  world.channels.set(key, channel);
}

function receive(world: World, from: number, to: number, message: LockMessage): void {
  if (message.kind === "tell") return;
  if (message.kind === "grant" || message.kind === "deny") {
    return clientOf(world, to).receive(message);
  }
  assert(homeOf(world).receive(from, message), `a ${message.kind} that could not come`);
}

/** Calls for the lock as the step says. */
function begin(world: World, thread: Thread): void {
  const { pe, steps } = thread;
  const client = clientOf(world, pe);
  const step = steps[0]!;
  if (step === "together") {
    thread.ticket = -1 - world.together;
    client.expectTogether(thread.ticket);
    if (++world.called < world.clients.length) return;
    // The collective is over on the home now, which may be later on others.
    const ticket = -1 - world.together;
    world.called = 0;
    world.together++;
    return homeOf(world).askTogether(ticket);
  }
  thread.ticket = client.nextTicket;
  client.ask(step.startsWith("try") ? "try" : "ask", MODES[step] as LockMode);
}

function leave(world: World, thread: Thread): void {
  world.held.delete(`${thread.pe}/${thread.ticket}`);
  clientOf(world, thread.pe).leave(thread.ticket!);
  endStep(thread);
}

const MODEL: Model<World> = {
  moves(world) {
    const moves: Move<World>[] = [];
    for (const [key, { length }] of world.channels) {
      if (length === 0) continue;
      const [from, to] = key.split(">").map(Number) as [number, number];
      moves.push({
        name: `${key} arrives`,
        run: (state) => receive(state, from, to, state.channels.get(key)!.shift()!),
      });
    }
    world.threads.forEach(({ cancels, pe, steps, ticket, watches }, index) => {
      const change = (name: string, run: (state: World, thread: Thread) => void): void => {
        moves.push({ name: `${index} ${name}`, run: (state) => run(state, state.threads[index]!) });
      };
      if (steps.length === 0) return;
      if (ticket === undefined) return change(`asks to ${steps[0]}`, begin);
      if (world.held.has(`${pe}/${ticket}`)) return change("gives back", leave);
      if (cancels && steps[0] !== "together") {
        change("gives up", (state, thread) => {
          thread.cancels = false;
          leave(state, thread);
        });
      }
      if (watches > 0) {
        change("watches", (state, thread) => {
          thread.watches--;
          clientOf(state, pe).watch(ticket);
        });
      }
    });
    return moves;
  },
  check({ clients, held, homeState }) {
    const modes = [...held.values()];
    const alone = modes.filter((mode) => mode === "write").length;
    if (alone > 0) assertEquals(modes, ["write"], "a writer is not alone");
    if (modes.includes("together")) assert(modes.every((mode) => mode === "together"));
    const { holders } = homeState.lock;
    const shared = [...holders.values()].every(({ mode }) => mode === "read");
    assert(shared || holders.size === 1, "the home let a writer in with others");
    assert(clients.every(({ held: own }) => own.size <= held.size));
  },
  checkEnd({ clients, homeState, threads }) {
    assert(threads.every(({ steps }) => steps.length === 0), "a claim was never granted");
    assertEquals([homeState.lock.holders.size, homeState.lock.waiting.size], [0, 0]);
    for (const { held, waiting } of clients) assertEquals([held.size, waiting.size], [0, 0]);
  },
};

Deno.test("Three PEs share a lock: writers are alone and everybody gets it, in every order", () => {
  const counts = [
    newWorld(0, 3, [[0, ["write"]], [1, ["read", "write"], true], [2, ["read"]]]),
    newWorld(1, 3, [[0, ["write"], true], [0, ["read"]], [2, ["tryWrite", "write"], true]]),
    newWorld(2, 3, [[0, ["read"]], [1, ["tryRead"], true], [2, ["write"], true], [1, ["write"]]]),
    newWorld(0, 3, [[0, ["together"]], [1, ["together", "read"]], [2, ["write", "together"]]]),
    newWorld(0, 2, [[0, ["write"], true, 1], [1, ["write", "read"], true, 1]]),
  ].map((world) => exploreAll(MODEL, world));
  assert(counts.every((count) => count > 50), `${counts}`);
});

Deno.test("Five PEs share a lock in 10 000 random orders", () => {
  const seed = newSeed();
  const steps: Step[] = ["read", "read", "write", "tryRead", "tryWrite"];
  try {
    for (let run = 0; run < 10_000; run++) {
      const random = randomNumbers(seed + run);
      const pick = (): Step => steps[Math.floor(random() * steps.length)]!;
      const threads = Array.from({ length: 8 }, (_, i): [number, Step[], boolean, number] => [
        i % 5,
        i < 5 ? [pick(), "together", pick()] : [pick(), pick()],
        random() < 0.5,
        i % 2,
      ]);
      exploreOnce(MODEL, newWorld(run % 5, 5, threads), random);
    }
  } catch (cause) {
    throw new Error(`TEST_SEED=${seed}`, { cause });
  }
});

Deno.test("Readers that come after a waiting writer wait for it", () => {
  const sent: string[] = [];
  const home = new LockHome([0, 1, 2], (pe, { kind, ticket }) => {
    sent.push(`${pe} ${kind} ${ticket}`);
  });
  const ask = (pe: number, ticket: number, mode: LockMode): void => {
    assert(home.receive(pe, { kind: "ask", ticket, mode }));
  };
  ask(0, 0, "read");
  ask(1, 0, "read");
  ask(2, 0, "write");
  ask(0, 1, "read");
  assertEquals(sent.splice(0), ["0 grant 0", "1 grant 0"]);
  home.receive(1, { kind: "try", ticket: 1, mode: "read" });
  assertEquals(sent.splice(0), ["1 deny 1"]);
  home.receive(0, { kind: "leave", ticket: 0 });
  home.receive(1, { kind: "leave", ticket: 0 });
  assertEquals(sent.splice(0), ["2 grant 0"]);
  home.receive(2, { kind: "leave", ticket: 0 });
  assertEquals(sent.splice(0), ["0 grant 1"]);
});

Deno.test("Who waits is told who holds the lock, and whenever that changes", () => {
  const told: unknown[] = [];
  const home = new LockHome([0, 1, 2], (to, message) => {
    if (message.kind === "tell") told.push([to, message.pe, message.mode, message.count]);
  });
  home.receive(0, { kind: "ask", ticket: 0, mode: "write" });
  for (const pe of [1, 2]) home.receive(pe, { kind: "ask", ticket: 0, mode: "read" });
  home.receive(2, { kind: "ask", ticket: 1, mode: "write" });
  home.receive(2, { kind: "watch", ticket: 1 });
  assertEquals(told.splice(0), [[2, 0, "write", 1]]);
  home.receive(0, { kind: "leave", ticket: 0 });
  assertEquals(told.splice(0), [[2, 1, "read", 2]]);
  home.receive(1, { kind: "leave", ticket: 0 });
  assertEquals(told.splice(0), [[2, 2, "read", 1]]);
  home.receive(2, { kind: "leave", ticket: 0 });
  home.receive(2, { kind: "leave", ticket: 1 });
  home.askTogether(-1);
  home.receive(1, { kind: "ask", ticket: 7, mode: "read" });
  home.receive(1, { kind: "watch", ticket: 7 });
  assertEquals(told.splice(0), [[1, EVERYBODY, "write", 1]]);
});
