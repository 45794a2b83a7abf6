/**
 * Atomic operations from JavaScript. The only file that names `Atomics`: hot paths use the kernels,
 * and what remains (the supervisor, the sleep of an idle PE) goes through here.
 *
 * @module
 */

/**
 * Loads a word.
 *
 * @param words The view.
 * @param index The word's index.
 * @returns Its value.
 */
export function atomicLoad(words: Int32Array, index: number): number {
  return Atomics.load(words, index);
}

/**
 * Stores a word.
 *
 * @param words The view.
 * @param index The word's index.
 * @param value The value to store.
 */
export function atomicStore(words: Int32Array, index: number, value: number): void {
  Atomics.store(words, index, value);
}

/**
 * Adds to a word.
 *
 * @param words The view.
 * @param index The word's index.
 * @param value What to add.
 * @returns The value before.
 */
export function atomicAdd(words: Int32Array, index: number, value: number): number {
  return Atomics.add(words, index, value);
}

/**
 * Replaces a word if it holds the expected value.
 *
 * @param words The view.
 * @param index The word's index.
 * @param expected The value it has to hold.
 * @param replacement The value to store.
 * @returns The value before.
 */
export function atomicCompareExchange(
  words: Int32Array,
  index: number,
  expected: number,
  replacement: number,
): number {
  return Atomics.compareExchange(words, index, expected, replacement);
}

/**
 * Blocks the thread until a word is notified, no longer holds a value, or time is over.
 *
 * @param words The view.
 * @param index The word's index.
 * @param value The value to wait on.
 * @param limitMs The longest wait.
 */
export function atomicWait(
  words: Int32Array,
  index: number,
  value: number,
  limitMs: number,
): void {
  Atomics.wait(words, index, value, limitMs);
}

/**
 * Wakes all threads that wait for a word.
 *
 * @param words The view.
 * @param index The word's index.
 */
export function atomicNotifyAll(words: Int32Array, index: number): void {
  Atomics.notify(words, index);
}

/**
 * Waits for a word without blocking the event loop, and without keeping it alive
 * (https://github.com/denoland/deno/issues/15358).
 *
 * @param words The view.
 * @param index The word's index.
 * @param value The value to wait on.
 * @returns A promise that settles when the word is notified, or null if it does not hold `value`
 * now.
 */
export function atomicWaitAsync(
  words: Int32Array,
  index: number,
  value: number,
): Promise<unknown> | null {
  const waiting = Atomics.waitAsync(words, index, value);
  return waiting.async ? waiting.value : null;
}
