import { assertThrows } from "@std/assert";
import { makeAccess } from "../../memregion/transfer/access.ts";
import { analyseClosure } from "./source.ts";

Deno.test("makeAccess(), which is compiled from its source, uses nothing but its parameter", () => {
  analyseClosure(makeAccess);
});

Deno.test("The same function is refused as soon as it uses a name of its module", () => {
  const text = `${makeAccess}`.replace(/\{/, "{ refuse();");
  const other = new Function(`return ${text}`)();
  assertThrows(() => analyseClosure(other), TypeError, 'it uses "refuse"');
});
