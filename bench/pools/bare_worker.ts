/** A Worker by hand: it answers a question at a time, by its number. */
import { addOne, increment } from "./tasks.ts";

/** A question. */
export interface Question {
  readonly id: number;
  readonly op: "increment" | "addOneCopied" | "addOneMoved";
  readonly argument: unknown;
}

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Question>) => void;
  postMessage(message: unknown, transfer?: Transferable[]): void;
};

scope.onmessage = ({ data: { argument, id, op } }) => {
  if (op === "increment") scope.postMessage({ id, value: increment(argument as number) });
  else {
    const value = addOne(argument as Float64Array<ArrayBuffer>);
    scope.postMessage({ id, value }, op === "addOneMoved" ? [value.buffer] : []);
  }
};
