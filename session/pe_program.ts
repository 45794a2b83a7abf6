/**
 * What PEs run that are at the service of a session: the modules that it names, and then whatever
 * comes from the program that started it. On any other thread it does nothing.
 *
 * @module
 */

import "../array/mod.ts";
import "../darc/mod.ts";
import { messageOf } from "../am/mod.ts";
import { LamellarError } from "../internal/errors.ts";
import { toldToPe } from "../lamellae/mod.ts";
import { LamellarWorldBuilder } from "../world/mod.ts";
import type { Told } from "./messages.ts";
import { serve } from "./service.ts";

/** Says which module it was. */
function refuseModule(module: string, cause: unknown): never {
  const op = "startSession";
  const text = `Cannot import the module ${module} of the session`;
  throw new LamellarError("ERR_MODULE", `${text}: ${messageOf(cause)}`, { cause, op });
}

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
  for (const module of told.modules) {
    await import(module).catch((error) => refuseModule(module, error));
  }
  await serve(await new LamellarWorldBuilder().build().catch(refuse));
}
