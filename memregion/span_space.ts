/**
 * The elements of arrays, seen from one PE: allocates them, and finds those that travel.
 *
 * @module
 */

import { Distribution } from "../internal/distribution.ts";
import type {
  ElementInfo,
  ElementType,
  ElementTypeLike,
  ElementValue,
  TypedArrayLike,
} from "../internal/elements.ts";
import { OutOfMemoryError } from "../internal/errors.ts";
import type { CollectiveHandle, PeGroup } from "../lamellae/mod.ts";
import type { Allocation } from "./memory/allocation.ts";
import type { ArrayShape } from "./memory/array_shape.ts";
import type { RegionMemory } from "./memory/region_memory.ts";
import type { Placing, SpanWanted } from "./placing.ts";
import type { RegionServices } from "./region.ts";
import { elementsGiven } from "./span/lists.ts";
import { extraPlace, Span } from "./span/span.ts";

/** What the elements of arrays need of the regions of their PE. */
export interface SpanHost {
  readonly services: RegionServices;
  /** Refuses a type that there is not, and everything once the world is closed. */
  check(type: ElementTypeLike<ElementType>): ElementInfo;
  /** Makes room on all PEs of a group. */
  place<R>(group: PeGroup, placing: Placing<R>): CollectiveHandle<R>;
  /** A range of an allocation. */
  memory<E extends ElementType>(
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
  allocate<E extends ElementType>(
    type: ElementTypeLike<E>,
    group: PeGroup,
    wanted: SpanWanted,
  ): CollectiveHandle<Span<E> | OutOfMemoryError> {
    const { args, extraBytes, kind, placed, shapeFor, values } = wanted;
    const info = this.#host.check(type);
    let shape = shapeFor(0);
    const partLength = (): number => Math.max(1, shape.distribution.longestPart);
    const memoryOf = (allocation: Allocation): RegionMemory<ElementValue<E>> =>
      this.#host.memory<E>(info, allocation, 0, partLength(), shape);
    return this.#host.place<Span<E> | OutOfMemoryError>(group, {
      kind,
      args,
      info,
      values,
      roomFor: (total) => {
        shape = shapeFor(total);
        return Math.ceil((extraPlace(partLength(), info) + extraBytes) / info.bytes);
      },
      give: (result) => {
        if (result instanceof OutOfMemoryError) return result;
        const memory = memoryOf(result);
        result.root = memory;
        const span = new Span(this.#host.services, memory);
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
  elementsFor<E extends ElementType>(
    type: ElementTypeLike<E>,
    label: string,
    given: unknown,
  ): TypedArrayLike<unknown> {
    const shape = { label, distribution: new Distribution("block", 1, 0) };
    const info = this.#host.check(type);
    const memory = this.#host.memory<E>(info, this.#host.nowhere(), 0, 1, shape);
    return elementsGiven(memory, "put", given);
  }

  /**
   * The elements of the array that another PE has, whose numbers `encodeSpan` gave there.
   *
   * @param numbers The numbers.
   * @param shape What the array is.
   * @returns The elements.
   * @throws {ProtocolError} If the numbers describe none.
   */
  decode(numbers: ArrayLike<number>, shape: ArrayShape): Span<ElementType> {
    const region = this.#host.regionOf(numbers);
    const { access: { info }, allocation, length, start } = region;
    return new Span(this.#host.services, this.#host.memory(info, allocation, start, length, shape));
  }
}
