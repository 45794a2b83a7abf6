import { assertEquals, assertThrows } from "@std/assert";
import { parseLaunchArgs, UsageError } from "./launch_args.ts";

function settings(args: readonly string[]): Record<string, string> {
  const { settings } = parseLaunchArgs(args);
  return Object.fromEntries([...settings].map(([name, { value }]) => [name, value]));
}

Deno.test("parseLaunchArgs() takes values behind a space, an equals sign, or nothing", () => {
  for (const option of ["-n", "-np", "--np", "--pes"]) {
    for (const args of [[option, "4"], [`${option}=4`]]) {
      assertEquals(settings([...args, "app.ts"]), { LAMELLAR_PES: "4" }, args.join(" "));
    }
  }
  for (const args of [["-n4"], ["-np4"]]) assertEquals(settings(args), { LAMELLAR_PES: "4" });
  assertEquals(parseLaunchArgs(["-x=A=b", "-xC"]).cluster.env, ["A=b", "C"]);
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
  assertEquals(parseLaunchArgs(["-np", "x"]).settings.get("LAMELLAR_PES")?.option, "-np");
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
  const all = "-n, -np, --np, --pes, --heap, -l, --label, --backend, --processes, ";
  refuse(["-z"], `Unknown option -z; there are ${all}`);
  refuse(["--constructor"], `Unknown option --constructor; there are ${all}`);
  refuse(["-Z4"], "Unknown option -Z; there are -n, ");
  refuse(["--proceses=4"], "Unknown option --proceses; did you mean --processes?");
  refuse(["--lable"], "Unknown option --lable; did you mean --label?");
  refuse(["-hosts", "a,b"], "Unknown option -hosts; did you mean --hosts?");
  refuse(["-pes=4"], "Unknown option -pes; did you mean --pes?");
  refuse(["-n"], "Option -n needs a value");
  refuse(["--heap="], 'Option --heap needs a value, got ""');
  refuse(["--label=yes"], 'Option --label takes no value, got "yes"');
});

Deno.test("parseLaunchArgs() reads what is asked of several processes", () => {
  const { cluster, program, settings } = parseLaunchArgs([
    ...["--processes", "4", "--pes-per-process=2", "--pes-per-host", "4", "--hosts", "a,b:4"],
    ...["-x", "A", "-xB=c d", "--allow-ffi", "--allow-read=/x", "-A", "--v8-flags=--a,--b"],
    ...["--backend", "rofi", "--exec", "app", "-x", "y"],
  ]);
  assertEquals(cluster, {
    processes: 4,
    pesPerProcess: 2,
    pesPerHost: 4,
    hosts: "a,b:4",
    hostfile: undefined,
    env: ["A", "B=c d"],
    flags: ["--allow-ffi", "--allow-read=/x", "-A", "--v8-flags=--a,--b"],
    exec: true,
  });
  assertEquals([program, settings.get("LAMELLAR_BACKEND")?.value], ["app", "rofi"]);
});

Deno.test("parseLaunchArgs() refuses what cannot be asked of processes", () => {
  const refuse = (args: readonly string[], message: string): void => {
    assertThrows(() => parseLaunchArgs(args), UsageError, message);
  };
  const counts = "must be a whole number from 1 to 65536, got";
  refuse(["--processes", "0"], `--processes ${counts} "0"`);
  refuse(["--pes-per-host=x"], `--pes-per-host ${counts} "x"`);
  refuse(["--pes-per-process", "99999999"], `--pes-per-process ${counts} "99999999"`);
  refuse(["-x", "a-b"], 'Option -x takes NAME or NAME=value, got "a-b"');
  refuse(["--hosts", "a", "--hostfile", "b"], "Cannot use both --hosts and --hostfile");
  refuse(["--exec=x"], 'Option --exec takes no value, got "x"');
});
