/** Prints one line of measurement, in the form that the C floors print too. */
export function printMetric(metric: string, value: number, unit: string): void {
  console.log(JSON.stringify({ metric, value: Number(value.toPrecision(6)), unit }));
}

/**
 * How long a program works before it is measured: V8 compiles in threads of its own, which takes
 * that long where PEs keep all cores busy.
 */
export const WARM_UP_SECONDS = 2;

/**
 * Repeats `work(count)` with growing counts until one call lasts `seconds`, once it is warm.
 *
 * @param work does the work `count` times
 * @param seconds how long the counted call lasts at least
 * @returns the seconds one repetition takes
 */
export async function calibrated(
  work: (count: number) => void | Promise<void>,
  seconds: number,
): Promise<number> {
  const warm = performance.now() + WARM_UP_SECONDS * 1000;
  let count = 1;
  for (;;) {
    const start = performance.now();
    await work(count);
    const elapsed = (performance.now() - start) / 1000;
    if (elapsed >= seconds && start >= warm) return elapsed / count;
    count = Math.ceil(count * Math.min(100, (seconds / Math.max(elapsed, 1e-6)) * 1.1)) + 1;
  }
}

/** Whether this thread is a Worker; `import.meta.main` is true in a Worker's first module too. */
export function insideWorker(): boolean {
  return "DedicatedWorkerGlobalScope" in globalThis;
}
