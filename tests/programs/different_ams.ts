/** Defines an AM more where a variable says so, as a host with another copy of a program does. */

import { am, LamellarWorldBuilder, u32 } from "../../mod.ts";

am("Same", { from: u32 }, () => 1);
if (Deno.env.get("OTHER_COPY")) am("Extra", { from: u32 }, () => 1);
await using world = await new LamellarWorldBuilder().build();
console.log(`PE ${world.myPe} has a world`);
