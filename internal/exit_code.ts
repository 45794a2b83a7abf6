/**
 * Exit codes as the system keeps them.
 *
 * @module
 */

/**
 * The exit code that a process can have for what was asked for. The system keeps 8 bits of it, so
 * that 256 would become 0: a failure must not look like success.
 *
 * @param asked What was asked for, usually a number.
 * @returns 0 for 0, else 1 to 255; 1 where nothing else is left of it.
 */
export function exitStatus(asked: unknown): number {
  const code = Number(asked);
  return code === 0 ? 0 : code & 255 || 1;
}
