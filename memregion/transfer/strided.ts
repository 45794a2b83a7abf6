/**
 * Copies of elements, or blocks of elements, that stand in steps.
 *
 * @module
 */

import type { TypedArrayLike } from "../../internal/elements.ts";
import { itemsPerRequest, OPERATION, REPLY_HEAD_BYTES, type Request } from "../../lamellae/mod.ts";
import { type Described, labelOf } from "../memory/refusals.ts";
import type { RegionMemory, Rest, Steps } from "../memory/region_memory.ts";
import { arrayOf, finished, integersOf, numbersIn, numbersOf } from "./copies.ts";
import type { FarPlace } from "./far.ts";
import type { Pending } from "./pending.ts";

/** Bytes of the length of a block in a request. */
const BLOCK_BYTES = 8;

/**
 * Puts elements to places in steps.
 *
 * @param memory The region.
 * @param part The part.
 * @param index Index of the first element in the part.
 * @param stride Elements from one block to the next in the part.
 * @param source What to copy.
 * @param step Elements from one block to the next there.
 * @param block Elements of a block.
 * @returns What is left of it.
 */
export function putStrided<V>(
  memory: RegionMemory<V>,
  part: number,
  index: number,
  stride: number,
  source: unknown,
  step: number,
  block: number,
): Rest {
  const op = "putStrided";
  const numbers = numbersIn(memory, op, "into", source);
  const given = numbers ? undefined : arrayOf(memory, op, "into", source);
  const steps = stepsOf(memory, op, (numbers ?? given!).length, stride, step, block);
  // Of numbers only those are looked at that are copied.
  const array = given ?? integersOf(memory, op, collected(numbers!, steps));
  const there = given ? steps : { ...steps, step: block };
  const at = memory.address(op, part, index, spanOf(there));
  if (there.count === 0) return undefined;
  if (at < 0) return farPut(memory, { memory, op, part, at }, there, array);
  memory.access.putStrided(at, there, array);
  memory.wrote(part, there.count * block);
  return undefined;
}

/**
 * Gets elements from places in steps.
 *
 * @param memory The region.
 * @param part The part.
 * @param index Index of the first element in the part.
 * @param stride Elements from one block to the next in the part.
 * @param target What to fill.
 * @param step Elements from one block to the next there.
 * @param block Elements of a block.
 * @returns What is left of it.
 */
export function getStrided<V>(
  memory: RegionMemory<V>,
  part: number,
  index: number,
  stride: number,
  target: unknown,
  step: number,
  block: number,
): Rest {
  const op = "getStrided";
  const numbers = numbersIn(memory, op, "from", target);
  const given = numbers ? undefined : arrayOf(memory, op, "from", target);
  const steps = stepsOf(memory, op, (numbers ?? given!).length, stride, step, block);
  const at = memory.address(op, part, index, spanOf(steps));
  if (steps.count === 0) return undefined;
  if (given) return get(memory, { memory, op, part, at }, steps, given);
  const array = memory.access.far.newArray(steps.count * block);
  const rest = get(memory, { memory, op, part, at }, { ...steps, step: block }, array);
  return finished(memory, rest, () => {
    const copied = new Float64Array(array.length);
    try {
      numbersOf(memory, op, array, copied);
    } finally {
      distribute(copied, numbers!, steps);
    }
  });
}

function get<V>(
  memory: RegionMemory<V>,
  place: FarPlace,
  steps: Steps,
  array: TypedArrayLike<unknown>,
): Rest {
  if (place.at < 0) return farGet(memory, place, steps, array);
  memory.access.getStrided(place.at, steps, array);
  return undefined;
}

/** Elements of a part from the first one that is copied to the last. */
function spanOf({ block, count, stride }: Steps): number {
  return count === 0 ? 0 : (count - 1) * stride + block;
}

/** Checks steps, and counts the blocks of an array. */
function stepsOf(
  memory: Described,
  op: string,
  length: number,
  stride: number,
  step: number,
  block: number,
): Steps {
  const refuse = (what: string): never => {
    throw new RangeError(`Cannot ${op} ${labelOf(memory)}: ${what}`);
  };
  const given = { "stride": stride, "stride of the array": step, "length of a block": block };
  for (const [what, value] of Object.entries(given)) {
    if (Number.isInteger(value) && value > 0) continue;
    refuse(`the ${what} must be an integer of at least 1, got ${value}`);
  }
  if (block > 1 && (stride < block || step < block)) {
    refuse(`blocks of ${block} elements do not fit into steps of ${Math.min(stride, step)}`);
  }
  const count = Math.ceil(length / step);
  const rest = count === 0 ? block : length - (count - 1) * step;
  if (rest < block) {
    refuse(`the array of ${length} elements ends in the middle of a block of ${block}`);
  }
  // Between blocks there are no steps if there is one, and any may be named.
  return count === 1
    ? { block, count, stride: block, step: block }
    : { block, count, stride, step };
}

