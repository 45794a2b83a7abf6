/** Prints one line of measurement, in the form that the C floors print too. */
export function printMetric(metric: string, value: number, unit: string): void {
  console.log(JSON.stringify({ metric, value: Number(value.toPrecision(6)), unit }));
}

/**
 * Repeats `work(count)` with growing counts until one call lasts `seconds`, which warms it up too.
 *
 * @param work does the work `count` times
 * @param seconds how long the counted call lasts at least
 * @returns the seconds one repetition takes
 */
export async function calibrated(
  work: (count: number) => void | Promise<void>,
  seconds: number,
): Promise<number> {
  let count = 1;
  for (;;) {
    const start = performance.now();
    await work(count);
    const elapsed = (performance.now() - start) / 1000;
    if (elapsed >= seconds) return elapsed / count;
    count = Math.ceil(count * Math.min(100, (seconds / Math.max(elapsed, 1e-6)) * 1.1)) + 1;
  }
}

/** Whether this thread is a Worker; `import.meta.main` is true in a Worker's first module too. */
export function insideWorker(): boolean {
  return "DedicatedWorkerGlobalScope" in globalThis;
}
