/**
 * The phases of a process's life in which the others do not watch over it yet, or no more: it says
 * what it does next, and a watcher that misses its signs of life says what it did then.
 *
 * @module
 */

/** What a process does, as said of it: "gave no sign of life while it …". */
export const LIFE_PHASES = {
  loading: "was loading",
  joining: "joined the job",
  greeting: "greeted the others",
  memory: "shared memory with the others",
  network: "opened the network",
  connecting: "connected to the others",
  pes: "started its PEs",
  ending: "ended",
} as const;

/** A phase of its start, or the one at its end. */
export type LifePhase = keyof typeof LIFE_PHASES;

/** What a process can say: a phase, or that the processes now watch each other. */
export type LifeWord = LifePhase | "started";

/**
 * How long a process may give no sign of life in these phases, in milliseconds; the phases
 * themselves may take as long as they need.
 */
export const LIFE_SILENCE_MS = 5000;

/**
 * @param word What a process said.
 * @returns Whether it names a phase.
 */
export function isLifePhase(word: string): word is LifePhase {
  return Object.hasOwn(LIFE_PHASES, word);
}
