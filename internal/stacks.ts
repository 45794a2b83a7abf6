/**
 * Stacks as users want to see them: their own lines first, those of the runtime folded away.
 *
 * @module
 */

import { environment, readsAllFrames } from "./config.ts";
import { LamellarError } from "./errors.ts";

/** Where the library is; the examples are there too, and are programs like any other. */
const ROOT = new URL("../", import.meta.url).href;
const ROOMS = "(?:am|array|darc|ffi|internal|lamellae|memregion|session|world|scripts/launch[^:]*)";
const QUOTED_ROOT = ROOT.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const OURS = new RegExp(`(?:${QUOTED_ROOT}${ROOMS}/(?![^:]*_test\\.ts)|\\bext:|node:)`);
/** A line of a stack, or one in which it is said that some are those of the cause. */
const FRAME = /^( +)(?:at .*|\.\.\. (\d+) lines matching cause stack trace \.\.\.)$/;
/** Frames that are looked at where somebody awaits. */
const FRAMES_MAX = 50;

/** A part of a message that Deno has coloured, which it does wherever the message goes. */
// deno-lint-ignore no-control-regex
const COLOURED = /\x1b\[0m(?:\x1b\[\d+m)+([^\x1b]*)\x1b\[0m/g;

let showsAll: boolean | undefined;
let showsColours: boolean | undefined;

/**
 * Folds the frames of the runtime in each stack of a text.
 *
 * @param text A stack, or what `Deno.inspect` says of an error.
 * @param all Whether they are left as they are; without it `LAMELLAR_STACKS` says it.
 * @returns The text with the frames of users first, and how many others there are behind them.
 */
export function foldFrames(
  text: string,
  all: boolean = showsAll ??= readsAllFrames(environment),
): string {
  const plain = withoutColours(text);
  if (all) return plain;
  const lines: string[] = [];
  let stack: string[] = [];
  for (const line of plain.split("\n")) {
    // The last line of a stack may go on with the properties of the error.
    const [, frame, rest] = /^(.*?)( \{)?$/.exec(line)!;
    const isFrame = FRAME.test(frame!);
    if (isFrame) stack.push(frame!);
    if (isFrame && rest === undefined) continue;
    lines.push(...folded(stack));
    stack = [];
    if (!isFrame) lines.push(line);
    else lines.push(lines.pop()! + rest);
  }
  return [...lines, ...folded(stack)].join("\n");
}

/** Colours are for terminals, and for users that force them. Deno itself obeys `NO_COLOR`. */
function withoutColours(text: string): string {
  showsColours ??= Deno.stderr.isTerminal() || Boolean(environment("FORCE_COLOR"));
  return showsColours ? text : text.replaceAll(COLOURED, "$1");
}

/**
 * Tells what Deno says of a program that it cannot load. Nothing of the program has run then, so
 * the frames of the stack are all of the runtime.
 *
 * @param error What the import of the program threw.
 * @returns The text without a stack; undefined if the program itself threw the error.
 */
export function loadingErrorText(error: unknown): string | undefined {
  if (!(error instanceof SyntaxError) && !isModuleError(error)) return undefined;
  const { name, message, stack = "" } = error as Error;
  const head = `${name}: ${message}`;
  if (!stack.startsWith(head)) return undefined;
  const frames = stack.slice(head.length).split("\n").slice(1);
  return frames.every(isOurs) ? withoutColours(head) : undefined;
}

function isModuleError(error: unknown): error is Error {
  return error instanceof TypeError && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
}

function folded(stack: readonly string[]): string[] {
  const shown = stack.filter((frame) => !isOurs(frame));
  const hidden = stack.filter(isOurs);
  // Nothing but the runtime: where it is, is better than nothing.
  if (shown.length === 0) shown.push(...hidden.splice(0, 1));
  if (hidden.length === 0) return [...stack];
  const count = hidden.reduce((sum, frame) => sum + Number(FRAME.exec(frame)?.[2] ?? 1), 0);
  const indent = FRAME.exec(shown[0]!)![1];
  const frames = count === 1 ? "1 frame" : `${count} frames`;
  return [...shown, `${indent}... ${frames} of the runtime (LAMELLAR_STACKS=1 shows them)`];
}

function isOurs(frame: string): boolean {
  return OURS.test(frame) || FRAME.exec(frame)?.[2] !== undefined;
}

/**
 * Rejects a promise with an error that gets the stack of the code that awaits the promise. The
 * engine finds that from the microtask that throws the error, along the promises that wait for it.
 * It costs a few turns of the queue of microtasks, and only where something fails.
 *
 * @param resolve Settles the promise, as its executor got it.
 * @param error Why it fails.
 * @param told Called when the error has its stack.
 */
export function rejectAtAwaiter(
  resolve: (value: PromiseLike<never>) => void,
  error: unknown,
  told?: () => void,
): void {
  const gate = Promise.withResolvers<void>();
  resolve(gate.promise.then(() => {
    takeStackFromHere(error);
    told?.();
    throw error;
  }));
  // Once the promise waits for that one: only then is there a way to the code that awaits it.
  queueMicrotask(() => gate.resolve());
}

const taken = new WeakSet<Error>();
/** Errors that the runtime makes although they are not of a class of its own. */
const made = new WeakSet<Error>();

/**
 * Has an error get the stack of the code that awaits it, like those of the runtime's own classes.
 *
 * @param error The error.
 * @returns The same.
 */
export function madeHere<E extends Error>(error: E): E {
  made.add(error);
  return error;
}

function isMade(error: unknown): error is Error {
  return typeof error === "object" && error !== null && made.has(error as Error);
}

/**
 * Gives an error of the runtime the stack from here on, if users have a part in it.
 *
 * @param error The error; what programs throw is left alone.
 * @returns The same.
 */
export function takeStackFromHere<E>(error: E): E {
  // Several may wait for the same error, as where the job fails.
  if (!(error instanceof LamellarError || isMade(error)) || taken.has(error)) return error;
  taken.add(error);
  const here = { stack: "" };
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = FRAMES_MAX;
  Error.captureStackTrace(here, takeStackFromHere);
  Error.stackTraceLimit = stackTraceLimit;
  const { stack: before } = error;
  // The text is made only if the stack is looked at.
  const set = (value: unknown): void =>
    void Object.defineProperty(error, "stack", { value, writable: true, configurable: true });
  Object.defineProperty(error, "stack", {
    configurable: true,
    set,
    get() {
      const frames = here.stack.split("\n").filter((line) => FRAME.test(line));
      const stack = frames.every(isOurs)
        ? String(before)
        : `${error.name}: ${error.message}\n${frames.join("\n")}`;
      const text = foldFrames(stack);
      set(text);
      return text;
    },
  });
  return error;
}
