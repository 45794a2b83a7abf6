/**
 * The parts of shared regions, as one PE knows them: where they are, when they can be freed, and
 * how a PE finds them that has none.
 *
 * In front of each part is a table of all parts: the offset of each in the memory of its PE, and
 * for a team's region the PE of each. A part is free again once every PE that has one has disposed
 * the region. A PE outside the team, or a client, does not know when that is: the header of each
 * part holds a number that follows from the team and the region, and is looked at with each of
 * their operations.
 *
 * @module
 */

import { ProtocolError } from "../internal/errors.ts";
import { ALLOCATION_ALIGN } from "../internal/limits.ts";
import {
  beginRequest,
  type Generation,
  type Lamella,
  OPERATION,
  PART_HEADER,
  PART_HEADER_BYTES,
  type PeGroup,
  REPLY_HEAD_BYTES,
  replyDone,
  WORLD_ID,
} from "../lamellae/mod.ts";
import {
  Allocation,
  type AllocationHost,
  type Owners,
  type Places,
  type SpaceState,
} from "./memory/allocation.ts";
import type { FarWork } from "./transfer/pending.ts";
import { firstNumberOf, sessionOf, shownNumber } from "../internal/session_numbers.ts";
import type { SharedWire } from "./wire.ts";

/** Regions of other teams that are remembered, so that one stays the same from handle to handle. */
const FOREIGN_MAX = 256;

/** The regions of a group of PEs, of which this PE is one. */
interface GroupRegions {
  readonly group: PeGroup;
  /** Those of which this PE has not disposed its part, by number. */
  readonly regions: Map<number, Allocation>;
  next: number;
}

/** A part of this PE that waits for the other PEs to dispose theirs. */
interface Leaving {
  readonly offset: number;
  readonly parts: number;
  readonly tableBytes: number;
}

/** The parts of shared regions, as one PE knows them. */
export class SharedParts {
  readonly #lamella: Lamella;
  readonly #far: FarWork;
  readonly #host: AllocationHost;
  readonly #groups = new Map<number, GroupRegions>();
  /** Regions of teams of which this PE is not a member. */
  readonly #foreign = new Map<string, Allocation>();
  /** What to do when a client gives up a region that was allocated for it. */
  readonly #adopted = new Map<Allocation, () => void>();
  #leaving: Leaving[] = [];

  /**
   * @param far What this PE has under way at far PEs.
   * @param state What may end the use of all regions.
   */
  constructor(far: FarWork, state: SpaceState) {
    const { lamella } = far;
    this.#lamella = lamella;
    this.#far = far;
    this.#host = { lamella, state, release: (...left) => this.#release(...left) };
  }

  /**
   * @param id A group of which this PE has regions.
   * @returns The group.
   */
  groupOf(id: number): PeGroup {
    return this.#groups.get(id)!.group;
  }

