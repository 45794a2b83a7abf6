/**
 * futex(2): threads of all processes that have mapped a word sleep until it is woken. The futex of
 * WebAssembly and JavaScript knows the threads of its own process only.
 *
 * @module
 */

import { openLibc } from "./libc.ts";

const PARAMETERS = ["i64", "u64", "i32", "u32", "buffer", "u64", "u32"] as const;

const FUTEX = {
  // long syscall(SYS_futex, uint32_t *uaddr, int futex_op, uint32_t val,
  //              const struct timespec *timeout, uint32_t *uaddr2, uint32_t val3)
  syscall: { parameters: PARAMETERS, result: "i64" },
  aside: { name: "syscall", parameters: PARAMETERS, result: "i64", nonblocking: true },
} as const;

const SYS_FUTEX: Readonly<Record<string, bigint>> = { x86_64: 202n, aarch64: 98n };
const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;

/** Sleeps and wakes, for one thread. */
export class Futex {
  readonly #calls: Deno.DynamicLibrary<typeof FUTEX>["symbols"];
  readonly #number: bigint;
  readonly #time = new BigInt64Array(2);
  readonly #timeBytes = new Uint8Array(this.#time.buffer);

  private constructor(calls: Deno.DynamicLibrary<typeof FUTEX>["symbols"], number: bigint) {
    this.#calls = calls;
    this.#number = number;
  }

  /**
   * @returns The calls, or undefined where foreign functions are not allowed or there is no futex.
   */
  static open(): Futex | undefined {
    const number = Deno.build.os === "linux" ? SYS_FUTEX[Deno.build.arch] : undefined;
    const calls = number === undefined ? undefined : openLibc(FUTEX)?.symbols;
    return number === undefined || !calls ? undefined : new Futex(calls, number);
  }

  /**
   * Sleeps while a word is what it is said to be, until it is woken.
   *
   * @param address Where the word is
   * @param value What it has to be for the sleep to begin
   * @param timeoutMs Longest sleep in milliseconds
   */
  wait(address: bigint, value: number, timeoutMs: number): void {
    this.#setTime(timeoutMs);
    this.#calls.syscall(this.#number, address, FUTEX_WAIT, value, this.#timeBytes, 0n, 0);
  }

  /**
   * As `wait`, on another thread. To be called again only once that is over.
   *
   * @param address Where the word is
   * @param value What it has to be for the sleep to begin
   * @param timeoutMs Longest sleep in milliseconds
   */
  async waitAside(address: bigint, value: number, timeoutMs: number): Promise<void> {
    this.#setTime(timeoutMs);
    await this.#calls.aside(this.#number, address, FUTEX_WAIT, value, this.#timeBytes, 0n, 0);
  }

  #setTime(ms: number): void {
    this.#time[0] = BigInt(Math.floor(ms / 1000));
    this.#time[1] = BigInt(Math.round((ms % 1000) * 1e6));
  }

  /**
   * Wakes one thread that sleeps by a word.
   *
   * @param address Where the word is
   */
  wake(address: bigint): void {
    this.#calls.syscall(this.#number, address, FUTEX_WAKE, 1, null, 0n, 0);
  }
}
