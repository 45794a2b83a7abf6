/**
 * Bandwidth of puts into a `GlobalLockArray`, each under its only lock.
 *
 *     deno task run:local -n 2 examples/bandwidths/global_lock_atomic_array_put_bw.ts 1048576
 *
 * Arguments: the largest transfer, and what each size moves, in bytes.
 *
 * @module
 */

import { GlobalLockArray, LamellarWorldBuilder } from "../../mod.ts";
import { measurePuts } from "./array_transfers.ts";

await using world = await new LamellarWorldBuilder().build();
await measurePuts(
  world,
  (world, length) => GlobalLockArray.create(world, "u8", length),
  (array, index, data) => void array.put(index, data),
);
