/**
 * Finds out that the objects of a PE took more memory than they may. V8 then ends whatever code
 * runs. Deno ends the Worker if that was a timer; if it was anything else nobody is told, and the
 * Worker lives on without its program. But V8 raises the limit to get that far, and that shows.
 *
 * @module
 */

/** How often the limit is looked at, in milliseconds. */
const TICK_MS = 100;

/**
 * @param objectBytesMax How much they may take.
 * @returns What happened.
 */
export function fullText(objectBytesMax: number): string {
  return `its objects need more than ${objectBytesMax} bytes of memory (objectBytesMax)`;
}

/**
 * Watches over the memory of this PE.
 *
 * @param onFull Called once if its objects took too much.
 */
export async function watchMemory(onFull: () => void): Promise<void> {
  const { getHeapStatistics } = await import("node:v8");
  const limit = getHeapStatistics().heap_size_limit;
  const timer = setInterval(() => {
    if (getHeapStatistics().heap_size_limit <= limit) return;
    clearInterval(timer);
    onFull();
  }, TICK_MS);
  Deno.unrefTimer(timer as unknown as number);
}
