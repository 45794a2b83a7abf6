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

/**
 * @param variable A variable and its value, such as `NAME=value`.
 * @returns The processes that have it in their environment and live, and all that is there.
 */
export function processesWith(variable: string): { pid: number; environ: readonly string[] }[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name))
    .map(({ name }) => ({ pid: Number(name), environ: environOf(name) }))
    .filter(({ pid, environ }) => environ.includes(variable) && isAlive(pid));
}

function environOf(pid: string): string[] {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/environ`).split("\0");
  } catch {
    // It has ended meanwhile, or is another user's.
    return [];
  }
}
