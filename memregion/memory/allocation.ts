/**
 * The memory behind regions. Every part of an allocation begins with a header of a cache line,
 * which tells which PEs still use it and which wait for a value in it; the elements follow.
 *
 * @module
 */

import {
  type Generation,
  type Lamella,
  PART_HEADER,
  PART_HEADER_BYTES,
} from "../../lamellae/mod.ts";

/** From the first element back to the word of the header that counts waits. */
const WAITS_BACK = PART_HEADER_BYTES - PART_HEADER.waits;
const GENERATION_BACK = PART_HEADER_BYTES - PART_HEADER.generation;

/** From here on, below 0, are the addresses of far parts: positions in memory not reached so. */
export const FAR_ADDRESS: number = -(2 ** 52);

/** What ends the use of all regions of a PE at once. */
export interface SpaceState {
  /** Why none can be used; the text continues "Cannot put into region 7: ". */
  closed: string;
  /** Why the job is failing, once this PE has noticed. */
  failure: Error | undefined;
}

/** Whose an allocation is, and what it is called. */
export interface Owners {
  /** Number of the region, for messages and on the wire. */
  readonly id: number;
  /** Such as "region 7". */
  readonly label: string;
  /** The PEs that have a part, as messages call them; undefined for a region of one PE. */
  readonly group: string | undefined;
  /** The group on the wire, `WORLD_ID` for the world and for a region of one PE. */
  readonly groupId: number;
  /** The PE of each part. */
  readonly pes: readonly number[];
  /**
   * What the header of each part has to hold: of memory that may be gone without this PE knowing.
   */
  readonly guard: Generation | undefined;
}

/** What an allocation needs of its space. */
export interface AllocationHost {
  readonly lamella: Lamella;
  /** What may end the use of all regions. */
  readonly state: SpaceState;
  /** Frees the memory, or tells the others that this PE is done with it. */
  readonly release: (allocation: Allocation, places: Places) => void;
}

/** Where the parts of an allocation are. */
export interface Places {
  /** Offsets of the elements in the segments of the PEs. */
  readonly offsets: readonly number[];
  /** Addresses of the elements, `FAR_ADDRESS` for far parts. */
  readonly addresses: readonly number[];
}

/** Where an allocation is; one for all handles and sub-regions on a PE. */
export class Allocation {
  readonly owners: Owners;
  /** The PE of each part. */
  readonly pes: readonly number[];
  /** The part in the memory of this PE, -1 if there is none. */
  readonly localPart: number;
  /** What the header of each part has to hold, if it has to be looked at. */
  readonly guard: Generation | undefined;
  /** Offsets of the elements in the segments of the PEs; none once it is closed. */
  offsets: readonly number[] = [];
  /** Addresses of the elements, `FAR_ADDRESS` for far parts; none once it is closed. */
  addresses: readonly number[] = [];
  /** Whether another process has the memory of some part. */
  hasFar = false;
  /** Why it cannot be used; the text continues "Cannot put into region 7: ". */
  closed = "";

  /** The range whose handle stands for the whole allocation on this PE. */
  root: object | undefined;

  /** What may end the use of all regions. */
  readonly state: SpaceState;
  readonly #host: AllocationHost;
  readonly #lamella: Lamella;
  readonly #words: Int32Array;
  /** How many collectives read or write the part of this PE. */
  #uses = 0;
  /** Where the parts are that are released once no collective uses that of this PE. */
  #late: Places | undefined;
  /** Where the header of each part counts waits, as indices of words. */
  #waitWords: readonly number[] = [];

  /**
   * @param host The space.
   * @param owners Whose it is.
   */
  constructor(host: AllocationHost, owners: Owners) {
    const { lamella } = host;
    this.#host = host;
    this.#lamella = lamella;
    this.state = host.state;
    this.#words = lamella.views.i32;
    this.owners = owners;
    this.pes = owners.pes;
    this.localPart = owners.pes.indexOf(lamella.pe);
    this.guard = owners.guard;
  }

  /** Number of the region. */
  get id(): number {
    return this.owners.id;
  }

  /** Whether it is a region of one PE. */
  get oneSided(): boolean {
    return this.owners.group === undefined;
  }

  /**
   * Tells where the parts are.
   *
   * @param offsets Offset of the elements in the segment of each PE.
   */
  place(offsets: readonly number[]): void {
    this.offsets = offsets;
    this.addresses = offsets.map((offset, part) => {
      const pe = this.pes[part]!;
      return this.#lamella.isNear(pe) ? this.#lamella.address(pe, offset) : FAR_ADDRESS;
    });
    this.hasFar = this.addresses.includes(FAR_ADDRESS);
    this.#waitWords = this.addresses.map((address) => (address - WAITS_BACK) / 4);
  }

  /**
   * Makes every use from now on an error.
   *
   * @param reason Why.
   */
  close(reason: string): void {
    this.closed = reason;
    this.offsets = [];
    this.addresses = [];
  }

  /** Gives the memory up on behalf of this PE, once no collective uses it. */
  release(): void {
    const { addresses, offsets } = this;
    this.close("it was disposed");
    if (this.#uses > 0) this.#late = { addresses, offsets };
    else this.#host.release(this, { addresses, offsets });
  }

  /** Keeps the memory for a collective, even if the program gives it up meanwhile. */
  keep(): void {
    this.#uses++;
  }

  /** Ends a use that `keep` began. */
  giveBack(): void {
    if (--this.#uses > 0 || !this.#late) return;
    this.#host.release(this, this.#late);
    this.#late = undefined;
  }

  /** The same allocation for a handle that is closed while others are not. */
  closedCopy(): Allocation {
    const copy = new Allocation(this.#host, this.owners);
    copy.close("it was disposed");
    return copy;
  }

  /**
   * Whether the memory of a part still is what the handle stands for. For a PE that has a part of a
   * shared region it always is; else that is seen in the header, and in the state of the space,
   * which does not know all handles from other PEs. Far headers are looked at by their PE, as part
   * of each operation.
   *
   * @param part The part, in range.
   * @returns Whether it is.
   */
  isCurrent(part: number): boolean {
    const { guard } = this;
    if (!guard) return true;
    if (this.state.closed) return false;
    const at = (this.addresses[part]! - GENERATION_BACK) / 4;
    if (at < 0) return true;
    const words = this.#words;
    return words[at] === guard.low && words[at + 1] === guard.high;
  }

  /**
   * Wakes the PE of a part if it waits for a value in it. Called after everything that writes.
   *
   * @param part The part written to.
   */
  written(part: number): void {
    if (this.#words[this.#waitWords[part]!] !== 0) {
      this.#lamella.wake(this.pes[part]!);
    }
  }

  /** As `written`, for all parts. */
  allWritten(): void {
    for (let part = 0; part < this.addresses.length; part++) this.written(part);
  }

  /**
   * Counts waits of this PE in its part, so that writers wake it.
   *
   * @param part The part of this PE.
   * @param change 1 or -1.
   */
  countWait(part: number, change: number): void {
    const address = this.addresses[part];
    if (address !== undefined) this.#lamella.kernels.add32(address - WAITS_BACK, change);
  }
}
