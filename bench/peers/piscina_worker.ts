/** The task that piscina.ts runs in its pool. */
export function increment(value: number): number {
  return value + 1;
}
