/**
 * Reads files below /proc by the C library: no permission to read covers them.
 *
 * @module
 */

import { openLibc } from "./libc.ts";
import { cString, textAt } from "./native.ts";

/** O_CLOEXEC. */
const OPEN_FLAGS = 0x80000;
const PIECE_BYTES = 16 * 1024;
/** Most that is read of a file; an environment can be long. */
const BYTES_MAX = 1024 * 1024;
const LINK_BYTES_MAX = 4096;

/** Where the name stands in `struct dirent` of 64-bit Linux. */
const D_NAME = 19n;

/** Files and folders, by their names below /proc. */
export interface ProcFiles {
  /** The text of a file; undefined if it cannot be read. */
  read(path: string): string | undefined;
  /** The names in a folder; none if it cannot be read. */
  list(path: string): string[];
  /** Where a symbolic link leads; undefined if it cannot be read. */
  link(path: string): string | undefined;
}

/**
 * @returns The files below /proc; undefined where that cannot be read.
 */
export function procFiles(): ProcFiles | undefined {
  const library = Deno.build.os !== "linux" ? undefined : openLibc({
    // int open(const char *pathname, int flags)
    open: { parameters: ["buffer", "i32"], result: "i32" },
    // ssize_t read(int fd, void buf[.count], size_t count)
    read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    // int close(int fd)
    close: { parameters: ["i32"], result: "i32" },
    // DIR *opendir(const char *name)
    opendir: { parameters: ["buffer"], result: "u64" },
    // struct dirent *readdir(DIR *dirp)
    readdir: { parameters: ["u64"], result: "u64" },
    // int closedir(DIR *dirp)
    closedir: { parameters: ["u64"], result: "i32" },
    // ssize_t readlink(const char *restrict pathname, char *restrict buf, size_t bufsiz)
    readlink: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
  });
  if (!library) return undefined;
  const { open, read, close, opendir, readdir, closedir, readlink } = library.symbols;
  const readFile = (path: string): string | undefined => {
    const fd = open(cString(`/proc/${path}`), OPEN_FLAGS);
    if (fd < 0) return undefined;
    const decoder = new TextDecoder();
    const room = new Uint8Array(PIECE_BYTES);
    let text = "";
    for (let left = BYTES_MAX; left > 0;) {
      const bytes = Number(read(fd, room, BigInt(PIECE_BYTES)));
      if (bytes <= 0) break;
      text += decoder.decode(room.subarray(0, bytes), { stream: true });
      left -= bytes;
    }
    close(fd);
    return text;
  };
  const list = (path: string): string[] => {
    const folder = opendir(cString(`/proc/${path}`));
    if (folder === 0n) return [];
    const names: string[] = [];
    for (let entry = readdir(folder); entry !== 0n; entry = readdir(folder)) {
      names.push(textAt(entry + D_NAME));
    }
    closedir(folder);
    return names.filter((name) => name !== "." && name !== "..");
  };
  const link = (path: string): string | undefined => {
    const room = new Uint8Array(LINK_BYTES_MAX);
    const bytes = Number(readlink(cString(`/proc/${path}`), room, BigInt(LINK_BYTES_MAX)));
    return bytes < 0 ? undefined : new TextDecoder().decode(room.subarray(0, bytes));
  };
  return { read: readFile, list, link };
}
