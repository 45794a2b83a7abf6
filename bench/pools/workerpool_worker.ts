/** The threads of workerpool. */
import workerpool from "npm:workerpool@^10.0.0";
import { addOne, increment } from "./tasks.ts";

workerpool.worker({
  increment,
  addOneCopied: addOne,
  addOneMoved(block: Float64Array<ArrayBuffer>) {
    return new workerpool.Transfer(addOne(block), [block.buffer]);
  },
});
