/**
 * Every PE writes many long lines in the way of the first argument: its number, the line's, and a
 * filling.
 */

import process from "node:process";
import { LamellarWorldBuilder } from "../../mod.ts";

const [how, count, longest] = [Deno.args[0]!, Number(Deno.args[1]), Number(Deno.args[2])];
await using world = await new LamellarWorldBuilder().build();
const encoder = new TextEncoder();
const filling = String.fromCharCode(97 + world.myPe);

function line(i: number): string {
  return `${world.myPe} ${i} ${filling.repeat(1 + (i * 37) % longest)}`;
}

const stream = { writer: undefined as WritableStreamDefaultWriter<Uint8Array> | undefined };

const WAYS: Record<string, (i: number) => unknown> = {
  log: (i) => console.log(line(i)),
  error: (i) => console.error(line(i)),
  raw: (i) => Deno.stdout.write(encoder.encode(line(i) + "\n")),
  "raw-sync": (i) => Deno.stdout.writeSync(encoder.encode(line(i) + "\n")),
  "raw-error": (i) => Deno.stderr.writeSync(encoder.encode(line(i) + "\n")),
  stream: (i) => {
    stream.writer ??= Deno.stdout.writable.getWriter();
    return stream.writer.write(encoder.encode(line(i) + "\n"));
  },
  node: (i) => new Promise((written) => process.stdout.write(line(i) + "\n", written)),
  parts: (i) => {
    const text = line(i) + "\n";
    const cut = (i * 13) % text.length;
    Deno.stdout.writeSync(encoder.encode(text.slice(0, cut)));
    Deno.stdout.writeSync(encoder.encode(text.slice(cut)));
  },
};
WAYS["mixed"] = (i) => [WAYS["log"], WAYS["raw-sync"], WAYS["node"], WAYS["parts"]][i % 4]!(i);

world.barrier();
for (let i = 0; i < count; i++) await WAYS[how]!(i);
