/**
 * What a network provider offers to the layers above; all they know of one.
 *
 * Guarantees. *Order:* frames from one PE to another arrive once, whole, and in the order they were
 * committed; memory operations of one PE at another are done in the order in which they were
 * started; puts and gets come in any order, and nothing is promised between different pairs.
 * *Nearness:* the memory of *near* PEs is mapped in this process and used directly; that of *far*
 * ones is reached by puts, gets and memory operations only. *Progress:* frames move while both
 * sides call in; a put, a get or a memory operation needs nothing of the program of its target.
 * `poll` and `wait` look at the network at least once, `isPending` never does. *Completion:* a put,
 * get or operation that returned 0, or whose ticket is no longer pending, is done: the bytes are
 * visible at the target, and to whatever handles a frame committed after it. That a ticket is done
 * wakes this PE, whichever thread noticed it. *Failure:* once a PE failed, `failure()` says so on
 * every PE and every wait returns {@linkcode WAIT_FAILED} within a slice; no wait is longer than
 * what it was given.
 *
 * @module
 */

import type { Kernels } from "../internal/kernels.ts";
import type { MemoryViews } from "../internal/memory_views.ts";
import type { LamellarError } from "../internal/errors.ts";
import type { SegmentHeap } from "./segment_heap.ts";

/** A wait ran out of time. */
export const WAIT_TIMEOUT = 0;
/** A wait ended because the job is failing. */
export const WAIT_FAILED = 2;
/** A wait ended because something happened since the event counter was read. */
export const WAIT_EVENT = 3;

/** What a PE is doing, for the watchdog. */
export const ACTIVITY = {
  /** In the program, or in a handler. */
  running: 0,
  /** Inside a blocking wait. */
  blocked: 1,
  /** Nothing to do: the event loop is idle or waits for something that is not ours. */
  idle: 2,
  /** The program has ended and the PE serves the others. */
  serving: 3,
  /** Inside a blocking wait that ends by itself after a time. */
  limited: 4,
} as const;

/** What a PE waits for, for the watchdog; the texts continue "waits for …". */
export const WAIT_KINDS = [
  "nothing",
  "an AM to finish",
  "a collective",
  "all its AMs to finish",
  "room in the ring",
  "a value in a region",
  "a task or an async handler of its own",
  "memory of another process",
  "the network to take what it sends",
  "a lock of a Darc",
  "the last other references to a Darc",
  "the end of a finish",
] as const;

/** Index into {@linkcode WAIT_KINDS}. */
export const WAIT_FOR = {
  nothing: 0,
  am: 1,
  collective: 2,
  all: 3,
  room: 4,
  value: 5,
  task: 6,
  memory: 7,
  network: 8,
  lock: 9,
  references: 10,
  finish: 11,
} as const;

/**
 * Tells whether only the program of another PE can end a wait, not one of its handlers.
 *
 * @param kind What is waited for.
 * @returns Whether it is so.
 */
export function waitsForPrograms(kind: number): boolean {
  return kind === WAIT_FOR.collective || kind === WAIT_FOR.value;
}

/**
 * Handles frames. Each begins with its length in bytes, a 32-bit multiple of 8; a length of 0 ends
 * the part.
 *
 * @param source The PE that sent them.
 * @param views The memory that holds them.
 * @param at Address of the first frame.
 * @param end Address after the last.
 * @returns Address after the last frame that was handled; what is left comes again.
 */
export type FrameSink = (source: number, views: MemoryViews, at: number, end: number) => number;

/** How the PEs of a group tell each other that they have come to a collective. */
export interface Signals {
  /**
   * Tells a partner that this PE is there. Handlers run meanwhile if that is a message.
   *
   * @param pe The partner.
   * @param slot The slot it waits at.
   * @param sequence Number of the turn in its lane: see `lanes.ts`.
   * @param tag Kind and arguments of the collective.
   * @param known Of how many PEs, this one and those before it, contributions are here already;
   * the partner gets them before the signal. 0 if nothing is contributed.
   */
  signal(pe: number, slot: number, sequence: number, tag: number, known: number): void;
  /** Whether a slot has the signal of this number; its tag is then `tagOf`. */
  signalled(slot: number, sequence: number): boolean;
  /** The tag that came with a signal. */
  tagOf(slot: number, sequence: number): number;
  /**
   * The area of what `pe` contributed to the turn of this number. This PE writes its own before it
   * signals; it is `EXCHANGE_AREA_BYTES` long.
   */
  exchange(pe: number, sequence: number): Uint8Array;
}

/** A network provider, seen from one PE; its signals are those of all PEs of the world. */
export interface Lamella extends Signals {
  /** Its name, as in `LAMELLAR_BACKEND`. */
  readonly name: string;
  /** This PE, or this client. */
  readonly pe: number;
  /** Number of PEs of the world. */
  readonly numPes: number;
  /**
   * PEs and clients, which send and get frames: a client is a program at whose service the PEs are.
   * Its number follows those of the PEs; it has no segment and no place in collectives.
   */
  readonly numNodes: number;
  /** Tells regions of one session from those of others; 0 if there are none. */
  readonly session: number;
  /** Number of PEs on this host. */
  readonly neighbours: number;
  /** The memory of this process. */
  readonly views: MemoryViews;
  /** Kernels over that memory. */
  readonly kernels: Kernels;
  /** Allocator of this PE's own segment. */
  readonly heap: SegmentHeap;
  /**
   * Address of this PE's area for what kernels work on, as `internal/staging.ts` divides it: the
   * runtime takes nothing of the segment for itself.
   */
  readonly staging: number;
  /**
   * Offset in the segment of any PE at which its area for collectives begins, behind its heap, as
   * `internal/collective_area.ts` divides it.
   */
  readonly collectiveOffset: number;
  /** Most bytes of one frame. */
  readonly frameBytesMax: number;
  /** Bytes put into memory of other PEs so far. */
  readonly bytesPut: number;

