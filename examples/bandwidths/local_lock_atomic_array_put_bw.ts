/**
 * Bandwidth of puts into a `LocalLockArray`, each under the lock of PE 1.
 *
 *     deno task run:local -n 2 examples/bandwidths/local_lock_atomic_array_put_bw.ts 1048576
 *
 * Arguments: the largest transfer, and what each size moves, in bytes.
 *
 * @module
 */

import { LamellarWorldBuilder, LocalLockArray } from "../../mod.ts";
import { measurePuts } from "./array_transfers.ts";

await using world = await new LamellarWorldBuilder().build();
await measurePuts(
  world,
  (world, length) => LocalLockArray.create(world, "u8", length),
  (array, index, data) => void array.put(index, data),
);
