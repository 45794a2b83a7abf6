/**
 * Bandwidth of gets from a `LocalLockArray`, each under the lock of PE 1.
 *
 *     deno task run:local -n 2 examples/bandwidths/local_lock_atomic_array_get_bw.ts 1048576
 *
 * Arguments: the largest transfer, and what each size moves, in bytes.
 *
 * @module
 */

import { LamellarWorldBuilder, LocalLockArray } from "../../mod.ts";
import { measureGets, numbered } from "./array_transfers.ts";

await using world = await new LamellarWorldBuilder().build();
await measureGets(
  world,
  (world, length) => LocalLockArray.create(world, "u8", length).then(numbered),
  (array, index, data) => void array.get(index, data),
);
