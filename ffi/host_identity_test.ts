import { assertEquals } from "@std/assert";
import { networkPlace } from "./host_identity.ts";

Deno.test("a process finds out in which network of which host it is", async () => {
  const place = networkPlace();
  const boot = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  assertEquals(place, `${boot} ${Deno.readLinkSync("/proc/self/ns/net")}`);
  const source = `
    import { networkPlace } from "${new URL("./host_identity.ts", import.meta.url)}";
    console.log(networkPlace());`;
  const run = async (command: string, ...args: string[]): Promise<string> => {
    const { stdout } = await new Deno.Command(command, { args }).output();
    return new TextDecoder().decode(stdout).trim();
  };
  assertEquals(await run(Deno.execPath(), "eval", source), place);
  assertEquals(
    await run(Deno.execPath(), "run", "--no-prompt", `data:text/javascript,${source}`),
    "",
  );
});
