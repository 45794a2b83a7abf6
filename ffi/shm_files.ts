/**
 * The files of the `shm` provider. It keeps a file in /dev/shm for each endpoint, which stays there
 * when its process is killed. Ours have names that say whose they are, so that they can be removed
 * without touching anybody else's.
 *
 * @module
 */

import { FABRIC } from "./fabric_abi.ts";
import { openLibc } from "./libc.ts";
import { cString, libc, textAt, viewAt } from "./native.ts";

const FOLDER = "/dev/shm/";

/** Where the name stands in `struct dirent` of 64-bit Linux. */
const D_NAME = 19n;

const FILES = {
  // DIR *opendir(const char *name)
  opendir: { parameters: ["buffer"], result: "u64" },
  // struct dirent *readdir(DIR *dirp)
  readdir: { parameters: ["u64"], result: "u64" },
  // int closedir(DIR *dirp)
  closedir: { parameters: ["u64"], result: "i32" },
  // int unlink(const char *pathname)
  unlink: { parameters: ["buffer"], result: "i32" },
  // int access(const char *pathname, int mode)
  access: { parameters: ["buffer", "i32"], result: "i32" },
  // ssize_t readlink(const char *pathname, char buf[.bufsiz], size_t bufsiz)
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
} as const;

let count = 0;

/**
 * The start of the names of this system's files: process numbers mean something in one namespace of
 * processes only, and several may share /dev/shm.
 */
function prefix(files: Deno.DynamicLibrary<typeof FILES>): string {
  const room = new Uint8Array(64);
  const length = files.symbols.readlink(cString("/proc/self/ns/pid"), room, 64n);
  const text = new TextDecoder().decode(room.subarray(0, Math.max(0, Number(length))));
  return `lamellar-${/\d+/.exec(text)?.[0] ?? "0"}-`;
}

/**
 * Gives an endpoint of `shm` a name of ours, and removes what processes that no longer exist have
 * left.
 *
 * @param info The address of the `struct fi_info` that the endpoint is to be opened by
 */
export function nameForShm(info: bigint): void {
  const { symbols } = libc("use libfabric");
  sweepShm();
  const files = openLibc(FILES);
  if (files === undefined) return;
  const name = `${prefix(files)}${Deno.pid}-${count++}`;
  files.close();
  const view = viewAt(info, FABRIC.fi_info.bytes);
  const { src_addr, src_addrlen } = FABRIC.fi_info;
  symbols.free(view.getBigUint64(src_addr, true));
  view.setBigUint64(src_addr, symbols.strdup(cString(name)), true);
  view.setBigUint64(src_addrlen, BigInt(name.length + 1), true);
}

/**
 * Removes the files of processes that no longer exist: of those of this library only, and only of
 * processes that this one would see if they were alive.
 *
 * @param own Whether this process is about to be one of them
 * @returns The names of the files that were removed
 */
export function sweepShm(own = false): string[] {
  const files = openLibc(FILES);
  const removed: string[] = [];
  if (files === undefined) return removed;
  const start = prefix(files);
  for (const name of listFolder(files)) {
    if (!name.startsWith(start)) continue;
    const pid = /^(\d+)-/.exec(name.slice(start.length))?.[1];
    if (pid === undefined) continue;
    const lives = files.symbols.access(cString(`/proc/${pid}`), 0) === 0;
    if (lives && !(own && Number(pid) === Deno.pid)) continue;
    if (files.symbols.unlink(cString(FOLDER + name)) === 0) removed.push(name);
  }
  files.close();
  return removed;
}

function listFolder(files: Deno.DynamicLibrary<typeof FILES>): string[] {
  const folder = files.symbols.opendir(cString(FOLDER));
  if (folder === 0n) return [];
  const names: string[] = [];
  for (let entry = 1n; entry !== 0n;) {
    entry = files.symbols.readdir(folder);
    if (entry !== 0n) names.push(textAt(entry + D_NAME));
  }
  files.symbols.closedir(folder);
  return names;
}
