/**
 * Bandwidth of gets from a `GlobalLockArray`, each under its only lock.
 *
 *     deno task run:local -n 2 examples/bandwidths/global_lock_atomic_array_get_bw.ts 1048576
 *
 * Arguments: the largest transfer, and what each size moves, in bytes.
 *
 * @module
 */

import { GlobalLockArray, LamellarWorldBuilder } from "../../mod.ts";
import { measureGets, numbered } from "./array_transfers.ts";

await using world = await new LamellarWorldBuilder().build();
await measureGets(
  world,
  (world, length) => GlobalLockArray.create(world, "u8", length).then(numbered),
  (array, index, data) => void array.get(index, data),
);
