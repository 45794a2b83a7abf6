/** Runs a model in every order, or in random ones, for the tests of this folder. */

import { assert, assertEquals } from "@std/assert";

/** What can happen next, and how it changes a copy of the state. */
export interface Move<S> {
  readonly name: string;
  run(state: S): void;
}

/** Something that PEs and a network do together. Its state can be copied. */
export interface Model<S> {
  /** What can happen; nothing at the end. */
  moves(state: S): Move<S>[];
  /** Throws if the state must not be. */
  check(state: S): void;
  /** Throws if it must not end like this. */
  checkEnd(state: S): void;
}

/** Two states with one key are the same: times do not matter. */
function keyOf(state: unknown): string {
  return JSON.stringify(state, (key, value) => {
    if (key === "since" || key === "heldMs") return undefined;
    return value instanceof Map || value instanceof Set ? [...value] : value;
  });
}

/** Most states that are looked at, so that a model that is too large shows at once. */
const STATES_MAX = 2_000_000;

/**
 * Goes through every order in which things can happen.
 *
 * @param model The model.
 * @param initial Where it starts.
 * @returns How many different states there are.
 */
export function exploreAll<S>(model: Model<S>, initial: S): number {
  const seen = new Set<string>([keyOf(initial)]);
  const stack: { readonly state: S; readonly path: readonly string[] }[] = [
    { state: initial, path: [] },
  ];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { path, state } = next;
    const moves = model.moves(state);
    if (moves.length === 0) naming(path, () => model.checkEnd(state));
    for (const move of moves) {
      const after = structuredClone(state);
      const trail = [...path, move.name];
      naming(trail, () => {
        move.run(after);
        model.check(after);
      });
      const key = keyOf(after);
      if (seen.has(key)) continue;
      seen.add(key);
      assert(seen.size < STATES_MAX, "there are too many states");
      stack.push({ state: after, path: trail });
    }
  }
  return seen.size;
}

/**
 * Goes through one random order.
 *
 * @param model The model.
 * @param state Where it starts; it is changed.
 * @param random Gives numbers below 1.
 */
export function exploreOnce<S>(model: Model<S>, state: S, random: () => number): void {
  const path: string[] = [];
  for (let moves = model.moves(state); moves.length > 0; moves = model.moves(state)) {
    const move = moves[Math.floor(random() * moves.length)]!;
    path.push(move.name);
    naming(path, () => {
      move.run(state);
      model.check(state);
    });
  }
  naming(path, () => model.checkEnd(state));
}

function naming(path: readonly string[], run: () => void): void {
  try {
    run();
  } catch (cause) {
    throw new Error(`After ${path.join(", ")}`, { cause });
  }
}

Deno.test("The explorer goes through every order, and names the one that breaks a rule", () => {
  const orders: string[] = [];
  const model: Model<{ done: string }> = {
    moves: ({ done }) =>
      ["a", "b", "c"].filter((one) => !done.includes(one)).map((name) => ({
        name,
        run: (state) => void (state.done += name),
      })),
    check: () => {},
    checkEnd: ({ done }) => void orders.push(done),
  };
  assertEquals(exploreAll(model, { done: "" }), 16);
  assertEquals(orders.sort(), ["abc", "acb", "bac", "bca", "cab", "cba"]);
  const strict = { ...model, check: ({ done }: { done: string }) => assert(done !== "cb") };
  let message = "";
  try {
    exploreAll(strict, { done: "" });
  } catch (error) {
    message = (error as Error).message;
  }
  assertEquals(message, "After c, b");
});
