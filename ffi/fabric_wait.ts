/**
 * Sleeping in a completion queue by its file descriptor. `fi_cq_sread(3)` sleeps until something
 * completes; here a sleep also ends when the network does something that completes nothing, such as
 * taking what another process puts.
 *
 * @module
 */

import { FABRIC, FI } from "./fabric_abi.ts";
import { baseOperation, type FabricObject, operation } from "./fabric_object.ts";
import { openLibc } from "./libc.ts";
import { functionAt, wordAt } from "./native.ts";
import { type AlarmPlace, findAlarm, QueueAlarm } from "./queue_alarm.ts";

const POLL = {
  // int poll(struct pollfd *fds, nfds_t nfds, int timeout)
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
} as const;

const POLLIN = 1;
/** Sleeps in a row that ended for nothing, after which a descriptor is restless. */
const VAIN_MAX = 32;
/** The same where it has been restless before. */
const VAIN_AGAIN_MAX = 4;

/** `int (*trywait)(struct fid_fabric *fabric, struct fid **fids, int count)` */
const TRYWAIT = { parameters: ["u64", "buffer", "i32"], result: "i32" } as const;

/** What a thread needs to sleep in a queue: plain data. */
export interface WaitObject {
  /** The address of the fabric. */
  readonly fabric: bigint;
  /** The address of the queue. */
  readonly cq: bigint;
  /** The descriptor of the queue; it belongs to the queue. */
  readonly fd: number;
  /** Its alarm, if only a thread that sleeps needs it. */
  readonly alarm: AlarmPlace | undefined;
}

/**
 * Asks a queue for its descriptor.
 *
 * @param fabric The fabric
 * @param cq The queue, opened with `FI_WAIT_FD`
 * @param provider The provider
 * @param version The version of libfabric
 * @returns What sleeps need, or undefined if the provider does not give it away
 */
export function waitObject(
  fabric: FabricObject,
  cq: FabricObject,
  provider: string,
  version: string,
): WaitObject | undefined {
  // int (*control)(struct fid *fid, int command, void *arg)
  const control = functionAt(baseOperation(cq, "control", provider), {
    parameters: ["u64", "i32", "buffer"],
    result: "i32",
  });
  const out = new Int32Array([-1]);
  const code = control.call(cq.fid, FI.FI_GETWAIT, new Uint8Array(out.buffer));
  const fd = out[0]!;
  if (code !== 0 || fd < 0) return undefined;
  return { fabric: fabric.fid, cq: cq.fid, fd, alarm: findAlarm(fd, provider, version) };
}

/** Sleeps in a queue, in one thread at a time. */
export class QueueWait {
  readonly #fabric: bigint;
  readonly #trywait: Deno.UnsafeFnPointer<typeof TRYWAIT>;
  readonly #queues: Uint8Array<ArrayBuffer>;
  readonly #poll: Deno.DynamicLibrary<typeof POLL>["symbols"]["poll"];
  /** `struct pollfd`: a descriptor, and the events that are wanted. */
  readonly #descriptor: Uint8Array<ArrayBuffer>;
  readonly #alarm: QueueAlarm | undefined;
  /** Sleeps in a row that ended for nothing. */
  #vain = 0;

  /**
   * @param object What to sleep in
   * @param provider The provider, for errors
   * @throws {FeatureLevelError} If the provider lacks a function
   */
  constructor({ fabric, cq, fd, alarm }: WaitObject, provider: string) {
    this.#fabric = fabric;
    const table = wordAt(fabric + BigInt(FABRIC.fid_fabric.ops));
    const trywait = operation(table, FABRIC.fi_ops_fabric.trywait, "fi_trywait", provider);
    this.#trywait = functionAt(trywait, TRYWAIT);
    this.#queues = new Uint8Array(new BigUint64Array([cq]).buffer);
    this.#poll = openLibc(POLL)!.symbols.poll;
    this.#descriptor = new Uint8Array(new Int32Array([fd, POLLIN]).buffer);
    this.#alarm = alarm && new QueueAlarm(alarm);
  }

  /**
   * Whether the descriptor does not come to rest, as on `net`: then nobody can sleep by it. A
   * stream of transfers may look like that too.
   */
  get restless(): boolean {
    return this.#vain >= VAIN_MAX;
  }

  /** Whether the last sleep ended for nothing. */
  get vain(): boolean {
    return this.#vain > 0 && !this.restless;
  }

  /** Tries the descriptor again: a sleep by other means has been long. */
  retry(): void {
    if (this.restless) this.#vain = VAIN_MAX - VAIN_AGAIN_MAX;
  }

  /**
   * Sleeps until something happens, unless it has happened already.
   *
   * @param timeoutMs Longest sleep in milliseconds
   * @param called Whether somebody has asked this thread to wake, before they signalled: signals
   * until the sleep begins are lost
   * @param look Reads the queue; returns how much came
   * @param alertMs How long to ask the descriptor before the sleep, in milliseconds
   * @returns What it returned
   */
  sleep(timeoutMs: number, called: () => boolean, look: () => number, alertMs = 0): number {
    const ended = this.alarmed(() =>
      this.#trywait.call(this.#fabric, this.#queues, 1) === 0 && !called() &&
      (this.#stirs(alertMs) || this.#poll(this.#descriptor, 1n, timeoutMs) > 0)
    );
    const came = look();
    // After a look there is something again only in a stream, or for ever.
    const vain = ended && came === 0 && this.#poll(this.#descriptor, 1n, 0) > 0;
    this.#vain = vain ? this.#vain + 1 : 0;
    return came;
  }

  /** Takes the alarm out of the queue until somebody sleeps; nobody may sleep now. */
  silence(): void {
    this.#alarm?.silence();
  }

  /**
   * Sleeps in the queue by whatever means, with its alarm on; afterwards it is silent.
   *
   * @param sleep Sleeps
   * @returns What it returned
   */
  alarmed<T>(sleep: () => T): T {
    this.#alarm?.arm();
    try {
      return sleep();
    } finally {
      this.silence();
    }
  }

  /** Asks the descriptor for a while whether something happens. */
  #stirs(forMs: number): boolean {
    if (forMs === 0) return false;
    const end = performance.now() + forMs;
    do {
      if (this.#poll(this.#descriptor, 1n, 0) > 0) return true;
    } while (performance.now() < end);
    return false;
  }
}
