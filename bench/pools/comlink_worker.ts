/** A thread of comlink. */
import * as Comlink from "npm:comlink@^4.4.2";
import { addOne, increment } from "./tasks.ts";

const service = {
  increment,
  addOneCopied: addOne,
  addOneMoved: (block: Float64Array<ArrayBuffer>) =>
    Comlink.transfer(addOne(block), [block.buffer]),
};

/** What it offers. */
export type Service = typeof service;

Comlink.expose(service);
