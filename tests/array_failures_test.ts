import { assertEquals, assertMatch } from "@std/assert";
import { runSource } from "./support/inline.ts";
import { LAMELLAE, STUCK } from "./support/three_processes.ts";

const SETUP =
  `import { am, AtomicArray, GlobalLockArray, LamellarWorldBuilder, LocalLockArray } from "MOD";
await using world = await new LamellarWorldBuilder().build();
// The module could still settle it: what nothing can settle is found sooner.
const never = Promise.withResolvers();
globalThis.settle = never.resolve;
const whole = await GlobalLockArray.create(world, "u32", 9, "block");
const parts = await LocalLockArray.create(world, "u32", 9, "block");
`;

for (const [lamella, options] of Object.entries(LAMELLAE)) {
  for (
    const [lock, wait] of [
      ["whole.writeLock()", "await whole.readLock()"],
      ["whole.writeLock()", "whole.add(0, 1).block()"],
      ["parts.writeLock()", "await parts.batchAdd([0, 8], 1)"],
    ] as const
  ) {
    const title = `${lamella}: A PE that fails while it has the lock of an array ends the job`;
    Deno.test(`${title} (${wait})`, async () => {
      const { code, signal, stderr, stdout } = await runSource(
        `${SETUP}
        if (world.myPe === 2) {
          globalThis.guard = await ${lock};
          await world.asyncBarrier();
          throw new Error("with the lock");
        }
        await world.asyncBarrier();
        ${wait};`,
        { pes: 3, ...options },
      );
      assertEquals(signal, null, stderr + stdout);
      assertMatch(stderr, /^lamellar: PE 2 failed: Error: with the lock[ (\n]/, stdout);
      assertEquals(code, 1);
    });
  }
}

for (
  const [wait, text] of [
    ["await whole.writeLock()", "the write lock of GlobalLockArray 1"],
    ["whole.put(3, 1).block()", "the write lock of GlobalLockArray 1"],
    ["await parts.fetchAdd(3, 1)", "the write lock of PE 1's part of LocalLockArray 2"],
  ] as const
) {
  Deno.test(`The watchdog tells who has the lock of an array (${wait})`, async () => {
    const { code, stderr } = await runSource(
      `${SETUP}
      if (world.myPe === 1) globalThis.guards = [await whole.readLock(), await parts.readLock()];
      await world.asyncBarrier();
      if (world.myPe === 1) await never.promise;
      ${wait};`,
      { pes: 3, env: STUCK },
    );
    assertMatch(stderr, new RegExp(`${text}, which PE 1 has held for reading since`));
    assertEquals(code === 0, false);
  });
}

Deno.test("A conversion that waits for a guard says who has it", async () => {
  const { code, stderr } = await runSource(
    `${SETUP}
    if (world.myPe === 1) globalThis.guard = await parts.readLock();
    await parts.intoAtomic();`,
    { pes: 3, env: STUCK },
  );
  assertMatch(stderr, /the last other references to LocalLockArray 2: PE 1 has 1/);
  assertEquals(code === 0, false);
});

Deno.test("PEs that create or convert arrays differently fail, naming both calls", async () => {
  for (
    const [mine, other, text] of [
      [
        'AtomicArray.create(world, "u8", 5)',
        'AtomicArray.create(world, "u8", 6)',
        /AtomicArray\.create\(u8, 5, block\).*AtomicArray\.create\(u8, 6, block\)/s,
      ],
      ["whole.intoAtomic()", "whole.intoUnsafe()", /intoAtomic.* where PE \d called intoUnsafe/s],
      ["whole.intoAtomic()", "whole.subArray(1).intoAtomic()", /0 to 9.*1 to 9/s],
    ] as const
  ) {
    const { code, stderr } = await runSource(
      `${SETUP} await (world.myPe === 0 ? ${mine} : ${other});`,
      { pes: 2 },
    );
    const sides = stderr.replace(
      /(.*)PE 1 called (.*) where PE 0 called (.*?)(:.*)/s,
      "$1$3 where PE 1 called $2$4",
    );
    assertMatch(sides, text);
    assertEquals(code, 1);
  }
});
