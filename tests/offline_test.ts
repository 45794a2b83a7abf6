import { assertEquals, assertMatch } from "@std/assert";
import { runSource } from "./support/inline.ts";

/** Runs a program on two PEs with an empty cache and no way to npm. */
async function offline(source: string) {
  const cache = await Deno.makeTempDir({ prefix: "lamellar-test-" });
  try {
    const env = { DENO_DIR: cache, NPM_CONFIG_REGISTRY: "http://127.0.0.1:1" };
    return await runSource(source, { pes: 2, env, flags: ["-A", "--cached-only"] });
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

const HEAD = `import { am, LamellarWorldBuilder, u32 } from "MOD";
  const Next = am("Next", { i: u32 }, (self) => {
    if (self.i > 9) throw new RangeError("too large");
    return self.i + 1;
  });
  const List = am("List", (self: { list: number[] }) => void self);
  await using world = await new LamellarWorldBuilder().build();
  const other = 1 - world.myPe;
  void [List, Next, other];
`;

Deno.test("without npm a program that needs no package runs, errors included", async () => {
  const { code, stdout, stderr } = await offline(`${HEAD}
    const region = await world.allocSharedMemRegion("u32", 4);
    region.store(other, 0, await world.execAmPe(other, Next({ i: 4 })));
    await world.asyncBarrier();
    const error = await world.execAmPe(other, Next({ i: 10 })).then(() => {}, (error) => error);
    console.log(region.asSlice()[0], error.cause?.message ?? error.message);`);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^(5 .*too large\n?){2}$/s);
});

for (
  const [what, code, library] of [
    ["a closure", "await world.execClosurePe(other, () => 3, []);", "acorn"],
    ["MessagePack", "await world.execAmPe(other, List({ list: [1] }));", "@msgpack/msgpack"],
  ] as const
) {
  Deno.test(`without npm a program that needs ${what} says how to bring the package`, async () => {
    const result = await offline(HEAD + code);
    assertMatch(
      result.stderr,
      new RegExp(`^lamellar: PE \\d failed: .*Cannot load npm:${library}@.* need: .*deno cache`),
    );
    assertEquals(result.code, 1);
  });
}
