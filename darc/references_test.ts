import { assert, assertEquals } from "@std/assert";
import { exploreAll, exploreOnce, type Model, type Move } from "../internal/explorer_test.ts";
import { References, type ReferenceState } from "./references.ts";
import { newSeed, randomNumbers } from "../internal/random_test_numbers.ts";

/** A message under way; those of one pair may overtake each other. */
type Message =
  | { readonly kind: "handle"; readonly from: number; readonly to: number }
  | { readonly kind: "acknowledge"; readonly to: number; readonly count: number };

/** PEs that send each other handles, and what is left for them to do. */
interface World {
  readonly home: number;
  readonly pes: ReferenceState[];
  readonly messages: Message[];
  sends: number;
  clones: number;
  upgrades: number;
}

function newWorld(
  numPes: number,
  home: number,
  budget: Pick<World, "sends" | "clones" | "upgrades">,
): World {
  const pes = Array.from({ length: numPes }, (_, pe) => References.initial(pe, home, numPes));
  return { home, pes, messages: [], ...budget };
}

/** The machine of a PE over the state of the model. */
function machineOf(world: World, pe: number): References {
  const acknowledge = (to: number, count: number): void => {
    world.messages.push({ kind: "acknowledge", to, count });
  };
  return new References(pe, world.home, acknowledge, world.pes[pe]!);
}

function deliver(world: World, index: number): void {
  const [message] = world.messages.splice(index, 1);
  if (message!.kind === "handle") machineOf(world, message!.to).arrived(message!.from);
  else assert(machineOf(world, message!.to).acknowledged(message!.count));
}

const MODEL: Model<World> = {
  moves(world) {
    const moves: Move<World>[] = world.messages.map(({ kind, to }, index) => ({
      name: `${kind} to ${to}`,
      run: (state) => deliver(state, index),
    }));
    world.pes.forEach(({ held }, pe) => {
      const change = (name: string, run: (state: World) => void): void => {
        moves.push({ name: `${pe} ${name}`, run });
      };
      if (held > 0) change("releases", (state) => machineOf(state, pe).release());
      if (held > 0 && world.clones > 0) {
        change("clones", (state) => {
          state.clones--;
          machineOf(state, pe).take();
        });
      }
      if (held === 0 && world.upgrades > 0 && machineOf(world, pe).isMember) {
        change("upgrades", (state) => {
          state.upgrades--;
          machineOf(state, pe).take();
        });
      }
      if (held === 0 || world.sends === 0) return;
      for (let to = 0; to < world.pes.length; to++) {
        change(`sends to ${to}`, (state) => {
          state.sends--;
          machineOf(state, pe).sent();
          state.messages.push({ kind: "handle", from: pe, to });
        });
      }
    });
    return moves;
  },
  check({ home, messages, pes }) {
    for (const { held, unacknowledged } of pes) assert(held >= 0 && unacknowledged >= 0);
    if (!pes[home]!.over) return;
    assert(pes.every(({ held }) => held === 0), "freed while it is held");
    assert(messages.length === 0, "freed while a message is under way");
  },
  checkEnd({ home, pes }) {
    assert(pes[home]!.over, "never freed");
    for (const { parent, unacknowledged } of pes) assertEquals([parent, unacknowledged], [-1, 0]);
  },
};

Deno.test("A Darc of three PEs is freed exactly when nobody has it, in every order", () => {
  const states = [
    exploreAll(MODEL, newWorld(3, 0, { sends: 2, clones: 1, upgrades: 1 })),
    exploreAll(MODEL, newWorld(3, 2, { sends: 3, clones: 0, upgrades: 0 })),
    exploreAll(MODEL, newWorld(2, 1, { sends: 3, clones: 1, upgrades: 1 })),
    exploreAll(MODEL, newWorld(1, 0, { sends: 3, clones: 2, upgrades: 1 })),
  ];
  assert(states.every((count) => count > 20), `${states}`);
});

Deno.test("A Darc of five PEs is freed exactly when nobody has it, in 10 000 random orders", () => {
  const seed = newSeed();
  try {
    for (let run = 0; run < 10_000; run++) {
      const world = newWorld(5, run % 5, { sends: 10, clones: 3, upgrades: 2 });
      exploreOnce(MODEL, world, randomNumbers(seed + run));
    }
  } catch (cause) {
    throw new Error(`TEST_SEED=${seed}`, { cause });
  }
});

Deno.test("An acknowledgement of more handles than were sent is refused", () => {
  const machine = new References(0, 1, () => {}, References.initial(0, 1, 2));
  assertEquals(machine.acknowledged(1), false);
  machine.sent();
  assertEquals([machine.acknowledged(0), machine.acknowledged(2)], [false, false]);
  assertEquals(machine.acknowledged(1), true);
});
