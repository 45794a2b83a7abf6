import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  configTable,
  readBootstrapConfig,
  readConfig,
  readLauncherConfig,
  unknownVariables,
} from "./config.ts";

function read(values: Record<string, string>): ReturnType<typeof readConfig> {
  return readConfig((name) => values[name]);
}

Deno.test("readConfig() gives the documented defaults when nothing is set", () => {
  assertEquals(read({}), {
    backend: undefined,
    pes: undefined,
    heapBytes: undefined,
    ringBytes: undefined,
    amThresholdBytes: 100_000,
    barrierFactor: 3,
    spinLoads: undefined,
    deadlockWarningMs: 10_000,
    deadlockMs: undefined,
    label: false,
    allFrames: false,
    closures: true,
    darcOrigins: false,
    checkSlices: false,
    ffiFastCall: true,
    shareMemory: undefined,
    provider: undefined,
    domain: undefined,
  });
});

Deno.test("readConfig() takes an empty variable as not set", () => {
  assertEquals(read({ LAMELLAR_PES: "", LAMELLAR_LABEL: "  " }), read({}));
});

Deno.test("readConfig() reads numbers, sizes with suffixes, seconds and booleans", () => {
  const config = read({
    LAMELLAR_BACKEND: "local",
    LAMELLAR_PES: "4",
    LAMELLAR_HEAP_SIZE: "1.5G",
    LAMELLAR_RING_SIZE: "64 KiB",
    LAMELLAR_AM_SIZE_THRESHOLD: "0",
    LAMELLAR_DEADLOCK_WARNING_TIMEOUT: "0.25",
    LAMELLAR_DEADLOCK_TIMEOUT: "0",
    LAMELLAR_BARRIER_DISSEMINATION_FACTOR: "4",
    LAMELLAR_SPIN: "0",
    LAMELLAR_LABEL: "yes",
    LAMELLAR_CLOSURES: "off",
    LAMELLAR_DARC_ORIGINS: "1",
    LAMELLAR_CHECK_SLICES: "1",
    LAMELLAR_FFI_FASTCALL: "0",
  });
  assertEquals(config, {
    backend: "local",
    pes: 4,
    heapBytes: 1.5 * 1024 ** 3,
    ringBytes: 65536,
    amThresholdBytes: 0,
    barrierFactor: 4,
    spinLoads: 0,
    deadlockWarningMs: 250,
    deadlockMs: 0,
    label: true,
    allFrames: false,
    closures: false,
    darcOrigins: true,
    checkSlices: true,
    ffiFastCall: false,
    shareMemory: undefined,
    provider: undefined,
    domain: undefined,
  });
});

Deno.test("readConfig() says which variable is wrong, what it takes and what it got", () => {
  const wrong = (values: Record<string, string>, message: string, Class = TypeError) =>
    assertEquals(assertThrows(() => read(values), Class).message, message);
  const pes = "LAMELLAR_PES must be a whole number from 1 to 256, got ";
  wrong({ LAMELLAR_PES: "four" }, `${pes}"four"`);
  wrong({ LAMELLAR_PES: "1.5" }, `${pes}"1.5"`);
  wrong({ LAMELLAR_PES: "0" }, `${pes}"0"`, RangeError);
  wrong({ LAMELLAR_PES: "257" }, `${pes}"257"`, RangeError);
  wrong({ LAMELLAR_PES: "-1" }, `${pes}"-1"`, RangeError);
  const heap = "LAMELLAR_HEAP_SIZE must be a number of bytes from 64K to 16G, got ";
  wrong({ LAMELLAR_HEAP_SIZE: "1X" }, `${heap}"1X"`);
  wrong({ LAMELLAR_HEAP_SIZE: "1K" }, `${heap}"1K"`, RangeError);
  wrong({ LAMELLAR_HEAP_SIZE: "65536.5" }, `${heap}"65536.5"`, RangeError);
  const ring = "LAMELLAR_RING_SIZE must be a number of bytes from 4K to 1G that is a power of two";
  wrong({ LAMELLAR_RING_SIZE: "5K" }, `${ring}, got "5K"`, RangeError);
  const limit = "LAMELLAR_DEADLOCK_TIMEOUT must be a number of seconds from 0 to 1000000, got ";
  wrong({ LAMELLAR_DEADLOCK_TIMEOUT: "-1" }, `${limit}"-1"`, RangeError);
  wrong({ LAMELLAR_DEADLOCK_TIMEOUT: "soon" }, `${limit}"soon"`);
  wrong({ LAMELLAR_LABEL: "perhaps" }, 'LAMELLAR_LABEL must be 1 or 0, got "perhaps"');
  wrong(
    { LAMELLAR_BACKEND: "ucx" },
    'LAMELLAR_BACKEND must be local, shmem or rofi, got "ucx"',
  );
});

Deno.test("readConfig() reads the lamella and its network, or leaves them open", () => {
  const chosen = ({ backend, provider, domain }: ReturnType<typeof read>) => [
    backend,
    provider,
    domain,
  ];
  assertEquals(chosen(read({})), [undefined, undefined, undefined]);
  const values = {
    LAMELLAR_BACKEND: "rofi",
    LAMELLAR_ROFI_PROVIDER: "tcp",
    LAMELLAR_ROFI_DOMAIN: " eth0 ",
  };
  assertEquals(chosen(read(values)), ["rofi", "tcp", "eth0"]);
});

