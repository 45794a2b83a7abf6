/**
 * The memory behind regions. Every part of an allocation begins with a header of a cache line,
 * which tells who still uses it and who waits for a value in it; the elements follow.
 *
 * @module
 */

import { type Generation, type Lamella, PART_HEADER, PART_HEADER_BYTES } from "../lamellae/mod.ts";

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

/** Where an allocation lies; one for all handles and sub-regions on a PE. */
export class Allocation {
  /** Number of the region, for messages and on the wire. */
  readonly id: number;
  /** The PE whose memory part 0 is; part n lies on the n-th PE after it. */
  readonly firstPe: number;
  /** What the header of a one-sided region has to hold. */
  readonly generation: Generation | undefined;
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
  readonly #onRelease: (allocation: Allocation) => void;
  readonly #lamella: Lamella;
  readonly #words: Int32Array;
  /** Where the header of each part counts waits, as indices of words. */
  #waitWords: readonly number[] = [];

  /**
   * @param lamella The provider.
   * @param state What may end the use of all regions.
   * @param onRelease Frees the memory, or tells the others that this PE is done with it.
   * @param id Number of the region.
   * @param firstPe The PE of part 0.
   * @param generation What the header of a one-sided region has to hold.
   */
  constructor(
    lamella: Lamella,
    state: SpaceState,
    onRelease: (allocation: Allocation) => void,
    id: number,
    firstPe: number,
    generation?: Generation,
  ) {
    this.#lamella = lamella;
    this.state = state;
    this.#onRelease = onRelease;
    this.#words = lamella.views.i32;
    this.id = id;
    this.firstPe = firstPe;
    this.generation = generation;
  }

  /** Whether it is a region of one PE. */
  get oneSided(): boolean {
    return this.generation !== undefined;
  }

  /**
   * Tells where the parts are.
   *
   * @param offsets Offset of the elements in the segment of each PE.
   */
  place(offsets: readonly number[]): void {
    this.offsets = offsets;
    this.addresses = offsets.map((offset, part) => {
      const pe = this.firstPe + part;
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

  /** Gives the memory up on behalf of this PE. */
  release(): void {
    this.#onRelease(this);
    this.close("it was disposed");
  }

  /** The same allocation for a handle that is closed while others are not. */
  closedCopy(): Allocation {
    const { id, firstPe, generation, state } = this;
    const release = this.#onRelease;
    const copy = new Allocation(this.#lamella, state, release, id, firstPe, generation);
    copy.close("it was disposed");
    return copy;
  }

  /**
   * Whether the memory still is what the handle stands for. A shared region always is; of a
   * one-sided one, that is seen in its header, and in the state of the space, which does not know
   * all handles from other PEs. Far headers are looked at by their PE, as part of each operation.
   */
  get current(): boolean {
    const { generation } = this;
    if (!generation) return true;
    if (this.state.closed) return false;
    const at = (this.addresses[0]! - GENERATION_BACK) / 4;
    if (at < 0) return true;
    const words = this.#words;
    return words[at] === generation.low && words[at + 1] === generation.high;
  }

  /**
   * Wakes the PE of a part if it waits for a value in it. Called after everything that writes.
   *
   * @param part The part written to.
   */
  written(part: number): void {
    if (this.#words[this.#waitWords[part]!] !== 0) {
      this.#lamella.ring(this.firstPe + part);
    }
  }

  /** As `written`, for all parts. */
  allWritten(): void {
    for (let part = 0; part < this.addresses.length; part++) this.written(part);
  }

  /**
   * Counts waits of this PE in its part, so that writers ring.
   *
   * @param part The part of this PE.
   * @param change 1 or -1.
   */
  countWait(part: number, change: number): void {
    const address = this.addresses[part];
    if (address !== undefined) this.#lamella.kernels.add32(address - WAITS_BACK, change);
  }
}
