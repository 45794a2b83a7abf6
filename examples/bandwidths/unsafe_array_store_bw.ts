/**
 * Bandwidth of stores of single bytes in an `UnsafeArray`, in batches.
 *
 *     deno task run:local -n 2 examples/bandwidths/unsafe_array_store_bw.ts 1048576
 *
 * Arguments: the largest transfer, and what each size moves, in bytes.
 *
 * @module
 */

import { LamellarWorldBuilder, UnsafeArray } from "../../mod.ts";
import { measurePuts } from "./array_transfers.ts";

let indices = new Uint32Array(0);
await using world = await new LamellarWorldBuilder().build();
await measurePuts(
  world,
  (world, length) => UnsafeArray.create(world, "u8", length),
  (array, index, data) => {
    if (indices.length !== data.length) {
      indices = Uint32Array.from({ length: data.length }, (_, i) => index + i);
    }
    array.batchStore(indices, data);
  },
);