  /**
   * Begins a region of a group. All PEs of the group do it in the same order.
   *
   * @param group The PEs.
   * @returns The region, whose parts are nowhere yet.
   */
  begin(group: PeGroup): Allocation {
    let known = this.#groups.get(group.id);
    if (!known) this.#groups.set(group.id, known = this.#newGroup(group));
    const id = known.next++;
    const allocation = new Allocation(this.#host, memberOwners(group, id));
    known.regions.set(id, allocation);
    return allocation;
  }

  #newGroup(group: PeGroup): GroupRegions {
    return { group, regions: new Map(), next: firstNumberOf(this.#lamella.session) };
  }

  /**
   * Forgets a region that was not allocated after all.
   *
   * @param allocation The region.
   * @param offset Offset of this PE's part, if it has room.
   */
  forget(allocation: Allocation, offset: number | undefined): void {
    const { groupId, id } = allocation.owners;
    this.#groups.get(groupId)!.regions.delete(id);
    allocation.close("its allocation failed");
    if (offset !== undefined) this.#free(offset, tableBytesOf(groupId, allocation.pes.length));
  }

  #free(offset: number, tableBytes: number): void {
    const { heap, kernels, pe } = this.#lamella;
    const header = offset - PART_HEADER_BYTES;
    kernels.fill(this.#lamella.address(pe, header), 0, PART_HEADER_BYTES);
    heap.release(header - tableBytes);
  }

  /**
   * Marks memory of this PE as a part of a region, before others know where it is.
   *
   * @param allocation The region.
   * @param offset Offset of the part's elements.
   */
  mark(allocation: Allocation, offset: number): void {
    const { groupId, id } = allocation.owners;
    const { low, high } = generationOf(groupId, id);
    const { pe, views } = this.#lamella;
    const at = (this.#lamella.address(pe, offset - PART_HEADER_BYTES) + PART_HEADER.generation) / 4;
    views.i32[at] = low;
    views.i32[at + 1] = high;
  }

  /**
   * Notes where the parts are, for this PE and for those that it sends the region to.
   *
   * @param allocation The region.
   * @param offsets Offset of the elements of each part.
   */
  place(allocation: Allocation, offsets: readonly number[]): void {
    if (allocation.addresses.length > 0 || allocation.closed) return;
    allocation.place(offsets);
    const { groupId } = allocation.owners;
    const { localPart, pes } = allocation;
    const { pe, views } = this.#lamella;
    const before = PART_HEADER_BYTES + tableBytesOf(groupId, pes.length);
    const table = this.#lamella.address(pe, offsets[localPart]! - before) / 8;
    views.f64.set(offsets, table);
    if (groupId !== WORLD_ID) views.f64.set(pes, table + pes.length);
  }

  /**
   * Finds a region that another PE told of.
   *
   * @param wire What it told.
   * @returns The region; a closed one if it was disposed, by this PE or by all that had a part.
   * @throws {ProtocolError} If there is no such region.
   */
  find(wire: SharedWire): Allocation {
    const { groupId, id } = wire;
    const known = this.#groups.get(groupId);
    const allocation = known?.regions.get(id);
    if (allocation) {
      // The sender knows already that the collective is over: its table tells where the parts are.
      if (allocation.addresses.length === 0 && !allocation.closed) {
        const { offsets } = this.#readTable(wire) ?? refuseWire(wire);
        this.place(allocation, offsets);
      }
      return allocation;
    }
    if (!known || id >= known.next) return this.#findForeign(wire);
    return this.#closed(memberOwners(known.group, id), disposedBy(this.#lamella.pe));
  }

  #findForeign(wire: SharedWire): Allocation {
    const { groupId, holder, id } = wire;
    const key = `${groupId}:${id}`;
    const known = this.#foreign.get(key);
    if (known && known.isCurrent(0)) return known;
    const table = this.#readTable(wire);
    if (!table) return this.#closed(foreignOwners(wire, [holder]), disposedBy(holder));
    const allocation = new Allocation(this.#host, foreignOwners(wire, table.pes));
    allocation.place(table.offsets);
    this.#foreign.set(key, allocation);
    if (this.#foreign.size > FOREIGN_MAX) {
      for (const oldest of this.#foreign.keys()) {
        this.#foreign.delete(oldest);
        break;
      }
    }
    return allocation;
  }

  #closed(owners: Owners, reason: string): Allocation {
    const allocation = new Allocation(this.#host, owners);
    allocation.close(reason);
    return allocation;
  }

  /** Reads the table in front of a part; nothing if a team's region is not there any more. */
  #readTable(wire: SharedWire): { offsets: number[]; pes: number[] } | undefined {
    const { groupId, holder, id, offset, parts } = wire;
    const tableBytes = tableBytesOf(groupId, parts);
    const before = PART_HEADER_BYTES + tableBytes;
    const { heap, numPes } = this.#lamella;
    const bytes = new Uint8Array(before);
    if (offset >= before) this.#read(holder, offset - before, bytes);
    const numbers = new Float64Array(bytes.buffer, 0, tableBytes / 8);
    const words = new Int32Array(bytes.buffer, tableBytes + PART_HEADER.generation, 2);
    const { low, high } = generationOf(groupId, id);
    if (words[0] !== low || words[1] !== high) return undefined;
    const offsets = [...numbers.subarray(0, parts)];
    const pes = groupId === WORLD_ID
      ? Array.from({ length: numPes }, (_, pe) => pe)
      : [...numbers.subarray(parts, 2 * parts)];
    const held = (part: number): boolean =>
      part % ALLOCATION_ALIGN === 0 && part >= before && part <= heap.capacity;
    const right = offsets[pes.indexOf(holder)] === offset && offsets.every(held) &&
      pes.every((pe) => Number.isInteger(pe) && pe >= 0 && pe < numPes);
    if (right) return { offsets, pes };
    return refuseWire(wire);
  }

  #read(pe: number, offset: number, into: Uint8Array): void {
    const { views } = this.#lamella;
    if (this.#lamella.isNear(pe)) {
      const at = this.#lamella.address(pe, offset);
      return into.set(views.u8.subarray(at, at + into.length));
    }
    const operation = this.#far.begin<void>(pe);
    operation.start(() => this.#lamella.getBytes(pe, offset, into));
    operation.seal(() => {}).wait();
  }

  /**
   * Lets somebody know when a client gives up a region that PEs allocated for it.
   *
   * @param allocation The region.
   * @param release Called then.
   */
  adopt(allocation: Allocation, release: () => void): void {
    this.#adopted.set(allocation, release);
  }

  /**
   * Frees this PE's part once every PE that has one has left the region, and nothing is under way
   * any more from here to a part of it.
   */
  #release(allocation: Allocation, { addresses, offsets }: Places): void {
    const { localPart, pes } = allocation;
    const { groupId, id } = allocation.owners;
    const adopted = this.#adopted.get(allocation);
    if (adopted) {
      this.#adopted.delete(allocation);
      return this.#far.fence(adopted);
    }
    this.#groups.get(groupId)!.regions.delete(id);
    this.#far.fence(() => {
      addresses.forEach((address, part) => {
        if (address < 0) return this.#leave(pes[part]!, offsets[part]!);
        this.#lamella.kernels.add32(address - PART_HEADER_BYTES + PART_HEADER.disposals, 1);
      });
      const tableBytes = tableBytesOf(groupId, pes.length);
      this.#leaving.push({ offset: offsets[localPart]!, parts: pes.length, tableBytes });
      this.sweep();
    });
  }

  /** Tells a far PE that this one has disposed a shared region. */
  #leave(pe: number, part: number): void {
    const head = { operation: OPERATION.leave, type: "u8", count: 0, part, position: 0 } as const;
    const { bytes } = beginRequest(head, 0, 0);
    const reply = new Uint8Array(REPLY_HEAD_BYTES);
    const operation = this.#far.begin<void>(pe);
    operation.start(
      () => this.#lamella.operate(pe, bytes, reply),
      () => void replyDone(reply, "dispose a region", pe),
    );
    operation.seal(() => {});
  }

  /** Frees the parts that every PE has left. */
  sweep(): void {
    if (this.#leaving.length === 0) return;
    const { kernels, pe } = this.#lamella;
    this.#leaving = this.#leaving.filter(({ offset, parts, tableBytes }) => {
      const header = this.#lamella.address(pe, offset - PART_HEADER_BYTES);
      if (kernels.load32(header + PART_HEADER.disposals) !== parts) return true;
      this.#free(offset, tableBytes);
      return false;
    });
  }

  /**
   * Makes every region unusable.
   *
   * @param reason Why.
   */
  closeAll(reason: string): void {
    for (const { regions } of this.#groups.values()) {
      for (const allocation of regions.values()) allocation.close(reason);
    }
    for (const allocation of this.#foreign.values()) allocation.close(reason);
  }
}

