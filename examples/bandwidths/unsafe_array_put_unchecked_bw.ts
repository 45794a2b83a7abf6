/**
 * Bandwidth of puts into an `UnsafeArray` without handles.
 *
 *     deno task run:local -n 2 examples/bandwidths/unsafe_array_put_unchecked_bw.ts 1048576
 *
 * Arguments: the largest transfer, and what each size moves, in bytes.
 *
 * @module
 */

import { LamellarWorldBuilder, UnsafeArray } from "../../mod.ts";
import { measurePuts } from "./array_transfers.ts";

await using world = await new LamellarWorldBuilder().build();
await measurePuts(
  world,
  (world, length) => UnsafeArray.create(world, "u8", length),
  (array, index, data) => void array.putUnmanaged(index, data),
);
