/**
 * Lamellar for Deno: an asynchronous tasking and PGAS runtime. A fixed set of processing elements (PEs) runs one program;
 * they send each other active messages, which run code where the data is, and read and write each
 * other's memory regions.
 *
 * ```ts
 * import { am, LamellarWorldBuilder, u32 } from "./mod.ts";
 *
 * const Hello = am("Hello", { from: u32 }, (self, lamellar) => {
 *   console.log(`hello from PE ${self.from} on PE ${lamellar.currentPe} of ${lamellar.numPes}`);
 *   return lamellar.currentPe;
 * });
 *
 * await using world = await new LamellarWorldBuilder().build();
 * const who = await world.execAmAll(Hello({ from: world.myPe }));
 * console.log(who.length === world.numPes);
 * ```
 *
 * @module
 */

export {
  type ActiveMessaging,
  am,
  AmCall,
  type AmContext,
  AmHandle,
  type AmOptions,
  type AmResult,
  type AmType,
  type Blockable,
  type Captures,
  type Closure,
  type ClosureResult,
  type HandlerWorld,
  type LamellarEnv,
  type LaunchOptions,
  localAm,
  MultiAmHandle,
  type OriginClosure,
} from "./am/mod.ts";
export * from "./am/schema.ts";
export * from "./internal/errors.ts";
export {
  type Backend,
  BarrierHandle,
  LamellarTask,
  LamellarTeam,
  LamellarWorld,
  LamellarWorldBuilder,
  VERSION,
} from "./world/mod.ts";
