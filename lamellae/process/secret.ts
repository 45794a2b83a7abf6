/**
 * The secret of a job: every process adds random bits of its own, so that it is no more predictable
 * than the best of them, and only those who heard the greetings know it. By what is derived from
 * it, a process tells messages of the job from those of strangers.
 *
 * @module
 */

import { createHash, createHmac, randomBytes } from "node:crypto";

/** Random bytes that each process adds. */
const SHARE_BYTES = 16;

/**
 * @returns What this process adds, in hexadecimal digits.
 */
export function makeShare(): string {
  return randomBytes(SHARE_BYTES).toString("hex");
}

/**
 * @param share What a process says it adds.
 * @returns Whether it is of the form of {@linkcode makeShare}.
 */
export function isShare(share: unknown): share is string {
  return typeof share === "string" && share.length === 2 * SHARE_BYTES && /^[0-9a-f]+$/.test(share);
}

/**
 * @param shares What each process adds, by rank.
 * @returns The secret, the same in every process.
 */
export function secretOf(shares: readonly string[]): Uint8Array {
  return createHash("sha256").update(`lamellar secret ${shares.join(" ")}`).digest();
}

/**
 * Derives what messages begin with: another token for each target, so that a process that gets
 * messages meant for one process cannot send to the others.
 *
 * @param secret The secret of the job.
 * @param processes How many processes there are.
 * @returns Two words for each, by rank.
 */
export function messageTokens(secret: Uint8Array, processes: number): Int32Array {
  const tokens = new Int32Array(2 * processes);
  for (let rank = 0; rank < processes; rank++) {
    const digest = createHmac("sha256", secret).update(`lamellar message ${rank}`).digest();
    tokens[2 * rank] = digest.readInt32LE(0);
    tokens[2 * rank + 1] = digest.readInt32LE(4);
  }
  return tokens;
}
