import { assert, assertEquals } from "@std/assert";
import { exploreAll, exploreOnce, type Model, type Move } from "../../internal/explorer_test.ts";
import { ENTRY, Membership, type MemberState, NOBODY } from "./membership.ts";
import { newSeed, randomNumbers } from "../../internal/random_test_numbers.ts";

type Message = "request" | "answer" | "joined" | "left";

/** PEs that launch in a finish that PE 0 called, and what is left for them to do. */
interface World {
  readonly pes: MemberState[];
  /** Messages under way: those of a pair of PEs do not overtake each other. */
  readonly channels: Message[][];
  /** The handlers that run. */
  readonly handlers: { readonly pe: number; readonly from: number }[];
  launches: number;
  isBodyOver: boolean;
}

function newWorld(numPes: number, launches: number): World {
  const pes = Array.from({ length: numPes }, (_, pe) => Membership.initial(pe === 0));
  const channels = Array.from({ length: numPes * numPes }, () => []);
  return { pes, channels, handlers: [], launches, isBodyOver: false };
}

function machineOf({ pes }: World, pe: number): Membership {
  return new Membership(pe === 0, pes[pe]!);
}

function send(world: World, from: number, to: number, message: Message): void {
  world.channels[from * world.pes.length + to]!.push(message);
}

function launch(world: World, from: number, to: number): void {
  const machine = machineOf(world, from);
  const parent = machine.enter();
  assert(parent !== ENTRY.refused && parent !== from);
  if (parent >= 0) send(world, from, parent, "joined");
  machine.begin();
  send(world, from, to, "request");
}

function deliver(world: World, from: number, to: number): void {
  const machine = machineOf(world, to);
  switch (world.channels[from * world.pes.length + to]!.shift()) {
    case "request":
      machine.visit(from);
      return void world.handlers.push({ pe: to, from });
    case "answer":
      return machine.end();
    case "joined":
      return assert(machine.joined(from), "a PE joined below one that is not in the tree");
    case "left":
      return assert(machine.left(from), "a PE left that had not joined");
  }
}

const MODEL: Model<World> = {
  moves(world) {
    const moves: Move<World>[] = [];
    const can = (name: string, run: (state: World) => void): void => {
      moves.push({ name, run });
    };
    const numPes = world.pes.length;
    world.channels.forEach(([message], i) => {
      const [from, to] = [Math.floor(i / numPes), i % numPes];
      if (message) can(`${message} ${from}-${to}`, (state) => deliver(state, from, to));
    });
    const canLaunch = (pe: number): void => {
      for (let to = 0; world.launches > 0 && to < numPes; to++) {
        can(`${pe} launches on ${to}`, (state) => {
          state.launches--;
          launch(state, pe, to);
        });
      }
    };
    if (!world.isBodyOver) {
      canLaunch(0);
      can("the body ends", (state) => {
        state.isBodyOver = true;
        machineOf(state, 0).end();
      });
    }
    world.handlers.forEach(({ from, pe }, i) => {
      canLaunch(pe);
      can(`a handler on ${pe} ends`, (state) => {
        state.handlers.splice(i, 1);
        machineOf(state, pe).endVisit(from);
        send(state, pe, from, "answer");
      });
    });
    world.pes.forEach((_, pe) => {
      const machine = machineOf(world, pe);
      if (!machine.isIdle || !machine.isMember) return;
      can(`${pe} leaves`, (state) => {
        const parent = machineOf(state, pe).leave();
        if (parent !== NOBODY) send(state, pe, parent, "left");
      });
    });
    return moves;
  },
  check({ channels, handlers, isBodyOver, pes }) {
    for (const { own } of pes) assert(own >= 0);
    if (!pes[0]!.over) return;
    assert(isBodyOver && handlers.length === 0, "over while a handler runs");
    assert(channels.every((channel) => channel.length === 0), "over while a message is under way");
  },
  checkEnd({ pes }) {
    assert(pes[0]!.over, "never over");
    pes.forEach((state, pe) => {
      const visits = state.visits.map(() => 0);
      assertEquals(state, { ...Membership.initial(false), visits, over: pe === 0 });
    });
  },
};

Deno.test("A finish is over exactly when nothing of it is left, in every order", () => {
  const states = [[1, 4], [2, 4], [3, 3]].map(([numPes, launches]) => {
    return exploreAll(MODEL, newWorld(numPes!, launches!));
  });
  assert(states.every((count) => count > 20), `${states}`);
});

Deno.test("A finish of five PEs is over when nothing is left, in 10 000 random orders", () => {
  const seed = newSeed();
  try {
    for (let run = 0; run < 10_000; run++) {
      exploreOnce(MODEL, newWorld(5, 12), randomNumbers(seed + run));
    }
  } catch (cause) {
    throw new Error(`TEST_SEED=${seed}`, { cause });
  }
});

Deno.test("A PE on which no handler of a finish runs cannot launch in it", () => {
  const machine = new Membership(false, Membership.initial(false));
  assertEquals(machine.enter(), ENTRY.refused);
  machine.visit(3);
  machine.endVisit(3);
  assertEquals(machine.enter(), ENTRY.refused);
  machine.visit(2);
  assertEquals([machine.enter(), machine.enter()], [2, ENTRY.member]);
  machine.endVisit(2);
  assertEquals([machine.leave(), machine.enter()], [2, ENTRY.refused]);
});
