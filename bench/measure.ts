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

/** How round trips are measured: many at once, or one by one. */
export type Figure = "together" | "mean" | "median" | "p99";

/**
 * Measures round trips once they are warm. One by one they take as long as is asked for, however
 * long any of them takes, and each a little more: the clock is read after it.
 *
 * @param figure whether many are timed together, or what is told of those that are timed one by one
 * @param work makes `count` round trips
 * @param seconds how long they are timed at least
 * @returns the seconds that one takes
 */
export async function roundTrip(
  figure: Figure,
  work: (count: number) => void | Promise<void>,
  seconds: number,
): Promise<number> {
  if (figure === "together") return await calibrated(work, seconds);
  const times: number[] = [];
  const warm = performance.now() + WARM_UP_SECONDS * 1000;
  const until = warm + seconds * 1000;
  for (let end = performance.now(); end < until;) {
    const start = end;
    await work(1);
    end = performance.now();
    if (start >= warm) times.push(end - start);
  }
  return timeOf(figure, times) / 1000;
}

function timeOf(figure: Figure, times: readonly number[]): number {
  if (figure === "mean") return times.reduce((sum, time) => sum + time, 0) / times.length;
  return atPercent(times, figure === "median" ? 50 : 99);
}

/**
 * The smallest of the values that so many percent of all do not exceed (the nearest rank).
 *
 * @param values at least one
 * @param percent above 0, up to 100
 */
export function atPercent(values: readonly number[], percent: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.ceil(sorted.length * percent / 100) - 1]!;
}

/** How long the work lasts that is timed as one by {@linkcode fastestTenth}. */
const STRETCH_SECONDS = 0.02;

/**
 * Times stretches of work once it is warm. Where cores are virtual, the host puts them near each
 * other or far apart, for seconds at a time: a cache line takes 55 or 330 ns from one to the other,
 * and a transfer over TCP 12 or 19 us. The fastest tenth of the stretches compares like with like.
 *
 * @param work does the work `count` times
 * @param seconds how long it is timed altogether
 * @returns the seconds one repetition takes in the stretch that a tenth of all are faster than
 */
export function fastestTenth(work: (count: number) => void, seconds: number): number {
  const stretch = (count: number): number => {
    const start = performance.now();
    work(count);
    return (performance.now() - start) / 1000;
  };
  const warm = performance.now() + WARM_UP_SECONDS * 1000;
  let count = 1;
  for (let took = 0; took < STRETCH_SECONDS || performance.now() < warm;) {
    took = stretch(count);
    if (took < STRETCH_SECONDS) count *= 2;
  }
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  do times.push(stretch(count) / count); while (performance.now() < end);
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 10)]!;
}

/** Whether this thread is a Worker; `import.meta.main` is true in a Worker's first module too. */
export function insideWorker(): boolean {
  return "DedicatedWorkerGlobalScope" in globalThis;
}
