/**
 * What PEs run that are at the service of a session: the modules that it names, and then whatever
 * comes from the program that started it. On any other thread it does nothing.
 *
 * @module
 */

import "../array/mod.ts";
import "../darc/mod.ts";
import { LamellarError } from "../internal/errors.ts";
import { toldToPe } from "../lamellae/mod.ts";
import { LamellarWorldBuilder } from "../world/mod.ts";
import type { Told } from "./messages.ts";
import { serve } from "./service.ts";

/** Says whose world it is if there is one already. */
function refuse(error: unknown): never {
  if (!(error instanceof LamellarError && error.code === "ERR_WORLD_EXISTS")) throw error;
  throw new LamellarError(
    error.code,
    "Cannot serve the session: one of its modules builds a world itself; the modules of a " +
      "session only define what its PEs need",
    { cause: error, op: "startSession" },
  );
}

const told = toldToPe() as Told | undefined;
if (told !== undefined) {
  for (const module of told.modules) await import(module);
  await serve(await new LamellarWorldBuilder().build().catch(refuse));
}
