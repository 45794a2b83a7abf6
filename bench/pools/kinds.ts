/**
 * The pools that are compared, behind one interface.
 *
 * @module
 */

import type { Question } from "./bare_worker.ts";
import type { Service } from "./comlink_worker.ts";

type Block = Float64Array<ArrayBuffer>;

/** A pool of threads. */
export interface Pool {
  /** A small task, on whichever thread. */
  increment(value: number): Promise<number>;
  /** Makes blocks for `addOne`, one for each thread, where this pool likes them best. */
  makeBlocks(count: number, length: number): Promise<Block[]>;
  /** Has each thread add 1 to the numbers of a block, whose copy it gets, and gives the results. */
  addOneCopied(blocks: readonly Block[]): Promise<Block[]>;
  /** The same without copies: the blocks themselves move there and back. */
  addOneMoved(blocks: readonly Block[]): Promise<Block[]>;
}

function ownBlocks(count: number, length: number): Promise<Block[]> {
  return Promise.resolve(Array.from({ length: count }, () => new Float64Array(length)));
}

const url = (file: string): string => new URL(file, import.meta.url).href;

async function session(threads: number): Promise<Pool> {
  const [{ startSession }, { AddOne, Increment }] = await Promise.all([
    import("../../mod.ts"),
    import("./session_ams.ts"),
  ]);
  const opened = await startSession({ pes: threads, modules: [url("./session_ams.ts")] });
  const length = 100e6 / threads / 8;
  const data = await opened.allocSharedMemRegion("f64", length);
  return {
    increment: (value) => opened.execAmAny(Increment({ value })).then(),
    makeBlocks: (count) =>
      Promise.resolve(Array.from({ length: count }, (_, pe) => data.asMutSlice(pe) as Block)),
    async addOneCopied(blocks) {
      const sent = blocks.map(async (block, pe) => {
        await data.put(pe, 0, block);
        await opened.execAmPe(pe, AddOne({ data }));
        return await data.get(pe, 0, length) as Block;
      });
      return await Promise.all(sent);
    },
    async addOneMoved(blocks) {
      await opened.execAmAll(AddOne({ data }));
      return [...blocks];
    },
  };
}

async function piscina(threads: number): Promise<Pool> {
  const { move, Piscina } = await import("npm:piscina@^5.0.0");
  const pool = new Piscina({
    filename: url("./piscina_worker.ts"),
    minThreads: threads,
    maxThreads: threads,
  });
  return {
    increment: (value) => pool.run(value, { name: "increment" }),
    makeBlocks: ownBlocks,
    addOneCopied: (blocks) =>
      Promise.all(blocks.map((block) => pool.run(block, { name: "addOneCopied" }))),
    addOneMoved: (blocks) =>
      Promise.all(
        blocks.map((block) => pool.run(move(block as never), { name: "addOneMoved" })),
      ),
  };
}

async function pooled(threads: number): Promise<Pool> {
  const { default: workerpool } = await import("npm:workerpool@^10.0.0");
  const pool = workerpool.pool(new URL("./workerpool_worker.ts", import.meta.url).pathname, {
    minWorkers: threads,
    maxWorkers: threads,
    workerType: "thread",
  });
  const exec = async <T>(name: string, argument: unknown, transfer: Transferable[] = []) =>
    await pool.exec(name, [argument], { transfer }) as T;
  return {
    increment: (value) => exec<number>("increment", value),
    makeBlocks: ownBlocks,
    addOneCopied: (blocks) =>
      Promise.all(blocks.map((block) => exec<Block>("addOneCopied", block))),
    addOneMoved: (blocks) =>
      Promise.all(
        blocks.map((block) => exec<Block>("addOneMoved", block, [block.buffer])),
      ),
  };
}

async function comlink(threads: number): Promise<Pool> {
  const Comlink = await import("npm:comlink@^4.4.2");
  const workers = Array.from(
    { length: threads },
    () => Comlink.wrap<Service>(new Worker(url("./comlink_worker.ts"), { type: "module" })),
  );
  let next = 0;
  return {
    increment: (value) => workers[next++ % threads]!.increment(value),
    makeBlocks: ownBlocks,
    addOneCopied: (blocks) =>
      Promise.all(
        blocks.map((block, i) => workers[i % threads]!.addOneCopied(block) as Promise<Block>),
      ),
    addOneMoved: (blocks) =>
      Promise.all(blocks.map((block, i) => {
        const moved = Comlink.transfer(block, [block.buffer]);
        return workers[i % threads]!.addOneMoved(moved);
      })),
  };
}

function workers(threads: number): Promise<Pool> {
  const waiting = new Map<number, (value: never) => void>();
  const all = Array.from({ length: threads }, () => {
    const worker = new Worker(url("./bare_worker.ts"), { type: "module" });
    worker.onmessage = ({ data: { id, value } }) => {
      waiting.get(id)!(value as never);
      waiting.delete(id);
    };
    return worker;
  });
  let next = 0;
  const ask = <T>(op: Question["op"], argument: unknown, transfer: Transferable[] = []) =>
    new Promise<T>((resolve) => {
      const id = next++;
      waiting.set(id, resolve);
      const question: Question = { id, op, argument };
      all[id % threads]!.postMessage(question, transfer);
    });
  return Promise.resolve({
    increment: (value) => ask<number>("increment", value),
    makeBlocks: ownBlocks,
    addOneCopied: (blocks) => Promise.all(blocks.map((block) => ask<Block>("addOneCopied", block))),
    addOneMoved: (blocks) =>
      Promise.all(
        blocks.map((block) => ask<Block>("addOneMoved", block, [block.buffer])),
      ),
  });
}

/** How each pool is opened, with so many threads. */
export const POOLS: Readonly<Record<string, (threads: number) => Promise<Pool>>> = {
  session,
  piscina,
  workerpool: pooled,
  comlink,
  workers,
};
