/**
 * The line that a benchmark program prints, with the figures that lamellar-benchmarks prints too.
 *
 * @param program the name of the program
 * @param variant how the work travelled
 * @param updates how many updates all PEs made together
 * @param seconds how long it took
 * @returns million updates a second, the injection rate of 8-byte indices there and back, the time
 */
export function reportLine(
  program: string,
  variant: string,
  updates: number,
  seconds: number,
): string {
  const rate = (updates * 1e-6) / seconds;
  const injection = (8 * 2 * updates * 1e-9) / seconds;
  return `${program} ${variant}: ${updates} updates, ${rate.toFixed(3)} MUPS, ` +
    `${injection.toFixed(3)} GB/s injected, ${seconds.toFixed(4)} s, verified`;
}

/**
 * What is left when the first runs are for warming up.
 *
 * @param rates the rate of each run, in their order
 * @returns the median of the later half
 */
export function steadyRate(rates: readonly number[]): number {
  const later = rates.slice(rates.length >> 1).sort((a, b) => a - b);
  return later[later.length >> 1] ?? NaN;
}
