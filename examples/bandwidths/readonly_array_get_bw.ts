/**
 * Bandwidth of gets from a `ReadOnlyArray`.
 *
 *     deno task run:local -n 2 examples/bandwidths/readonly_array_get_bw.ts 1048576
 *
 * Arguments: the largest transfer, and what each size moves, in bytes.
 *
 * @module
 */

import { LamellarWorldBuilder, UnsafeArray } from "../../mod.ts";
import { measureGets, numbered } from "./array_transfers.ts";

await using world = await new LamellarWorldBuilder().build();
await measureGets(
  world,
  (world, length) =>
    UnsafeArray.create(world, "u8", length).then(numbered).then((array) => array.intoReadOnly()),
  (array, index, data) => void array.get(index, data),
);
