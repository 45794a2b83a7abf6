/**
 * Which processes live.
 *
 * @module
 */

/** How often is looked, in milliseconds. */
const LOOK_MS = 20;

/**
 * @param pid A process.
 * @returns Whether it runs; one that only waits to be buried does not.
 */
export function isAlive(pid: number): boolean {
  return !["gone", "Z", "X"].includes(stateOf(pid));
}

/**
 * @param pid A process.
 * @returns Its state as the kernel gives it, such as `R`, `S` or `T`; `gone` if there is none.
 */
export function stateOf(pid: number): string {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
  } catch {
    return "gone";
  }
}

/**
 * Waits until something holds.
 *
 * @param holds What.
 * @param limitMs How long, in milliseconds.
 * @returns Whether it came to hold.
 */
export async function becomes(holds: () => boolean, limitMs: number): Promise<boolean> {
  const start = performance.now();
  while (!holds()) {
    if (performance.now() - start > limitMs) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return true;
}

/**
 * @param pid A process.
 * @returns Its children.
 */
export function childrenOf(pid: number): number[] {
  const text = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
  return text.trim().split(" ").filter(Boolean).map(Number);
}
