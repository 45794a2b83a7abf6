/**
 * What Deno and V8 tell only by their internals. All of it may be missing in another version of
 * Deno: whoever asks has to do without it then.
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

/** Numbers of pending operations are looked for below this one: some 6 ms. */
const OPERATIONS_MAX = 2 ** 20;

const core = findCore();

/** Whether this Deno has what this module needs. */
export const hasInternals: boolean = core !== undefined;

function findCore(): Core | undefined {
  const deno = Deno as unknown as Record<symbol, { core?: Partial<Core> } | undefined> & {
    internal?: symbol;
  };
  const found = deno.internal === undefined ? undefined : deno[deno.internal]?.core;
  const names = ["getAsyncContext", "setAsyncContext", "hasPromise"] as const;
  const complete = names.every((name) => typeof found?.[name] === "function");
  return complete ? found as Core : undefined;
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
 * Tells whether anything but promises is under way that can run code in this Worker: a timer that
 * keeps it alive, or an operation of Deno besides the one that receives its messages. Loads a part
 * of Node's interface, some 20 ms at first.
 *
 * @returns Whether there is; true if that cannot be known.
 */
export async function isActive(): Promise<boolean> {
  const { default: process } = await import("node:process") as unknown as {
    default: { getActiveResourcesInfo?: () => string[] };
  };
  if (process.getActiveResourcesInfo?.().includes("Timeout") ?? true) return true;
  // Numbers grow. Where this new operation is not found, others would not be either.
  const { port1 } = new MessageChannel();
  port1.start();
  let found = 0;
  for (let id = 0; core && id < OPERATIONS_MAX; id++) if (core.hasPromise(id)) found++;
  port1.close();
  return found !== 2;
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
  // then; who asks again gets the function.
  setFlagsFromString("--expose-gc");
  try {
    const collect: unknown = runInNewContext("typeof gc === 'function' ? gc : undefined");
    return typeof collect === "function" ? () => collect() : undefined;
  } finally {
    setFlagsFromString("--no-expose-gc");
  }
}
