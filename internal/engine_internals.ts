/**
 * What Deno and V8 tell only by their internals. All of it may be missing in another version of
 * Deno: the caller then has to do without it.
 *
 * @module
 */

/** What code that runs later inherits from code that runs now, as `AsyncLocalStorage` sees it. */
export type AsyncContext = Readonly<Record<string, unknown>> | null | undefined;

/** The part of Deno's core that is used here. */
interface Core {
  getAsyncContext(): AsyncContext;
  setAsyncContext(context: AsyncContext): void;
  hasPromise(id: number): boolean;
}

/** What tells whether the event loop has something to do; another version may lack it. */
interface EventLoopCore {
  readonly promiseIdSymbol: symbol;
  eventLoopHasMoreWork(): boolean;
  refOpPromise(promise: object): void;
  unrefOpPromise(promise: object): void;
}

/** Operations of the runtime that are under way before a program starts have numbers below this. */
const OWN_OPERATIONS_MAX = 1024;
/** Numbers of pending operations are looked for below this one: some 6 ms. */
const OPERATIONS_MAX = 2 ** 20;

const core = findCore();
const eventLoop = findEventLoop();
/** Number of the operation that receives the messages of this Worker. */
let receiver = -1;
/** How many operations the runtime has under way. */
let ownOperations = 1;

/** Whether this Deno has what this module needs. */
export const hasInternals: boolean = core !== undefined;

function findCore(): Core | undefined {
  const found = anyCore();
  const names = ["getAsyncContext", "setAsyncContext", "hasPromise"];
  return names.every((name) => typeof found?.[name] === "function")
    ? found as unknown as Core
    : undefined;
}

function findEventLoop(): EventLoopCore | undefined {
  const found = anyCore();
  const names = ["eventLoopHasMoreWork", "refOpPromise", "unrefOpPromise"];
  const complete = core && typeof found?.["promiseIdSymbol"] === "symbol" &&
    names.every((name) => typeof found[name] === "function");
  return complete ? found as unknown as EventLoopCore : undefined;
}

function anyCore(): Partial<Record<string, unknown>> | undefined {
  const deno = Deno as unknown as
    & Record<symbol, { core?: Partial<Record<string, unknown>> } | undefined>
    & { internal?: symbol };
  return deno.internal === undefined ? undefined : deno[deno.internal]?.core;
}

/**
 * @returns The context of the code that runs.
 */
export function asyncContext(): AsyncContext {
  return core?.getAsyncContext();
}

/**
 * Sets the context of the code that runs, up to its next `await` and after it.
 *
 * @param context The context.
 */
export function enterAsyncContext(context: AsyncContext): void {
  core?.setAsyncContext(context);
}

/**
 * Runs code of the runtime apart from the context of the program that happens to call it.
 *
 * @param run The code.
 * @returns What it returns.
 */
export function outsideAsyncContext<T>(run: () => T): T {
  const context = asyncContext();
  enterAsyncContext(undefined);
  try {
    return run();
  } finally {
    enterAsyncContext(context);
  }
}

/**
 * Notes which operations are the runtime's own. To be called in a Worker before its program starts,
 * when the first of them is the one that receives its messages.
 */
export function noteOwnOperations(): void {
  if (!core) return;
  ownOperations = 0;
  for (let id = OWN_OPERATIONS_MAX; id-- > 0;) {
    if (!core.hasPromise(id)) continue;
    ownOperations++;
    receiver = id;
  }
}

/**
 * Tells whether this Worker has a timer, an operation or an import under way that would keep a
 * program alive; what the runtime itself has under way does not count.
 *
 * @returns Whether it has; undefined if that cannot be known.
 */
export function hasLiveWork(): boolean | undefined {
  if (!eventLoop || receiver < 0) return undefined;
  const receiving = { [eventLoop.promiseIdSymbol]: receiver };
  eventLoop.unrefOpPromise(receiving);
  try {
    return eventLoop.eventLoopHasMoreWork();
  } finally {
    eventLoop.refOpPromise(receiving);
  }
}

/**
 * Names what Node's interface knows to be under way in this Worker, which is less than there may
 * be. Loads a part of it, some 20 ms at first.
 *
 * @returns Names such as `Timeout`, one for each.
 */
export async function activeResources(): Promise<readonly string[] | undefined> {
  const { default: process } = await import("node:process") as unknown as {
    default: { getActiveResourcesInfo?: () => string[] };
  };
  return process.getActiveResourcesInfo?.();
}

/**
 * Tells whether anything but promises is under way that can run code in this Worker: a timer that
 * keeps it alive, or an operation of Deno besides the runtime's own. Loads a part of Node's
 * interface, some 20 ms at first.
 *
 * @returns Whether there is; true if that cannot be known.
 */
export async function isActive(): Promise<boolean> {
  if ((await activeResources())?.includes("Timeout") ?? true) return true;
  // Numbers grow. Where this new operation is not found, others would not be either.
  const { port1 } = new MessageChannel();
  port1.start();
  let found = 0;
  for (let id = 0; core && id < OPERATIONS_MAX; id++) if (core.hasPromise(id)) found++;
  port1.close();
  return found !== ownOperations + 1;
}

/**
 * Finds the function that collects all garbage of this Worker.
 *
 * @returns The function, or undefined if there is none.
 */
export async function garbageCollector(): Promise<(() => void) | undefined> {
  const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([
    import("node:v8"),
    import("node:vm"),
  ]);
  // The flag concerns contexts that are made while it is set. Another PE may take it back just
  // then; a caller that asks again gets the function.
  setFlagsFromString("--expose-gc");
  try {
    const collect: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
    return typeof collect === "function" ? () => collect() : undefined;
  } finally {
    setFlagsFromString("--no-expose-gc");
  }
}
