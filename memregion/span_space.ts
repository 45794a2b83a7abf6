/**
 * The elements of arrays, seen from one PE: allocates them, and finds those that travel.
 *
 * @module
 */

import { Distribution } from "../internal/distribution.ts";
import type {
  AnyElement,
  ElementInfo,
  ElementType,
  ElementTypeLike,
  ElementValue,
  TypedArrayLike,
} from "../internal/elements.ts";
import { OutOfMemoryError } from "../internal/errors.ts";
import type { CollectiveHandle, PeGroup } from "../lamellae/mod.ts";
import type { Allocation } from "./memory/allocation.ts";
import { type ArrayShape, extraPlace } from "./memory/array_shape.ts";
import type { RegionMemory } from "./memory/region_memory.ts";
import type { Placing, SpanMaker, SpanWanted } from "./placing.ts";
import type { RegionServices } from "./region.ts";
import { elementsGiven } from "./span/lists.ts";
import { Span } from "./span/span.ts";

/** What the elements of arrays need of the regions of their PE. */
export interface SpanHost {
  readonly services: RegionServices;
  /** Refuses a type that there is not, and everything once the world is closed. */
  check(type: ElementTypeLike<ElementType>): ElementInfo;
  /** Makes room on all PEs of a group. */
  place<R>(group: PeGroup, placing: Placing<R>): CollectiveHandle<R>;
  /** A range of an allocation. */
  memory<E extends AnyElement>(
    info: ElementInfo,
    allocation: Allocation,
    start: number,
    length: number,
    shape: ArrayShape,
  ): RegionMemory<ElementValue<E>>;
  /** An allocation that is nowhere. */
  nowhere(): Allocation;
  /** The region that numbers from another PE describe. */
  regionOf(numbers: ArrayLike<number>): RegionMemory<ElementValue<ElementType>>;
}

/** The elements of the arrays of a world, seen from one PE. */
export class SpanSpace {
  readonly #host: SpanHost;

  /**
   * @param host The regions of this PE.
   */
  constructor(host: SpanHost) {
    this.#host = host;
  }

  /**
   * Allocates the parts of an array; all PEs of a group have to call it, in the same order and with
   * the same arguments.
   *
   * @param type The element type.
   * @param group The PEs.
   * @param wanted What the array is.
   * @returns A handle for the elements, all 0 at first, or the error if a PE has no room.
   */
  allocate<E extends AnyElement>(
    type: ElementType,
    group: PeGroup,
    wanted: SpanWanted,
  ): CollectiveHandle<Span<E> | OutOfMemoryError> {
    const { args, extraBytes, kind, make, placed, shapeFor, values, words = 1 } = wanted;
    const info = this.#host.check(type);
    let shape = shapeFor(0);
    const partLength = (): number => words * Math.max(1, shape.distribution.longestPart);
    return this.#host.place<Span<E> | OutOfMemoryError>(group, {
      kind,
      args,
      info,
      values,
      roomFor: (total) => {
        shape = shapeFor(total);
        const extra = extraBytes(shape.distribution.longestPart);
        return Math.ceil((extraPlace(partLength(), info) + extra) / info.bytes);
      },
      give: (result) => {
        if (result instanceof OutOfMemoryError) return result;
        const memory = this.#host.memory<E>(info, result, 0, partLength(), shape);
        result.root = memory;
        const span = this.#made<E>(memory, make);
        placed(span as unknown as Span<ElementType>);
        return span;
      },
      ...values && {
        write: (span, first) => {
          const handle = (span as Span<E>).put(first, values);
          return () => handle.done;
        },
      },
    });
  }

  #made<E extends AnyElement>(
    memory: RegionMemory<ElementValue<E>>,
    make: SpanMaker | undefined,
  ): Span<E> {
    const { services } = this.#host;
    return make ? make(services, memory as never) as Span<E> : new Span(services, memory);
  }

  /**
   * Checks what a user gives for an array that is not there yet.
   *
   * @param type The element type.
   * @param label How messages call the array.
   * @param given The values.
   * @returns The elements.
   * @throws {TypeError} If they are of another type.
   * @throws {RangeError} If a value is out of range.
   */
  elementsFor(
    type: ElementType,
    label: string,
    given: unknown,
  ): TypedArrayLike<unknown> {
    const shape = { label, distribution: new Distribution("block", 1, 0) };
    const info = this.#host.check(type);
    const memory = this.#host.memory<ElementType>(info, this.#host.nowhere(), 0, 1, shape);
    return elementsGiven(memory, "put", given);
  }

  /**
   * @param numbers What `encodeSpan` gave on a PE.
   * @returns The PEs that have parts.
   * @throws {ProtocolError} If the numbers describe none.
   */
  pesOf(numbers: ArrayLike<number>): readonly number[] {
    return this.#host.regionOf(numbers).allocation.pes;
  }

  /**
   * The elements of the array that another PE has, whose numbers `encodeSpan` gave there.
   *
   * @param numbers The numbers.
   * @param shape What the array is.
   * @param make Makes the elements of their memory; plain ones if left out.
   * @returns The elements.
   * @throws {ProtocolError} If the numbers describe none.
   */
  decode(numbers: ArrayLike<number>, shape: ArrayShape, make?: SpanMaker): Span<ElementType> {
    const region = this.#host.regionOf(numbers);
    const { access: { info }, allocation, length, start } = region;
    const memory = this.#host.memory<ElementType>(info, allocation, start, length, shape);
    return this.#made<ElementType>(memory, make);
  }
}
