/**
 * The standard input of the launcher, for the first process.
 *
 * @module
 */

/** How much is passed on at once. */
const INPUT_BYTES = 64 * 1024;
/** How often a job in the background looks whether it has come to the foreground. */
const LOOK_MS = 500;

/**
 * Reads a piece. A job in the background of a terminal waits until it is in the foreground: reading
 * would stop the launcher, and its agents would take it for lost.
 *
 * @returns The piece in base64; empty once the input has ended or cannot be read.
 */
export async function readInput(): Promise<string> {
  while (isInBackground()) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  const buffer = new Uint8Array(INPUT_BYTES);
  try {
    return buffer.subarray(0, await Deno.stdin.read(buffer) ?? 0).toBase64();
  } catch {
    return "";
  }
}

/** Without the permission to find out, the answer is no, as it is where there is no /proc. */
function isInBackground(): boolean {
  if (!Deno.stdin.isTerminal()) return false;
  try {
    return isBackground(Deno.readTextFileSync("/proc/self/stat"));
  } catch {
    return false;
  }
}

/**
 * Tells from the kernel's line on a process whether its terminal is another process group's.
 *
 * @param stat What `/proc/self/stat` holds, as proc(5) describes it.
 * @returns Whether the process is in the background.
 */
export function isBackground(stat: string): boolean {
  // The name before the last parenthesis may hold anything.
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return foreground !== "-1" && group !== foreground;
}