Deno.test("readBootstrapConfig() reads how a process finds the others, or gives defaults", () => {
  const nothing = {
    means: undefined,
    timeoutMs: undefined,
    rendezvous: undefined,
    rank: undefined,
    size: undefined,
    secret: undefined,
    secretFile: undefined,
    launcher: false,
  };
  assertEquals(readBootstrapConfig(() => undefined), nothing);
  const values: Record<string, string> = {
    LAMELLAR_BOOTSTRAP: "pmix",
    LAMELLAR_BOOTSTRAP_TIMEOUT: "2.5",
    LAMELLAR_RENDEZVOUS: " n1:7000 ",
    LAMELLAR_RANK: "0",
    LAMELLAR_SIZE: "3",
    LAMELLAR_SECRET: "0123456789abcdef",
    LAMELLAR_SECRET_FILE: "key",
    LAMELLAR_LAUNCHER: "1",
  };
  assertEquals(readBootstrapConfig((name) => values[name]), {
    means: "pmix",
    timeoutMs: 2500,
    rendezvous: "n1:7000",
    rank: 0,
    size: 3,
    secret: "0123456789abcdef",
    secretFile: "key",
    launcher: true,
  });
  assertThrows(
    () => readBootstrapConfig(() => "mpi"),
    TypeError,
    'LAMELLAR_BOOTSTRAP must be pmi, pmix, rendezvous or alone, got "mpi"',
  );
});

Deno.test("unknownVariables() warns of a misspelt name and suggests the nearest known one", () => {
  assertEquals(unknownVariables(["PATH", "LAMELLAR_PES", "LAMELLAR_CLOSURES"]), []);
  assertEquals(
    unknownVariables([
      "LAMELLAR_MEM_SIZE",
      "LAMELLAE_BACKEND",
      "LAMELLAR_THREADS",
      "LAMELLAR_NPES",
    ]),
    [
      "Environment variable LAMELLAE_BACKEND is not known and has no effect; " +
      "did you mean LAMELLAR_BACKEND?",
      "Environment variable LAMELLAR_MEM_SIZE is not known and has no effect; " +
      "did you mean LAMELLAR_HEAP_SIZE?",
      "Environment variable LAMELLAR_NPES is not known and has no effect; " +
      "did you mean LAMELLAR_PES?",
      "Environment variable LAMELLAR_THREADS is not known and has no effect",
    ],
  );
});

Deno.test("configTable() has a row for each variable, with its default", () => {
  const rows = configTable().split("\n");
  const none = (): undefined => undefined;
  const settings = { ...read({}), ...readBootstrapConfig(none), ...readLauncherConfig(none) };
  assertEquals(rows.length, 2 + Object.keys(settings).length);
  assertStringIncludes(
    configTable(),
    "| `LAMELLAR_DEADLOCK_TIMEOUT` | a number of seconds from 0 to 1000000 | " +
      "600, and never while a PE computes | ",
  );
});

Deno.test("The defaults that the table states are the ones that readConfig() gives", () => {
  const stated: Record<string, string> = {};
  for (const row of configTable().split("\n").slice(2)) {
    const [, name, , byDefault] = row.split("|").map((cell) => cell.trim());
    if (/^(\d+|local)$/.test(byDefault!)) stated[name!.replaceAll("`", "")] = byDefault!;
  }
  assertEquals(Object.keys(stated).length, 10);
  assertEquals(read(stated), read({}));
  assertEquals(
    readBootstrapConfig((name) => stated[name]),
    readBootstrapConfig(() => undefined),
  );
});

/** What environment() and environmentNames() give in a process with these flags. */
async function inProcess(flags: readonly string[]): Promise<string> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...flags, "-"],
    env: { LAMELLAR_SPIN: "7", LAMELLAR_PES: "3" },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = process.stdin.getWriter();
  const url = JSON.stringify(import.meta.resolve("./config.ts"));
  await writer.write(
    new TextEncoder().encode(`import { environment, environmentNames } from ${url};
      const all = environmentNames().includes("LAMELLAR_SPIN");
      console.log(environment("LAMELLAR_SPIN"), environment("LAMELLAR_PES"), all);`),
  );
  await writer.close();
  return new TextDecoder().decode((await process.output()).stdout);
}

Deno.test("environment() reads what the process may read, and asks for nothing", async () => {
  assertEquals(await inProcess(["--allow-env"]), "7 3 true\n");
  assertEquals(await inProcess(["--allow-env=LAMELLAR_PES"]), "undefined 3 false\n");
  assertEquals(await inProcess([]), "undefined undefined false\n");
});

Deno.test("readLauncherConfig() gives what the launcher of several processes needs", () => {
  assertEquals(readLauncherConfig(() => undefined), {
    pesPerProcess: undefined,
    ssh: "ssh",
    remoteDeno: undefined,
  });
  const values: Record<string, string> = {
    LAMELLAR_PES_PER_PROCESS: "4",
    LAMELLAR_SSH: " ssh -F file ",
    LAMELLAR_REMOTE_DENO: "/opt/deno",
  };
  assertEquals(readLauncherConfig((name) => values[name]), {
    pesPerProcess: 4,
    ssh: "ssh -F file",
    remoteDeno: "/opt/deno",
  });
});
