/**
 * Ports for servers that tests start.
 *
 * @module
 */

/** Where to look: below what the system gives to connections by itself, which come and go. */
const FIRST = 10_000;
const LAST = 31_000;

/**
 * Finds free ports in a row. They are looked for from a random one on, so that tests that run at
 * the same time find different ones.
 *
 * @param count How many.
 * @returns The first of them.
 * @throws {Error} If there are none.
 */
export function freePorts(count: number): number {
  const start = crypto.getRandomValues(new Uint32Array(1))[0]!;
  for (let attempt = 0; attempt < 1000; attempt++) {
    const first = FIRST + (start + attempt * count) % (LAST - FIRST);
    if (areFree(first, count)) return first;
  }
  throw new Error(`Cannot find ${count} free ports in a row`);
}

function areFree(first: number, count: number): boolean {
  const listeners: Deno.TcpListener[] = [];
  try {
    for (let at = 0; at < count; at++) listeners.push(Deno.listen({ port: first + at }));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  } finally {
    for (const listener of listeners) listener.close();
  }
}
