import { assertEquals, assertMatch } from "@std/assert";
import { LamellarError } from "./errors.ts";
import { foldFrames, loadingErrorText, rejectAtAwaiter, takeStackFromHere } from "./stacks.ts";

const ROOT = new URL("../", import.meta.url).href;
const NOTE = "of the runtime (LAMELLAR_STACKS=1 shows them)";

Deno.test("foldFrames() shows the lines of users first and counts the others", () => {
  const stack = [
    "RangeError: no room",
    `    at refuse (${ROOT}memregion/refusals.ts:1:2)`,
    `    at user (file:///home/me/app.ts:3:4)`,
    `    at Progress.step (${ROOT}lamellae/progress.ts:5:6)`,
    "    at listOnTimeout (ext:core/02_timers.js:307:17)",
    `    at async ${ROOT}examples/hello.ts:7:8`,
    `    at async ${ROOT}am/pes_test.ts:7:8`,
  ].join("\n");
  assertEquals(
    foldFrames(stack, false),
    [
      "RangeError: no room",
      "    at user (file:///home/me/app.ts:3:4)",
      `    at async ${ROOT}examples/hello.ts:7:8`,
      `    at async ${ROOT}am/pes_test.ts:7:8`,
      `    ... 3 frames ${NOTE}`,
    ].join("\n"),
  );
  assertEquals(foldFrames(stack, true), stack);
});

Deno.test("foldFrames() keeps one frame where there is no other", () => {
  const frames = [1, 2].map((line) => `    at f (${ROOT}am/wire/inbox.ts:${line}:1)`);
  assertEquals(
    foldFrames(["Error: x", ...frames].join("\n"), false),
    ["Error: x", frames[0], `    ... 1 frame ${NOTE}`].join("\n"),
  );
  assertEquals(foldFrames(`Error: x\n${frames[0]}`, false), `Error: x\n${frames[0]}`);
});

Deno.test("foldFrames() folds the stacks of an inspected error and of its causes", () => {
  const text = [
    "RemoteError: it failed",
    `    at one (${ROOT}am/wire/results.ts:1:1)`,
    "    at async file:///app.ts:9:9",
    "    ... 3 lines matching cause stack trace ...",
    `    at two (${ROOT}am/wire/inbox.ts:1:1) {`,
    '  code: "ERR_REMOTE",',
    "  [cause]: Error: below",
    "      at file:///app.ts:1:1",
    `      at three (${ROOT}am/invoke.ts:1:1)`,
    "}",
  ].join("\n");
  assertEquals(
    foldFrames(text, false),
    [
      "RemoteError: it failed",
      "    at async file:///app.ts:9:9",
      `    ... 5 frames ${NOTE} {`,
      '  code: "ERR_REMOTE",',
      "  [cause]: Error: below",
      "      at file:///app.ts:1:1",
      `      ... 1 frame ${NOTE}`,
      "}",
    ].join("\n"),
  );
});

Deno.test("rejectAtAwaiter() gives an error the stack of who awaits it", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const thenable: PromiseLike<void> = { then: (...args) => promise.then(...args) };
  async function asksForIt(): Promise<void> {
    await thenable;
  }
  const error = new LamellarError("ERR_TEST", "as asked");
  let told = 0;
  setTimeout(() => rejectAtAwaiter(resolve, error, () => told++), 0);
  let caught: unknown;
  try {
    await asksForIt();
  } catch (error) {
    caught = error;
  }
  assertEquals([caught, told], [error, 1]);
  assertMatch(String(error.stack), /^LamellarError: as asked\n +at async asksForIt \(.*_test\.ts/);
});

Deno.test("what programs throw keeps its stack", () => {
  const error = new Error("mine");
  const { stack } = error;
  assertEquals(takeStackFromHere(error).stack, stack);
  assertEquals(takeStackFromHere(5), 5);
});

/** What an import throws. */
async function importError(url: string): Promise<unknown> {
  return await import(url).then(() => undefined, (error) => error);
}

Deno.test("loadingErrorText() is what Deno says of a program that it cannot load", () => {
  const error = Object.assign(new TypeError('Module not found "file:///x.ts"'), {
    code: "ERR_MODULE_NOT_FOUND",
  });
  const head = 'TypeError: Module not found "file:///x.ts"';
  error.stack = `${head}\n    at async load (${ROOT}lamellae/process/program_mark.ts:1:1)`;
  assertEquals(loadingErrorText(error), head);
  error.stack += "\n    at async file:///home/me/app.ts:3:4";
  assertEquals(loadingErrorText(error), undefined);
  assertEquals(loadingErrorText(new TypeError("x")), undefined);
  assertEquals(loadingErrorText("x"), undefined);
});

Deno.test("foldFrames() shows a place that Deno has coloured without colours", async () => {
  const error = await importError("data:text/javascript,import 'file:///no/such.ts'");
  const place = "at data:text/javascript,import 'file:///no/such.ts':1:8";
  // Deno colours unless NO_COLOR is set, so the text is coloured here in any case.
  const coloured = "at \x1b[0m\x1b[36mdata:text/javascript,import 'file:///no/such.ts'\x1b[0m:" +
    "\x1b[0m\x1b[33m1\x1b[0m:\x1b[0m\x1b[33m8\x1b[0m";
  const text = String((error as Error).stack).replace(place, coloured);
  assertEquals(text.includes("\x1b"), true);
  const shown = foldFrames(text, false);
  const wanted = Deno.stderr.isTerminal() || Boolean(Deno.env.get("FORCE_COLOR"));
  if (wanted) return assertEquals(shown.includes(coloured), true);
  assertEquals([shown.includes(place), shown.includes("\x1b")], [true, false]);
});
