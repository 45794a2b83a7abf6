/**
 * The methods of regions, once for both kinds: `build_regions.ts` makes the classes of them.
 *
 * `{{a|b}}` means a in shared regions and b in one-sided ones. These have only one part, so none of
 * their methods takes a PE.
 *
 * @module
 */

import { ELEMENT_OPS } from "../internal/element_ops.ts";
import { batched, single } from "./region_op_methods.ts";

/** Reading and writing without the help of the PE that has the memory. */
const RMA = `
  /**
   * Copies elements to {{a PE's part|the owner's memory}}. Once the handle is done, they are
   * visible there and to the handler of every active message sent afterwards. Until then the source
   * must not change.
   *
   * @param pe The PE.
   * @param index Index of the first element.
   * @param source A typed array of the element type, a list of values, one value, or a region,
   * whose part on this PE is copied. A source in the shared heap is copied fastest.
   * @returns A handle, done when the operation is complete.
   * @throws {RangeError} If the elements do not fit{{, or there is no such PE|}}.
   * @throws {TypeError} If the source has another element type.
   * @throws {ClosedError} If the region was disposed.
   */
  put(pe: number, index: number, source: PutSource<E>): RmaHandle<void> {
    const memory = this[MEMORY];
    return this.services.ended(memory.access.put(memory, pe, index, source));
  }

  /**
   * Like \`put\`, but returns only when the source may be changed.
   *
   * @param pe The PE.
   * @param index Index of the first element.
   * @param source What to copy.
   */
  blockingPut(pe: number, index: number, source: PutSource<E>): void {
    const memory = this[MEMORY];
    settled(memory.access.put(memory, pe, index, source));
  }

  /**
   * Like \`put\`, but without a handle: \`waitAll\` of the world waits for it.
   *
   * @param pe The PE.
   * @param index Index of the first element.
   * @param source What to copy.
   */
  putUnmanaged(pe: number, index: number, source: PutSource<E>): void {
    const memory = this[MEMORY];
    memory.access.put(memory, pe, index, source);
  }

  /**
   * Copies elements, and then sets an element that the target PE waits for, or adds to it: a PE
   * that sees the signal also sees the elements.
   *
   * @param pe The PE.
   * @param index Index of the first element.
   * @param source What to copy.
   * @param signal Which element to change and how.
   * @returns A handle, done when the operation is complete.
   * @throws {TypeError} If the signal is not on the same PE.
   * @example
   * \`\`\`ts
   * import { LamellarWorldBuilder } from "../mod.ts";
   *
   * await using world = await new LamellarWorldBuilder().build();
   * const data = {{await world.allocSharedMemRegion|world.allocOneSidedMemRegion}}("f64", 3);
   * const ready = {{await world.allocSharedMemRegion|world.allocOneSidedMemRegion}}("u8", 1);
   * {{const next = (world.myPe + 1) % world.numPes;
   * |}}data.putSignal({{next, |}}0, [1, 2, 3], { region: ready, index: 0, value: 1 });
   * await ready.waitUntil(0, "==", 1);
   * console.log([...data]);
   * \`\`\`
   */
  putSignal<S extends ElementType>(
    pe: number,
    index: number,
    source: PutSource<E>,
    signal: RegionSignal<S>,
  ): RmaHandle<void> {
    return this.services.ended(putSignal(this[MEMORY], pe, index, source, signal));
  }

  /**
   * Gets one element.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @returns A handle for its value.
   */
  get(pe: number, index: number): RmaHandle<ElementValue<E>>;
  /**
   * Gets elements into a new typed array.
   *
   * @param pe The PE.
   * @param index Index of the first element.
   * @param count The number of elements.
   * @returns A handle for the array.
   */
  get(pe: number, index: number, count: number): RmaHandle<ElementArray<E>>;
  /**
   * Gets as many elements as the target has.
   *
   * @param pe The PE.
   * @param index Index of the first element.
   * @param target A typed array of the element type, or a region whose part on this PE is filled.
   * @returns A handle, done when the operation is complete.
   */
  get(pe: number, index: number, target: GetTarget<E>): RmaHandle<void>;
  get(
    pe: number,
    index: number,
    target?: number | GetTarget<E>,
  ): RmaHandle<ElementValue<E>> | RmaHandle<ElementArray<E>> | RmaHandle<void> {
    const memory = this[MEMORY];
    if (target === undefined) {
      return this.services.given<ElementValue<E>>(memory.access.read(memory, pe, index));
    }
    if (typeof target === "number") return this.getBuffer(pe, index, target);
    return this.services.ended(memory.access.get(memory, pe, index, target));
  }

  /**
   * Gets elements into a new typed array.
   *
   * @param pe The PE.
   * @param index Index of the first element.
   * @param count The number of elements.
   * @returns A handle for the array.
   */
  getBuffer(pe: number, index: number, count: number): RmaHandle<ElementArray<E>> {
    const memory = this[MEMORY];
    const array = memory.access.getBuffer(memory, pe, index, count);
    return this.services.given(array as unknown as Given<ElementArray<E>>);
  }

  /**
   * Waits for one element and returns it.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @returns Its value.
   */
  blockingGet(pe: number, index: number): ElementValue<E>;
  /**
   * Gets as many elements as the target has, and returns when they are there.
   *
   * @param pe The PE.
   * @param index Index of the first element.
   * @param target A typed array of the element type, or a region whose part on this PE is filled.
   */
  blockingGet(pe: number, index: number, target: GetTarget<E>): void;
  blockingGet(pe: number, index: number, target?: GetTarget<E>): ElementValue<E> | void {
    const memory = this[MEMORY];
    if (target === undefined) return settled(memory.access.read(memory, pe, index));
    settled(memory.access.get(memory, pe, index, target));
  }

  /**
   * Like \`get\` into a target, but without a handle: \`waitAll\` of the world waits for it.
   *
   * @param pe The PE.
   * @param index Index of the first element.
   * @param target A typed array of the element type, or a region whose part on this PE is filled.
   */
  getUnmanaged(pe: number, index: number, target: GetTarget<E>): void {
    const memory = this[MEMORY];
    memory.access.get(memory, pe, index, target);
  }

  /**
   * Copies elements to every \`stride\`-th element, or in blocks that begin \`stride\` elements
   * apart.
   *
   * @param pe The PE.
   * @param index Index of the first element.
   * @param stride Elements from the beginning of one block to the beginning of the next, at least
   * 1.
   * @param source What to copy.
   * @param sourceStride The stride in the source.
   * @param block Number of elements in a block, which are contiguous; 1 if left out.
   * @returns A handle, done when the operation is complete.
   * @throws {RangeError} If the blocks do not fit into the strides, or the source ends in the
   * middle of a block.
   */
  putStrided(
    pe: number,
    index: number,
    stride: number,
    source: GetTarget<E>,
    sourceStride = 1,
    block = 1,
  ): RmaHandle<void> {
    return this.services.ended(
      putStrided(this[MEMORY], pe, index, stride, source, sourceStride, block),
    );
  }

  /**
   * Gets every \`stride\`-th element, or blocks of elements that begin \`stride\` elements apart.
   *
   * @param pe The PE.
   * @param index Index of the first element.
   * @param stride Elements from the beginning of one block to the beginning of the next, at least
   * 1.
   * @param target What to fill.
   * @param targetStride The stride in the target.
   * @param block Number of elements in a block, which are contiguous; 1 if left out.
   * @returns A handle, done when the operation is complete.
   * @throws {RangeError} If the blocks do not fit into the strides, or the target ends in the
   * middle of a block.
   */
  getStrided(
    pe: number,
    index: number,
    stride: number,
    target: GetTarget<E>,
    targetStride = 1,
    block = 1,
  ): RmaHandle<void> {
    return this.services.ended(
      getStrided(this[MEMORY], pe, index, stride, target, targetStride, block),
    );
  }

  /**
   * Writes elements at a list of indices, in the order of the list.
   *
   * @param pe The PE.
   * @param indices The indices.
   * @param source One value for each index, or one for all.
   * @returns A handle, done when the operation is complete.
   * @throws {RangeError} If an index is out of range; the indices before it in the list have been
   * processed.
   */
  putIndexed(pe: number, indices: IndexSource, source: PutSource<E>): RmaHandle<void> {
    const lists = { indices, values: source };
    const { batches } = this.services;
    return this.services.ended(batches.runAt(this[MEMORY], "putIndexed", pe, lists));
  }

  /**
   * Reads elements at a list of indices.
   *
   * @param pe The PE.
   * @param indices The indices.
   * @returns A handle for a new typed array.
   * @throws {RangeError} If an index is out of range.
   */
  getIndexed(pe: number, indices: IndexSource): RmaHandle<ElementArray<E>>;
  /**
   * Reads elements at a list of indices.
   *
   * @param pe The PE.
   * @param indices The indices.
   * @param target What to fill.
   * @returns A handle, done when the operation is complete.
   * @throws {RangeError} If an index is out of range.
   */
  getIndexed(pe: number, indices: IndexSource, target: GetTarget<E>): RmaHandle<void>;
  getIndexed(
    pe: number,
    indices: IndexSource,
    target?: GetTarget<E>,
  ): RmaHandle<ElementArray<E>> | RmaHandle<void> {
    const into = target ?? arrayFor(this.type, indices);
    const lists = { indices, target: into };
    const rest = this.services.batches.runAt(this[MEMORY], "getIndexed", pe, lists);
    return target
      ? this.services.ended(rest)
      : this.services.givenAfter(rest, () => into as ElementArray<E>);
  }
`;

