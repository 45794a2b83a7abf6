/**
 * The text of the methods that only one kind of region has.
 *
 * @module
 */

/** The methods that only shared regions have. */
export const SHARED_ONLY = `
  /** Number of PEs that have a part: all of the world, or of the team that allocated it. */
  get numPes(): number {
    return this[MEMORY].allocation.pes.length;
  }

  /**
   * Reads an element of the part on this PE.
   *
   * @param index Index of the element.
   * @returns Its value.
   */
  at(index: number): ElementValue<E>;
  /**
   * Reads an element of any PE's part. If the PE is far, this blocks until the value is there;
   * \`get\` does not.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @returns Its value.
   */
  at(pe: number, index: number): ElementValue<E>;
  at(first: number, second?: number): ElementValue<E> {
    const memory = this[MEMORY];
    return settled(
      second === undefined
        ? memory.access.read(memory, memory.own("get"), first)
        : memory.access.read(memory, first, second),
    );
  }

  /**
   * Makes a region of a range of every part. Both regions share the memory.
   *
   * @param start Index of its first element.
   * @param end Index after its last; the end of the region if left out.
   * @returns The range as a region.
   * @throws {RangeError} If it is not a range of this region.
   */
  subRegion(start: number, end: number = this.length): SharedMemoryRegion<E> {
    return new SharedMemoryRegion(this.services, this[MEMORY].subRange(start, end));
  }

  /**
   * Gives up the handle. If the allocation returned this handle, the PE leaves the region, and the
   * memory is free once all PEs have left it. Only the allocation of a shared region that finds no
   * room otherwise waits for that.
   */
  dispose(): void {
    this[MEMORY].release();
  }

  /**
   * Copies the same elements to every PE, including this one.
   *
   * @param index Index of the first element.
   * @param source What to copy.
   * @returns A handle, done when the operation is complete.
   */
  putAll(index: number, source: PutSource<E>): RmaHandle<void> {
    return this.services.ended(putAll(this[MEMORY], index, source));
  }

  /**
   * Like \`putAll\`, but without a handle: \`waitAll\` of the world waits for it.
   *
   * @param index Index of the first element.
   * @param source What to copy.
   */
  putAllUnmanaged(index: number, source: PutSource<E>): void {
    putAll(this[MEMORY], index, source);
  }

`;

/** The methods that only one-sided regions have. */
export const ONE_SIDED_ONLY = `
  /** The PE that has the memory. */
  get owner(): number {
    return this[MEMORY].allocation.pes[0]!;
  }

  /** Whether the data is on this PE. */
  get dataLocal(): boolean {
    return this[MEMORY].localPart >= 0;
  }

  /**
   * Reads an element. If the owner is far, this blocks until the value is there; \`get\` does not.
   *
   * @param index Index of the element.
   * @returns Its value.
   */
  at(index: number): ElementValue<E> {
    const memory = this[MEMORY];
    return settled(memory.access.read(memory, 0, index));
  }

  /**
   * Makes a region of a range. Both regions share the memory.
   *
   * @param start Index of its first element.
   * @param end Index after its last; the end of the region if left out.
   * @returns The range as a region.
   * @throws {RangeError} If it is not a range of this region.
   */
  subRegion(start: number, end: number = this.length): OneSidedMemoryRegion<E> {
    return new OneSidedMemoryRegion(this.services, this[MEMORY].subRange(start, end));
  }

  /** Gives up the handle; if the allocation returned this handle, frees the memory. */
  dispose(): void {
    this[MEMORY].release();
  }
`;