function disposedBy(pe: number): string {
  return `it was disposed by PE ${pe}`;
}

function refuseWire({ holder, offset }: SharedWire): never {
  throw new ProtocolError(
    `Cannot read the handle of a region: PE ${holder} has none at offset ${offset}`,
    { pe: holder },
  );
}

/** What a region is to a PE that has a part of it. */
function memberOwners({ id: groupId, name, pes }: PeGroup, id: number): Owners {
  const region = `region ${shownNumber(id)}`;
  const label = groupId === WORLD_ID ? region : `${region} of ${name}`;
  return { id, label, group: name, groupId, pes, guard: undefined };
}

/** What it is to a PE outside the team, or to a client: another PE told of it. */
function foreignOwners({ groupId, id }: SharedWire, pes: readonly number[]): Owners {
  const guard = generationOf(groupId, id);
  if (groupId === WORLD_ID) {
    return { id, label: `region ${shownNumber(id)}`, group: "the world", groupId, pes, guard };
  }
  const label = `region ${shownNumber(id)} of another team`;
  return { id, label, group: "the team", groupId, pes, guard };
}

/**
 * @param groupId A group of PEs.
 * @param parts How many of them there are.
 * @returns Bytes of the table in front of each part of a region of theirs.
 */
export function tableBytesOf(groupId: number, parts: number): number {
  const bytes = parts * (groupId === WORLD_ID ? 8 : 16);
  return Math.ceil(bytes / ALLOCATION_ALIGN) * ALLOCATION_ALIGN;
}

/** What the headers of a region hold: no other region of the job has it there later. */
function generationOf(groupId: number, id: number): Generation {
  return {
    low: (Math.imul(id, 0x9e3779b1) ^ groupId % 2 ** 32) | 1,
    high: (Math.floor(groupId / 2 ** 32) ^ sessionOf(id) ^ id) | 0,
  };
}