function collected(numbers: Float64Array, { block, count, step }: Steps): Float64Array {
  const all = new Float64Array(count * block);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < block; j++) all[i * block + j] = numbers[i * step + j]!;
  }
  return all;
}

function distribute(all: Float64Array, numbers: Float64Array, { block, count, step }: Steps): void {
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < block; j++) numbers[i * step + j] = all[i * block + j]!;
  }
}

function farPut<V>(
  memory: RegionMemory<V>,
  place: FarPlace,
  steps: Steps,
  source: TypedArrayLike<unknown>,
): Pending<void> {
  const { block, step } = steps;
  const { far, info: { bytes } } = memory.access;
  if (areLarge(memory, steps)) {
    return oneByOne(memory, place, steps, (here, from) => {
      return far.put(here, source.subarray(from, from + block));
    });
  }
  return inPieces(memory, place, steps, block * bytes, 0, (all, here, from, head) => {
    const elements = head.count * block;
    const request = begin(memory, here, OPERATION.putStrided, head, block, elements * bytes);
    const values = far.arrayOver(request.bytes, request.valuesAt, elements);
    for (let i = 0; i < head.count; i++) {
      for (let j = 0; j < block; j++) values[i * block + j] = source[(from + i) * step + j]!;
    }
    far.send(all, here, request);
  });
}

function farGet<V>(
  memory: RegionMemory<V>,
  place: FarPlace,
  steps: Steps,
  target: TypedArrayLike<unknown>,
): Pending<void> {
  const { block, step } = steps;
  const { far, info: { bytes } } = memory.access;
  if (areLarge(memory, steps)) {
    return oneByOne(memory, place, steps, (here, from) => {
      return far.get<void>(here, target.subarray(from, from + block), () => {}) as Rest;
    });
  }
  return inPieces(memory, place, steps, 0, block * bytes, (all, here, from, head) => {
    const elements = head.count * block;
    far.send(
      all,
      here,
      begin(memory, here, OPERATION.getStrided, head, block, 0),
      elements * bytes,
      (reply) => {
        const values = far.arrayOver(reply, REPLY_HEAD_BYTES, elements);
        for (let i = 0; i < head.count; i++) {
          for (let j = 0; j < block; j++) target[(from + i) * step + j] = values[i * block + j]!;
        }
      },
    );
  });
}

/** Whether not even one block fits a memory operation. */
function areLarge<V>(memory: RegionMemory<V>, { block }: Steps): boolean {
  const bytesMax = memory.space.lamella.operationBytesMax - BLOCK_BYTES;
  return block * memory.access.info.bytes > itemsPerRequest(bytesMax, 0, 1, 1);
}

/** Copies blocks as elements that stand in a row. */
function oneByOne<V>(
  memory: RegionMemory<V>,
  place: FarPlace,
  { count, step, stride }: Steps,
  copy: (here: FarPlace, from: number) => Rest,
): Pending<void> {
  const all = memory.access.far.operation<void>(place);
  for (let i = 0; i < count; i++) {
    const at = place.at + i * stride * memory.access.info.bytes;
    all.adopt(copy({ ...place, at }, i * step));
  }
  return all.seal(() => {});
}

/** What a request says of some blocks. */
interface Head {
  readonly count: number;
  /** Bytes from one block to the next. */
  readonly span: number;
}

function begin<V>(
  memory: RegionMemory<V>,
  place: FarPlace,
  operation: number,
  head: Head,
  block: number,
  valueBytes: number,
): Request {
  const request = memory.access.far.request(place, { ...head, operation }, 1, valueBytes);
  new Uint32Array(request.bytes.buffer, request.indicesAt, 1)[0] = block;
  return request;
}

/** Copies blocks in pieces that fit a memory operation. */
function inPieces<V>(
  memory: RegionMemory<V>,
  place: FarPlace,
  { count, stride }: Steps,
  valueBytes: number,
  resultBytes: number,
  piece: (all: Pending<void>, here: FarPlace, from: number, head: Head) => void,
): Pending<void> {
  const { far, lamella } = memory.space;
  const { bytes } = memory.access.info;
  const bytesMax = lamella.operationBytesMax - BLOCK_BYTES;
  const most = itemsPerRequest(bytesMax, 0, valueBytes, resultBytes);
  const all = memory.access.far.operation<void>(place);
  for (let from = 0; from < count; from += most) {
    far.makeRoom();
    const here = { ...place, at: place.at + from * stride * bytes };
    piece(all, here, from, { count: Math.min(most, count - from), span: stride * bytes });
  }
  return all.seal(() => {});
}
