/**
 * Finding files of the project, for its scripts.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** Folders that hold nothing of ours. */
const FOREIGN: readonly string[] = ["node_modules", "coverage", "vendor"];

/** The folder of the project, with a slash at its end. */
export const ROOT: string = fileURLToPath(new URL("../", import.meta.url));

/**
 * Finds the files below a folder, leaving out hidden ones and what is not ours.
 *
 * @param folder Where to start, with a slash at its end
 * @param suffix How the names end
 * @returns Paths from `folder`, sorted
 */
export function findFiles(folder: string, suffix: string): string[] {
  const found: string[] = [];
  function visit(prefix: string): void {
    for (const entry of Deno.readDirSync(folder + prefix)) {
      if (entry.name.startsWith(".") || FOREIGN.includes(entry.name)) continue;
      if (entry.isDirectory) visit(`${prefix}${entry.name}/`);
      else if (entry.name.endsWith(suffix)) found.push(prefix + entry.name);
    }
  }
  visit("");
  return found.sort();
}
