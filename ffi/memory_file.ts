/**
 * Files in memory (`memfd_create(2)`), by which processes of one host share memory: one makes a
 * file, tells the others where it is below /proc, and all map it. Such a file leaves nothing
 * behind, whatever happens to its process.
 *
 * @module
 */

import { openLibc } from "./libc.ts";
import { cString } from "./native.ts";

const FILES = {
  // int memfd_create(const char *name, unsigned int flags)
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  // int fchmod(int fd, mode_t mode)
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  // int ftruncate(int fd, off_t length)
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  // int open(const char *pathname, int flags)
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // off_t lseek(int fd, off_t offset, int whence)
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  // ssize_t pread(int fd, void buf[.count], size_t count, off_t offset)
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
  // ssize_t pwrite(int fd, const void buf[.count], size_t count, off_t offset)
  pwrite: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
  // int getrlimit(int resource, struct rlimit *rlim)
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  // void *mmap(void addr[.length], size_t length, int prot, int flags, int fd, off_t offset)
  mmap: { parameters: ["u64", "usize", "i32", "i32", "i32", "i64"], result: "i64" },
} as const;

const MFD_CLOEXEC = 1;
/** Nobody but the user may open it: memfd_create(2) lets everybody. */
const MODE = 0o600;
/** O_RDWR, O_CLOEXEC; O_NONBLOCK and O_NOCTTY, should the path lead to something else. */
const OPEN_FLAGS = 0x80902;
const SEEK_END = 2;
const RLIMIT_FSIZE = 1;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x01;
const MAP_FIXED = 0x10;
/** Large files take no memory, nor a promise of it, before they are touched. */
const MAP_NORESERVE = 0x4000;

type Files = Deno.DynamicLibrary<typeof FILES>["symbols"];

let files: Files | undefined;

function openFiles(): Files | undefined {
  if (Deno.build.os !== "linux") return undefined;
  return files ??= openLibc(FILES)?.symbols;
}

/** The limit of `ulimit -f`: a process that goes beyond it is ended by a signal. */
function longestFile(files: Files): bigint {
  const limits = new BigUint64Array(2);
  files.getrlimit(RLIMIT_FSIZE, new Uint8Array(limits.buffer));
  return limits[0]!;
}

/** A file in memory that this process has open. */
export class MemoryFile {
  readonly #files: Files;
  #fd: number;

  private constructor(files: Files, fd: number) {
    this.#files = files;
    this.#fd = fd;
  }

  /**
   * Makes an empty file, which only processes of the same user may open.
   *
   * @param name Its name in lists of what a process has open
   * @returns The file, or undefined where there can be none
   */
  static create(name: string): MemoryFile | undefined {
    const files = openFiles();
    const fd = files?.memfd_create(cString(name), MFD_CLOEXEC) ?? -1;
    if (!files || fd < 0) return undefined;
    if (files.fchmod(fd, MODE) === 0) return new MemoryFile(files, fd);
    files.close(fd);
    return undefined;
  }

  /**
   * Opens the file of another process.
   *
   * @param path Where it is, below /proc
   * @returns The file, or undefined if it cannot be reached
   */
  static open(path: string): MemoryFile | undefined {
    const files = openFiles();
    const fd = files?.open(cString(`/proc/${path}`), OPEN_FLAGS) ?? -1;
    return files && fd >= 0 ? new MemoryFile(files, fd) : undefined;
  }

  /** Its length. Who touches memory behind the end of its file is killed. */
  get bytes(): number {
    return Number(this.#files.lseek(this.#fd, 0n, SEEK_END));
  }

  /**
   * Gives it a length; what is added is zeros.
   *
   * @param bytes The length
   * @returns Whether it could be
   */
  resize(bytes: number): boolean {
    if (bytes > longestFile(this.#files)) return false;
    return this.#files.ftruncate(this.#fd, BigInt(bytes)) === 0;
  }

  /** Where other processes find it, below /proc, until it is closed. */
  get path(): string {
    return `${Deno.pid}/fd/${this.#fd}`;
  }

  /**
   * Reads a 32-bit word.
   *
   * @param at Where it is
   * @returns The word; undefined if it cannot be read
   */
  read32(at: number): number | undefined {
    const word = new Int32Array(1);
    const bytes = this.#files.pread(this.#fd, new Uint8Array(word.buffer), 4n, BigInt(at));
    return Number(bytes) === 4 ? word[0] : undefined;
  }

  /**
   * Writes a 32-bit word.
   *
   * @param at Where to
   * @param value The word
   * @returns Whether it could be written
   */
  write32(at: number, value: number): boolean {
    return this.write(at, new Uint8Array(Int32Array.of(value).buffer));
  }

  /**
   * Writes bytes.
   *
   * @param at Where to
   * @param bytes The bytes
   * @returns Whether all could be written
   */
  write(at: number, bytes: Uint8Array<ArrayBuffer>): boolean {
    const { length } = bytes;
    return Number(this.#files.pwrite(this.#fd, bytes, BigInt(length), BigInt(at))) === length;
  }

  /**
   * Maps the file, which stays mapped when it is closed.
   *
   * @returns The address, or 0n if it cannot be mapped
   */
  map(): bigint {
    return this.#map(0n, 0, this.bytes, 0);
  }

  /**
   * Maps a piece of the file in the place of what is at an address.
   *
   * @param at The address, a multiple of the size of a page as the others are
   * @param from Where the piece begins in the file
   * @param bytes Its length
   * @returns Whether it could be mapped
   */
  mapAt(at: bigint, from: number, bytes: number): boolean {
    return this.#map(at, from, bytes, MAP_FIXED) === at;
  }

  #map(at: bigint, from: number, bytes: number, flags: number): bigint {
    const address = this.#files.mmap(
      at,
      BigInt(bytes),
      PROT_READ_WRITE,
      MAP_SHARED | MAP_NORESERVE | flags,
      this.#fd,
      BigInt(from),
    );
    return address === -1n ? 0n : address;
  }

  /** Lets nobody open it any more. Idempotent. */
  close(): void {
    if (this.#fd >= 0) this.#files.close(this.#fd);
    this.#fd = -1;
  }
}
