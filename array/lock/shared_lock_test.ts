import { assert, assertEquals } from "@std/assert";
import { exploreAll, exploreOnce, type Model, type Move } from "../../internal/explorer_test.ts";
import { newSeed, randomNumbers } from "../../internal/random_test_numbers.ts";
import {
  type ClaimState,
  giveBack,
  lockBytes,
  type LockMode,
  type LockWords,
  newClaim,
  passOver,
  STEP,
  stepClaim,
  tryTake,
  waits,
  withdraw,
} from "./shared_lock.ts";

/** A PE that takes the lock and gives it back, several times. */
interface Thread {
  /** What it still wants. */
  readonly wants: LockMode[];
  claim: ClaimState | undefined;
  /** How it holds the lock. */
  holds: LockMode | undefined;
  /** It sleeps until somebody rings. */
  asleep: boolean;
  /** Somebody rang since it looked. */
  rung: boolean;
  /** Whether it may give up. */
  readonly odd: boolean;
  gaveUp: number;
}

/** A claim that goes as far as the lock allows, and what its last step gave. */
function claimIn(words: LockWords, me: number, mode: LockMode): () => number {
  const claim = newClaim(me, mode);
  return () => {
    for (;;) {
      const step = stepClaim(words, claim, 3);
      if (step !== STEP.more) return step;
    }
  };
}

Deno.test("readers that come behind a writer wait for it while others still read", () => {
  const words = wordsOf(newWorld([[], [], []]));
  assert(tryTake(words, "read"));
  const writer = claimIn(words, 1, "write");
  const reader = claimIn(words, 2, "read");
  assertEquals([writer(), reader()], [STEP.held, STEP.held]);
  assert(giveBack(words, "read"));
  // The writer could take its turn now: if it does not, the reader passes it over.
  assertEquals(reader(), STEP.behind);
  assertEquals([writer(), reader()], [STEP.done, STEP.held]);
  assert(giveBack(words, "write"));
  assertEquals(reader(), STEP.done);
});

interface World {
  readonly words: number[];
  readonly threads: Thread[];
  readonly passes: boolean;
}

function newWorld(wants: LockMode[][], { odd = -1, passes = false } = {}): World {
  return {
    words: Array(lockBytes(wants.length) / 4).fill(0),
    threads: wants.map((list, i) => ({
      wants: [...list],
      claim: undefined,
      holds: undefined,
      asleep: false,
      rung: false,
      odd: i === odd,
      gaveUp: 0,
    })),
    passes,
  };
}

function wordsOf({ words }: World): LockWords {
  return {
    load: (word) => words[word]!,
    store: (word, value) => void (words[word] = value),
    add: (word, value) => (words[word]! += value) - value,
    exchange(word, expected, value) {
      const was = words[word]!;
      if (was === expected) words[word] = value;
      return was;
    },
  };
}

function ring(world: World): void {
  world.threads.forEach((thread, pe) => {
    if (waits(wordsOf(world), pe)) {
      thread.rung = true;
      thread.asleep = false;
    }
  });
}

function entered(world: World, me: number): void {
  const thread = world.threads[me]!;
  thread.holds = thread.wants.shift()!;
  thread.claim = undefined;
}

function begin(world: World, me: number): void {
  const thread = world.threads[me]!;
  if (tryTake(wordsOf(world), thread.wants[0]!)) return entered(world, me);
  thread.claim = newClaim(me, thread.wants[0]!);
  thread.rung = false;
  thread.asleep = false;
}

function step(world: World, me: number): void {
  const thread = world.threads[me]!;
  const claim = thread.claim!;
  const code = stepClaim(wordsOf(world), claim, world.threads.length);
  if (code === STEP.done) entered(world, me);
  else if (code === STEP.behind && world.passes) passOver(claim);
  else if (code !== STEP.more) {
    thread.asleep = !thread.rung;
    thread.rung = false;
  }
}

