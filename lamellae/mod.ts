/**
 * Lamellae: the network providers. What every one of them guarantees stands at the head of
 * `lamella.ts`; the layers above know that interface and the progress engine, never a provider
 * itself.
 *
 * @module
 */

export * from "./lamella.ts";
export * from "./memory_operations.ts";
export * from "./memory_server.ts";
export * from "./segment_heap.ts";
export * from "./progress.ts";
export * from "./collective_call.ts";
export * from "./dissemination.ts";
export * from "./group.ts";
export * from "./groups.ts";
export * from "./handle.ts";
export * from "./collective_handle.ts";
export * from "./collectives/kinds.ts";
export { isOfNumbers, reduceNumber } from "./collectives/number.ts";
export * from "./collectives/transfer.ts";
export * from "./start.ts";
export * from "./wait_limit.ts";