  /**
   * @param pe A PE.
   * @returns Whether its memory is mapped in this process, so that `address` reaches it.
   */
  isNear(pe: number): boolean;
  /**
   * @param pe A near PE.
   * @param offset Offset into its segment in bytes.
   * @returns Address in `views` where that byte can be reached directly.
   */
  address(pe: number, offset: number): number;
  /**
   * Starts to copy `bytes` from an address of this process to an offset in the segment of `pe`. The
   * source has to stay as it is until that is done.
   *
   * @returns 0 if it is done already, as it always is with a near PE; else a ticket for
   * `isPending`, a positive integer.
   */
  put(pe: number, offset: number, source: number, bytes: number): number;
  /**
   * Starts to copy `bytes` from an offset in the segment of `pe` to an address of this process.
   *
   * @returns 0 if it is done already, as it always is with a near PE; else a ticket.
   */
  get(pe: number, offset: number, target: number, bytes: number): number;
  /**
   * As `put`, for memory outside of `views` and a far PE.
   *
   * @returns 0 if it is done already, else a ticket.
   */
  putBytes(pe: number, offset: number, source: Uint8Array): number;
  /**
   * As `get`, for memory outside of `views` and a far PE.
   *
   * @returns 0 if it is done already, else a ticket.
   */
  getBytes(pe: number, offset: number, target: Uint8Array): number;
  /**
   * Starts an operation of `memory_operations.ts` at the memory of a far PE, where `serveOperation`
   * does it. Both arrays have at most `operationBytesMax` bytes, and stay as they are until it is
   * done; `reply` is filled by then.
   *
   * @returns 0 if it is done already, else a ticket.
   */
  operate(pe: number, request: Uint8Array, reply: Uint8Array): number;
  /** Most bytes of a request and of a reply of `operate`; 0 if no PE is far. */
  readonly operationBytesMax: number;
  /**
   * Whether what a ticket stands for is still under way; its end changes `events`. A ticket that is
   * not pending is free, and must not be asked for again.
   *
   * @throws {LamellarError} Once, if it failed; it is free then.
   */
  isPending(ticket: number): boolean;

  /**
   * Makes room for a frame.
   *
   * @param pe The target.
   * @param bytes Its length, a multiple of 8, at most `frameBytesMax`.
   * @returns Where to write it, or -1 if there is no room now.
   */
  reserve(pe: number, bytes: number): number;
  /** Adds the frame written at the last reserved place; it moves with the next `publish`. */
  commit(pe: number, bytes: number): void;
  /** Lets the target see all committed frames. */
  publish(pe: number): void;
  /** Asks to be woken once `pe` has made room. */
  wantRoom(pe: number): void;
  /** Hands received frames of one source to the sink. Returns how many bytes were handled. */
  poll(sink: FrameSink): number;

  /** The event counter: it changes whenever something happened that may concern this PE. */
  events(): number;
  /**
   * Waits until the event counter differs from `seen`.
   *
   * @param seen The counter as read before looking for work.
   * @param spins Loads before anything else.
   * @param yields How often the core is then offered to others, where the system lets us.
   * @param timeoutMs Longest sleep after that in milliseconds; 0 does not sleep.
   * @returns `WAIT_TIMEOUT`, `WAIT_FAILED` or `WAIT_EVENT`.
   */
  wait(seen: number, spins: number, yields: number, timeoutMs: number): number;
  /**
   * As `wait`, without blocking the event loop. A promise that is still pending is returned again.
   *
   * @param seen The counter as read before looking for work.
   * @returns A promise that settles when something happens, or null if the counter differs already.
   */
  waitAsync(seen: number): Promise<unknown> | null;
  /**
   * Whether this PE has begun something that its network has not taken yet: it has to look again by
   * itself, since nobody wakes it for that.
   */
  readonly mustLook: boolean;
  /**
   * About how long it takes to wake a PE that waits by `waitAsync`, in milliseconds: looking for as
   * long before that is worth it.
   */
  readonly wakeMs: number;
  /** Wakes a PE that may wait for a value just written to its memory. */
  wake(pe: number): void;

  /** Waits for a signal as `wait` waits for an event. */
  waitSignal(
    slot: number,
    sequence: number,
    seen: number,
    spins: number,
    yields: number,
    timeoutMs: number,
  ): number;
  /** Most slots a collective may use. */
  readonly slotsMax: number;

  /** Tells the watchdog what this PE does. */
  report(activity: number, waitKind: number, waitPe: number): void;
  /** Tells it in words what a wait of this kind is for; cut where it is too long. */
  note(waitKind: number, text: string): void;
  /** Counts work done, so that the watchdog sees progress. */
  countProgress(): void;
  /** Why the job is failing, or null. */
  failure(): LamellarError | null;
  /** Ends the job because of this PE. */
  fail(error: unknown): void;
  /**
   * Makes no call of the network any more, whatever is asked afterwards: once every PE of a process
   * has come here, its supervisor closes what they used.
   */
  retire(): void;
}