/** The atomic methods that do not come from the table of operations. */
const ATOMICS = `
  /**
   * Reads an element atomically.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @returns A handle for its value.
   */
  load(pe: number, index: number): RmaHandle<ElementValue<E>> {
    const memory = this[MEMORY];
    return this.services.given(memory.access.load(memory, pe, index));
  }

  /**
   * Replaces an element if it has the expected value, atomically. Floats are compared bit by bit: 0
   * and -0 differ, and so do different NaNs. JavaScript does not keep the bits of a NaN, so a NaN
   * in memory whose bits are not those of the constant \`NaN\` is never replaced: \`ok\` is then
   * false. Use \`swap\` to replace it.
   *
   * @param pe The PE.
   * @param index Index of the element.
   * @param current The expected value.
   * @param replacement Its new value.
   * @returns A handle; it gives whether the element was replaced, and its previous value.
   */
  compareExchange(
    pe: number,
    index: number,
    current: ElementValue<E>,
    replacement: ElementValue<E>,
  ): RmaHandle<CompareExchangeResult<E>> {
    const memory = this[MEMORY];
    return this.services.given(
      memory.access.compareExchange(memory, pe, index, current, replacement),
    );
  }
`;

/** The methods that take a list of indices over all parts and do not come from the table. */
const BATCHES = `
  /**
   * Reads each element of a list, not atomically.
   *
   * @param indices The indices.
   * @returns A handle for a new typed array.
   * @throws {RangeError} If an index is out of range.
   */
  gather(indices: IndexSource): RmaHandle<ElementArray<E>>;
  /**
   * Reads each element of a list, not atomically.
   *
   * @param indices The indices.
   * @param target What to fill.
   * @returns A handle, done when the operation is complete.
   */
  gather(indices: IndexSource, target: GetTarget<E>): RmaHandle<void>;
  gather(
    indices: IndexSource,
    target?: GetTarget<E>,
  ): RmaHandle<ElementArray<E>> | RmaHandle<void> {
    const into = target ?? arrayFor(this.type, indices);
    const rest = this.services.batches.run(this[MEMORY], "gather", { indices, target: into });
    return target
      ? this.services.ended(rest)
      : this.services.givenAfter(rest, () => into as ElementArray<E>);
  }

  /**
   * Writes each element of a list in the order of the list, not atomically.
   *
   * @param indices The indices.
   * @param values One value for each index, or one for all.
   * @returns A handle, done when the operation is complete.
   * @throws {RangeError} If an index is out of range; the indices before it in the list have been
   * processed.
   */
  scatter(indices: IndexSource, values: PutSource<E>): RmaHandle<void> {
    return this.services.ended(
      this.services.batches.run(this[MEMORY], "scatter", { indices, values }),
    );
  }

  /**
   * Replaces each element of a list that has the expected value. Each exchange is atomic.
   *
   * @param indices The indices.
   * @param expected The expected values: one for each index, or one for all.
   * @param values The new values: one for each index, or one for all.
   * @returns A handle; it gives which elements were replaced, and the previous values of all.
   * @throws {RangeError} If an index is out of range; the indices before it in the list have been
   * processed.
   */
  batchCompareExchange(
    indices: IndexSource,
    expected: PutSource<E>,
    values: PutSource<E>,
  ): RmaHandle<BatchCompareExchangeResult<E>> {
    const { batches } = this.services;
    const [rest, give] = batches.exchange(this[MEMORY], indices, expected, values);
    return this.services.givenAfter(rest, () => give() as BatchCompareExchangeResult<E>);
  }
`;

/** The text of the methods that both kinds of regions have. */
export function methods(): string {
  return [
    RMA,
    ATOMICS,
    ...ELEMENT_OPS.flatMap(single),
    BATCHES,
    ...ELEMENT_OPS.flatMap(batched),
  ].join("\n");
}
