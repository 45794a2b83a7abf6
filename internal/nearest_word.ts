/**
 * Guesses which word was meant by a mistyped one.
 *
 * @module
 */

/**
 * Finds the word that is most like another.
 *
 * @param word What was written.
 * @param known The words there are.
 * @param distanceMax How many letters may differ.
 * @returns The nearest one; undefined if none is near enough.
 */
export function nearestWord(
  word: string,
  known: readonly string[],
  distanceMax: number,
): string | undefined {
  let best: string | undefined;
  let bestDistance = distanceMax + 1;
  for (const one of known) {
    const distance = editDistance(word, one);
    if (distance < bestDistance) [best, bestDistance] = [one, distance];
  }
  return best;
}

/** How many letters must be put in, left out or exchanged to turn one text into the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const exchange = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, exchange));
    }
    row = next;
  }
  return row[b.length]!;
}
