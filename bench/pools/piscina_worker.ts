/** The threads of piscina. */
import { move } from "npm:piscina@^5.0.0";
import { addOne } from "./tasks.ts";

export { increment } from "./tasks.ts";

export const addOneCopied = addOne;

export function addOneMoved(block: Float64Array): unknown {
  return move(addOne(block) as never);
}
