/**
 * The alarm of a completion queue over TCP. With each completion libfabric writes a byte into a
 * socket of its own, lest a thread sleep on that waits for the descriptors of the queue, and reads
 * it at the next look: two calls into the system for every transfer, a tenth of the time of a small
 * one, and for nobody while no thread sleeps. So the alarm can be taken out of the set of
 * descriptors that looks ask, whereupon the first byte stays in it and no other is written, and put
 * back for each sleep.
 *
 * Seen in libfabric 1.17 (prov/tcp/src/tcpx_cq.c, include/ofi_signal.h). Where the descriptors of a
 * queue look different, nothing is done.
 *
 * @module
 */

import { openLibc } from "./libc.ts";
import { cString } from "./native.ts";

const SETS = {
  // int open(const char *pathname, int flags)
  open: { parameters: ["buffer", "i32"], result: "i32" },
  // ssize_t read(int fd, void buf[.count], size_t count)
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // int getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen)
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
} as const;

type Sets = Deno.DynamicLibrary<typeof SETS>["symbols"];

/** `O_CLOEXEC`; reads only. */
const OPEN_FLAGS = 0x80000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const AF_UNIX = 1;
/** Far more than a set with a single descriptor takes. */
const TEXT_BYTES = 4096;
/** A descriptor in a set, as proc_pid_fdinfo(5) describes it. */
const MEMBER = /^tfd:\s*(\d+) events:\s*([0-9a-f]+) data:\s*([0-9a-f]+)/gm;

/** A descriptor in a set of epoll(7): plain data. */
export interface AlarmPlace {
  /** The set. */
  readonly set: number;
  /** The descriptor. */
  readonly fd: number;
  /** What of it the set asks for. */
  readonly events: number;
  /** What the set says when it comes. */
  readonly data: bigint;
}

/**
 * Looks for the alarm of a queue whose endpoint has no connections yet.
 *
 * @param fd The descriptor of the queue
 * @param provider The provider
 * @param version The version of libfabric
 * @returns Where it is, or undefined if none was found
 */
export function findAlarm(fd: number, provider: string, version: string): AlarmPlace | undefined {
  const libc = provider === "tcp;ofi_rxm" && version === "1.17" ? openLibc(SETS) : undefined;
  if (!libc) return undefined;
  // The queue's set holds the set of the sockets, in which there is nothing but the alarm so far.
  const sets = membersOf(libc.symbols, fd).map((inner) => membersOf(libc.symbols, inner.fd));
  const places = sets.filter((members) => members.length === 1).flat()
    .filter((member) => isLocal(libc.symbols, member.fd));
  libc.close();
  return places.length === 1 ? places[0] : undefined;
}

function membersOf({ open, read, close }: Sets, set: number): AlarmPlace[] {
  const file = open(cString(`/proc/self/fdinfo/${set}`), OPEN_FLAGS);
  if (file < 0) return [];
  const room = new Uint8Array(TEXT_BYTES);
  const length = Math.max(0, Number(read(file, room, BigInt(TEXT_BYTES))));
  close(file);
  const text = new TextDecoder().decode(room.subarray(0, length));
  return [...text.matchAll(MEMBER)].map(([, fd, events, data]) => ({
    set,
    fd: Number(fd),
    events: parseInt(events!, 16),
    data: BigInt(`0x${data}`),
  }));
}

function isLocal({ getsockname }: Sets, fd: number): boolean {
  const address = new Uint8Array(128);
  const length = new Uint32Array([address.length]);
  const code = getsockname(fd, address, new Uint8Array(length.buffer));
  return code === 0 && new Uint16Array(address.buffer)[0] === AF_UNIX;
}

/** The alarm of a queue, as one thread uses it. */
export class QueueAlarm {
  readonly #place: AlarmPlace;
  readonly #control: Sets["epoll_ctl"];
  /** `struct epoll_event`, which is packed on some machines. */
  readonly #event: Uint8Array<ArrayBuffer>;

  /**
   * @param place Where it is when it is on
   */
  constructor(place: AlarmPlace) {
    this.#place = place;
    this.#control = openLibc(SETS)!.symbols.epoll_ctl;
    const event = new DataView(new ArrayBuffer(16));
    event.setUint32(0, place.events, true);
    event.setBigUint64(Deno.build.arch === "x86_64" ? 4 : 8, place.data, true);
    this.#event = new Uint8Array(event.buffer);
  }

  /** Puts it back: from now on completions wake the thread that sleeps in the queue. */
  arm(): void {
    this.#control(this.#place.set, EPOLL_CTL_ADD, this.#place.fd, this.#event);
  }

  /** Takes it out: nobody sleeps. */
  silence(): void {
    this.#control(this.#place.set, EPOLL_CTL_DEL, this.#place.fd, this.#event);
  }
}
