import { assertEquals, assertThrows } from "@std/assert";
import { parseLaunchArgs, UsageError } from "./launch_args.ts";

function settings(args: readonly string[]): Record<string, string> {
  const { settings } = parseLaunchArgs(args);
  return Object.fromEntries([...settings].map(([name, { value }]) => [name, value]));
}

Deno.test("parseLaunchArgs() takes values behind a space, an equals sign, or nothing", () => {
  for (const args of [["-n", "4"], ["-n4"], ["--pes", "4"], ["--pes=4"]]) {
    assertEquals(settings([...args, "app.ts"]), { LAMELLAR_PES: "4" });
  }
  assertEquals(settings(["--heap=2G", "-l"]), { LAMELLAR_HEAP_SIZE: "2G", LAMELLAR_LABEL: "1" });
  assertEquals(settings(["--label", "--heap", "5M"]), {
    LAMELLAR_LABEL: "1",
    LAMELLAR_HEAP_SIZE: "5M",
  });
});

Deno.test("parseLaunchArgs() leaves what follows the program to the program", () => {
  const { program, args, show } = parseLaunchArgs(["-l", "app.ts", "-n", "4", "--help", "--", "x"]);
  assertEquals(program, "app.ts");
  assertEquals(args, ["-n", "4", "--help", "--", "x"]);
  assertEquals(show, undefined);
});

Deno.test("parseLaunchArgs() takes a program that looks like an option behind --", () => {
  const { program, args } = parseLaunchArgs(["-n", "2", "--", "-odd.ts", "--", "y"]);
  assertEquals([program, args], ["-odd.ts", ["--", "y"]]);
});

Deno.test("parseLaunchArgs() names no program where none is given", () => {
  assertEquals(parseLaunchArgs([]).program, undefined);
  assertEquals(parseLaunchArgs(["-n", "2"]).program, undefined);
});

Deno.test("parseLaunchArgs() keeps the option as it was written, for messages", () => {
  assertEquals(parseLaunchArgs(["--pes=x"]).settings.get("LAMELLAR_PES")?.option, "--pes");
  assertEquals(parseLaunchArgs(["-nx"]).settings.get("LAMELLAR_PES")?.option, "-n");
});

Deno.test("parseLaunchArgs() knows what to show", () => {
  assertEquals(parseLaunchArgs(["-h"]).show, "help");
  assertEquals(parseLaunchArgs(["-n", "2", "--help"]).show, "help");
  assertEquals(parseLaunchArgs(["--version", "app.ts"]).show, "version");
});

Deno.test("parseLaunchArgs() refuses what it does not understand", () => {
  const refuse = (args: readonly string[], message: string): void => {
    assertThrows(() => parseLaunchArgs(args), UsageError, message);
  };
  refuse(["--np", "4"], "Unknown option --np; --help lists them");
  refuse(["-x"], "Unknown option -x; --help lists them");
  refuse(["--constructor"], "Unknown option --constructor; --help lists them");
  refuse(["-n"], "Option -n needs a value");
  refuse(["--heap="], 'Option --heap needs a value, got ""');
  refuse(["--label=yes"], 'Option --label takes no value, got "yes"');
});