const model: Model<World> = {
  moves(world) {
    return world.threads.flatMap((thread, me): Move<World>[] => {
      const move = (name: string, run: (state: World) => void): Move<World> => ({
        name: `${name} ${me}`,
        run,
      });
      if (thread.holds !== undefined) {
        return [move("release", (state) => {
          const holder = state.threads[me]!;
          const { holds } = holder;
          holder.holds = undefined;
          if (giveBack(wordsOf(state), holds!)) ring(state);
        })];
      }
      if (thread.claim === undefined) {
        return thread.wants.length === 0 ? [] : [move("ask", (state) => begin(state, me))];
      }
      const moves: Move<World>[] = [];
      if (!thread.asleep) moves.push(move("step", (state) => step(state, me)));
      if (thread.odd && thread.claim.phase === "look" && thread.gaveUp === 0) {
        moves.push(move("give up", (state) => {
          const loser = state.threads[me]!;
          withdraw(wordsOf(state), loser.claim!);
          loser.claim = undefined;
          loser.wants.shift();
          loser.gaveUp++;
          ring(state);
        }));
      }
      return moves;
    });
  },
  check({ threads }) {
    const holders = threads.flatMap(({ holds }) => holds ?? []);
    assert(!holders.includes("write") || holders.length === 1, `${holders}`);
  },
  checkEnd({ threads, words }) {
    for (const [pe, { wants, claim }] of threads.entries()) {
      assertEquals([wants.length, claim], [0, undefined], `PE ${pe} waits for ever`);
    }
    assertEquals([words[0], words[1]], [0, 0]);
  },
};

const PROGRAMS: readonly LockMode[][][] = [
  [["write"], ["write"], ["write"]],
  [["read"], ["write"], ["read"]],
  [["write", "write"], ["write"]],
  [["read", "write"], ["write", "read"]],
  [["read", "read"], ["write"], ["read"]],
];

for (const [i, wants] of PROGRAMS.entries()) {
  Deno.test(`Writers are alone and nobody waits for ever, in every order: ${i}`, () => {
    assert(exploreAll(model, newWorld(wants)) > 50);
  });
  Deno.test(`The same where one gives up: ${i}`, () => {
    assert(exploreAll(model, newWorld(wants, { odd: 1 })) > 50);
  });
  Deno.test(`The same where PEs are passed over: ${i}`, () => {
    assert(exploreAll(model, newWorld(wants, { passes: true })) > 50);
  });
}

Deno.test("Five PEs in 10,000 random orders", () => {
  const seed = newSeed();
  const random = randomNumbers(seed);
  for (let i = 0; i < 10_000; i++) {
    const wants = Array.from(
      { length: 5 },
      () =>
        Array.from(
          { length: 1 + Math.floor(3 * random()) },
          (): LockMode => random() < 0.5 ? "read" : "write",
        ),
    );
    const odd = Math.floor(6 * random()) - 1;
    try {
      exploreOnce(model, newWorld(wants, { odd, passes: random() < 0.3 }), random);
    } catch (cause) {
      throw new Error(`seed ${seed}, round ${i}`, { cause });
    }
  }
});

Deno.test("Who asked first gets the lock first, also where tickets wrap", () => {
  const world = newWorld([["write"], ["write"], ["write"], ["read"], ["read"]]);
  world.words[2] = 2 ** 28 - 3;
  const words = wordsOf(world);
  assert(tryTake(words, "write"));
  const claims = [0, 2, 1, 4, 3].map((me) => newClaim(me, me < 3 ? "write" : "read"));
  for (const claim of claims) {
    let code = stepClaim(words, claim, 5);
    while (code === STEP.more) code = stepClaim(words, claim, 5);
    assertEquals(code, STEP.held);
  }
  assert(!tryTake(words, "write"));
  const order: number[] = [];
  assert(giveBack(words, "write"));
  for (let round = 0; round < 4; round++) {
    // Those who came later look first.
    for (const claim of claims.toReversed()) {
      if (claim.phase === "over") continue;
      let code = stepClaim(words, claim, 5);
      while (code === STEP.more) code = stepClaim(words, claim, 5);
      if (code !== STEP.done) continue;
      order.push(claim.me);
      if (claim.mode === "write") giveBack(words, "write");
    }
  }
  assertEquals(order, [0, 2, 1, 3, 4]);
  assert(!tryTake(words, "write"));
  assert(tryTake(words, "read"));
});
