/**
 * On which host a process is, by what cannot be set: names of hosts can be the same, and containers
 * of one host have networks of their own.
 *
 * @module
 */

import { procFiles } from "./proc_file.ts";

/** A random number of each start of the system. */
const BOOT_ID = "sys/kernel/random/boot_id";
/** A symbolic link that names the network namespace. */
const NETWORK = "self/ns/net";

/**
 * @returns A text that is the same in processes whose loopback is the same, and in no others; an
 * empty one where that cannot be found out.
 */
export function networkPlace(): string {
  const files = procFiles();
  const boot = files?.read(BOOT_ID)?.trim();
  const network = files?.link(NETWORK);
  return boot && network ? `${boot} ${network}` : "";
}
