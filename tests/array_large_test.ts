import { assertEquals } from "@std/assert";
import { runSource } from "./support/inline.ts";

/** Two heaps with an array each, which they have room for once, and as much for all else. */
const NEEDED_BYTES = 3 * 2 ** 30;
const ignore = Deno.systemMemoryInfo().available < NEEDED_BYTES;

for (const [type, kind] of [["u32", "cyclic"], ["f64", "block"]] as const) {
  const name = `An array of 10^8 ${type} works to its ends, and gives its memory back (${kind})`;
  Deno.test({
    name: ignore ? `${name}: left out, since there are no 3 GiB of free memory` : name,
    ignore,
    async fn() {
      const heapBytes = 2 ** 20 * (type === "u32" ? 256 : 512);
      const { code, stderr, stdout } = await runSource(
        `import { AtomicArray, LamellarWorldBuilder } from "MOD";
        await using world = await new LamellarWorldBuilder().build();
        const { myPe, numPes } = world;
        const check = (found, expected, what) => {
          if (found !== expected) throw new Error(what + ": " + found + ", not " + expected);
        };
        const LENGTH = 10 ** 8;
        const added = numPes * (numPes + 1) / 2;
        for (let round = 0; round < 2; round++) {
          const array = await AtomicArray.create(world, "${type}", LENGTH, "${kind}");
          if (myPe === 1) await array.fill(3);
          await world.asyncBarrier();
          const ends = [0, 1, LENGTH / 2 - 1, LENGTH / 2, LENGTH - 2, LENGTH - 1];
          await array.batchAdd(ends, myPe + 1);
          await world.asyncBarrier();
          for (const value of await array.batchLoad(ends)) check(value, 3 + added, "an end");
          const middle = await array.get(LENGTH / 2 - 2, 4);
          check([...middle].join(), [3, 3 + added, 3 + added, 3].join(), "the middle");
          check(array.subArray(LENGTH - 3, LENGTH).at(0), 3, "before the end");
          check(await array.sum(), 3 * LENGTH + ends.length * added, "the sum");
          check(await array.max(), 3 + added, "the greatest");
          try {
            array.add(LENGTH, 1);
            check("nothing", "a RangeError", "behind the end");
          } catch (error) {
            check(error.name, "RangeError", "behind the end");
          }
          await world.asyncBarrier();
          const many = Uint32Array.from({ length: 10 ** 6 }, () => Math.random() * LENGTH);
          await array.batchAdd(many, 1);
          await world.asyncBarrier();
          const all = 3 * LENGTH + ends.length * added + numPes * many.length;
          check(await array.sum(), all, "the sum after many additions");
          const readOnly = await array.intoReadOnly();
          check(readOnly.at(LENGTH / 2 + 1) >= 3, true, "an element");
          readOnly.dispose();
        }
        console.log("done");`,
        { pes: 2, env: { LAMELLAR_HEAP_SIZE: String(heapBytes) } },
      );
      assertEquals(stderr, "");
      assertEquals([code, stdout], [0, "done\ndone\n"]);
    },
  });
}
