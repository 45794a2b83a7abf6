/**
 * Receiving frames: finds the handler of a request, runs it and answers; settles the handle an
 * answer is for.
 *
 * @module
 */

import { FeatureLevelError, ProtocolError } from "../internal/errors.ts";
import type { MemoryViews } from "../internal/memory_views.ts";
import type { ClosureTable } from "./closure_table.ts";
import { AmCall, type AmDefinition } from "./call.ts";
import type { AmContext } from "./context.ts";
import { FRAME, frameBytes, HEAD_BYTES, TEAM_BYTES } from "./frames.ts";
import type { AmHandle } from "./handle.ts";
import { invoke } from "./invoke.ts";
import type { Outbox } from "./outbox.ts";
import { Parts } from "./parts.ts";
import type { Requests } from "./peer.ts";
import type { TeamHost } from "./team_work.ts";
import { isThenable } from "./thenable.ts";
import {
  decodeError,
  encodeError,
  formOf,
  readResult,
  resultBytes,
  writeResult,
} from "./values.ts";
import { atOrigin, closureOf, type ClosureValue } from "./closure_value.ts";

/** Bytes handled before room is given back to the producer. */
const BUDGET_BYTES = 32 * 1024;

/** What the inbox needs of the engine. */
export interface InboxHost {
  readonly outbox: Outbox;
  readonly closures: ClosureTable;
  readonly context: AmContext;
  /** Who knows the teams other than the world's. */
  readonly teams: TeamHost | undefined;
  /** Handed to codecs: what a handle on the wire belongs to. */
  readonly decodeContext: unknown;
  /** AMs by id. */
  readonly definitions: readonly AmDefinition[];
  requests(pe: number): Requests;
  /** That many requests are over. */
  settled(count: number): void;
  /** Runs a returned AM or closure here, for the value of a handle. */
  runReturned(work: AmCall<unknown> | ClosureValue, handle: AmHandle<unknown>): void;
}

/** What is known of a source of frames. */
interface Source {
  /** Number of its last request. */
  last: number;
  /**
   * Number of the last request that ended without an answer of its own, and the last one it was
   * told of.
   */
  done: number;
  told: number;
  /** Frames that arrive in parts. */
  readonly parts: Parts;
}

/** Handles the frames of all sources. */
export class Inbox {
  readonly #host: InboxHost;
  readonly #sources: Source[];

  /**
   * @param host The engine.
   * @param numPes Number of PEs.
   */
  constructor(host: InboxHost, numPes: number) {
    this.#host = host;
    this.#sources = Array.from(
      { length: numPes },
      () => ({ last: 0, done: 0, told: 0, parts: new Parts() }),
    );
  }

  /**
   * The frame sink of the progress engine.
   *
   * @param pe The source.
   * @param views The memory of the frames.
   * @param at Address of the first.
   * @param end Address after the last.
   * @returns Address after the last frame handled.
   */
  receive(pe: number, views: MemoryViews, at: number, end: number): number {
    const source = this.#sources[pe]!;
    const stop = Math.min(end, at + BUDGET_BYTES);
    const words = views.i32;
    while (at < stop) {
      const bytes = words[at >>> 2]!;
      if (bytes === 0) break;
      if (bytes < HEAD_BYTES || (bytes & 7) !== 0 || at + bytes > end) {
        throw corrupt(pe, `a frame of ${bytes} bytes where ${end - at} are left`);
      }
      this.#handle(pe, source, views, at, bytes);
      at += bytes;
    }
    if (source.done !== source.told) this.#tellDone(pe, source);
    this.#host.outbox.flush();
    return at;
  }

  #handle(pe: number, source: Source, views: MemoryViews, at: number, bytes: number): void {
    const word = at >>> 2;
    const kind = views.i32[word + 1]! & 0xff;
    const detail = views.i32[word + 1]! >>> 8;
    const number = views.i32[word + 2]!;
    const length = views.i32[word + 3]!;
    if (length < 0 || frameBytes(length) !== bytes) {
      throw corrupt(pe, `a payload of ${length} bytes in a frame of ${bytes}`);
    }
    const payload = at + HEAD_BYTES;
    switch (kind) {
      case FRAME.request:
        return this.#request(pe, source, detail, number, views, payload, length, 0);
      case FRAME.closure:
        return this.#closure(pe, source, detail, number, views, payload, length, 0);
      case FRAME.teamRequest:
        return this.#request(pe, source, detail, number, views, payload, length, TEAM_BYTES);
      case FRAME.teamClosure:
        return this.#closure(pe, source, detail, number, views, payload, length, TEAM_BYTES);
      case FRAME.collective:
        return this.#collective(pe, views, payload, length);
      case FRAME.source:
        return this.#host.closures.receive(pe, detail, views, payload, length);
      case FRAME.part:
        return this.#part(pe, source, detail, number, views, payload, length);
      case FRAME.done: {
        const count = this.#host.requests(pe).settleUpTo(number);
        if (count < 0) throw corrupt(pe, `an answer to request ${number}, which was not made`);
        return this.#host.settled(count);
      }
      case FRAME.deferred:
        if (this.#host.requests(pe).defer(number)) return;
        throw corrupt(pe, `an answer to request ${number}, which was not made`);
      default:
        this.#answer(pe, kind, detail, number, views, payload, length);
    }
  }

  #answer(
    pe: number,
    kind: number,
    detail: number,
    number: number,
    views: MemoryViews,
    at: number,
    bytes: number,
  ): void {
    const host = this.#host;
    const handle = host.requests(pe).take(number);
    if (!handle) throw corrupt(pe, `an answer to request ${number}, which was not made`);
    try {
      this.#settle(pe, kind, detail, handle, views, at, bytes);
    } catch (error) {
      // Nobody else knows the handle any more.
      handle.reject(error);
      host.settled(1);
      // A closure that this world refuses concerns its caller alone.
      if (!(error instanceof FeatureLevelError)) throw error;
    }
  }

  #settle(
    pe: number,
    kind: number,
    detail: number,
    handle: AmHandle<unknown>,
    views: MemoryViews,
    at: number,
    bytes: number,
  ): void {
    const host = this.#host;
    switch (kind) {
      case FRAME.result: {
        const returns = handle.definition?.returns;
        handle.resolve(readResult(detail, returns, views, at, bytes, host.decodeContext));
        break;
      }
      case FRAME.error:
        handle.reject(decodeError(handle.op, pe, views, at, bytes));
        break;
      case FRAME.returnAm: {
        const definition = this.#definition(pe, detail);
        const self = definition.codec!.read(views, at, bytes, host.decodeContext);
        return host.runReturned(new AmCall(definition, self), handle);
      }
      case FRAME.returnClosure:
        return host.runReturned(
          host.closures.read(pe, detail, views, at, bytes, host.decodeContext),
          handle,
        );
      default:
        throw corrupt(pe, `a frame of kind ${kind}`);
    }
    host.settled(1);
  }

  #definition(pe: number, id: number): AmDefinition {
    const definition = this.#host.definitions[id];
    if (!definition) throw corrupt(pe, `AM number ${id} of ${this.#host.definitions.length}`);
    return definition;
  }

  /** Requests are numbered without gaps: a lost or repeated one shows at once. */
  #count(pe: number, source: Source, number: number): void {
    if (number !== ((source.last + 1) | 0)) {
      throw corrupt(pe, `request ${number} after request ${source.last}`);
    }
    source.last = number;
  }

  /** What handlers get; `head` says whether the id of a team is in front of the payload. */
  #context(pe: number, views: MemoryViews, at: number, bytes: number, head: number): object {
    if (head === 0) return this.#host.context;
    const id = bytes < head ? NaN : views.f64[at >>> 3]!;
    const context = this.#host.teams?.context(id);
    if (!context) throw corrupt(pe, `a request in team ${id}, which this PE does not know`);
    return context;
  }

  #collective(pe: number, views: MemoryViews, at: number, bytes: number): void {
    const { teams } = this.#host;
    if (!teams) throw corrupt(pe, "a collective of a team where there are none");
    try {
      teams.receive(pe, views, at, bytes);
    } catch (error) {
      throw error instanceof ProtocolError ? corrupt(pe, error.message) : error;
    }
  }

  #request(
    pe: number,
    source: Source,
    id: number,
    number: number,
    views: MemoryViews,
    at: number,
    bytes: number,
    head: number,
  ): void {
    const definition = this.#host.definitions[id] ?? this.#definition(pe, id);
    this.#count(pe, source, number);
    let result: unknown;
    try {
      const context = this.#context(pe, views, at, bytes, head);
      const { decodeContext } = this.#host;
      const self = definition.codec!.read(views, at + head, bytes - head, decodeContext);
      result = invoke(definition.handler, self, context);
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      return this.#sendError(pe, number, error);
    }
    if (result === undefined && definition.returns === undefined) source.done = number;
    else this.#finish(pe, number, result, definition);
  }

  #closure(
    pe: number,
    source: Source,
    detail: number,
    number: number,
    views: MemoryViews,
    at: number,
    bytes: number,
    head: number,
  ): void {
    const { closures, decodeContext } = this.#host;
    this.#count(pe, source, number);
    let result: unknown;
    try {
      const context = this.#context(pe, views, at, bytes, head);
      const closure = closures.read(pe, detail, views, at + head, bytes - head, decodeContext);
      result = closure.run(context);
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      return this.#sendError(pe, number, error);
    }
    if (result === undefined) source.done = number;
    else this.#finish(pe, number, result, undefined);
  }

  /** Answers now, or when the promise a handler returned settles. */
  #finish(
    pe: number,
    number: number,
    result: unknown,
    definition: AmDefinition | undefined,
  ): void {
    if (!isThenable(result)) return this.#sendResult(pe, number, result, definition);
    this.#sendHead(pe, FRAME.deferred, 0, number);
    Promise.resolve(result).then(
      (value) => this.#sendResult(pe, number, value, definition),
      (error) => this.#sendError(pe, number, error),
    ).finally(() => this.#host.outbox.flush());
  }

  #sendResult(
    pe: number,
    number: number,
    value: unknown,
    definition: AmDefinition | undefined,
  ): void {
    try {
      if (value instanceof AmCall) return this.#sendReturned(pe, number, value);
      const closure = closureOf(value);
      if (closure && atOrigin(value)) return this.#sendReturnedClosure(pe, number, closure);
      const returns = definition?.returns;
      const form = formOf(value, returns);
      let bytes: number, at: number;
      do {
        bytes = resultBytes(form, value, returns);
        at = this.#beginFrame(pe, FRAME.result, form, number, bytes);
      } while (this.#host.outbox.waited);
      writeResult(form, value, returns, this.#host.outbox.views, at);
      this.#host.outbox.end(pe, frameBytes(bytes));
    } catch (error) {
      this.#sendError(pe, number, error);
    }
  }

  #sendReturned(pe: number, number: number, call: AmCall<unknown>): void {
    const { codec, id, name } = call.definition;
    if (!codec || id < 0) {
      throw new TypeError(
        `Cannot return the local AM "${name}" to PE ${pe}: local AMs do not travel`,
      );
    }
    const { outbox } = this.#host;
    let bytes: number, at: number;
    do {
      bytes = codec.size(call.self);
      at = this.#beginFrame(pe, FRAME.returnAm, id, number, bytes);
    } while (outbox.waited);
    codec.write(call.self, outbox.views, at);
    outbox.end(pe, frameBytes(bytes));
  }

  #sendReturnedClosure(pe: number, number: number, closure: ClosureValue): void {
    const { closures, outbox } = this.#host;
    const id = closures.introduce(pe, closure);
    let bytes: number, at: number;
    do {
      bytes = closures.captureBytes(closure);
      at = this.#beginFrame(pe, FRAME.returnClosure, id, number, bytes);
    } while (outbox.waited);
    closures.writeCaptures(closure, outbox.views, at);
    outbox.end(pe, frameBytes(bytes));
  }

  #sendError(pe: number, number: number, error: unknown): void {
    const text = encodeError(error);
    const at = this.#beginFrame(pe, FRAME.error, 0, number, text.length);
    this.#host.outbox.views.u8.set(text, at);
    this.#host.outbox.end(pe, frameBytes(text.length));
  }

  #tellDone(pe: number, source: Source): void {
    source.told = source.done;
    this.#sendHead(pe, FRAME.done, 0, source.done);
  }

  #sendHead(pe: number, kind: number, detail: number, number: number): void {
    this.#beginFrame(pe, kind, detail, number, 0);
    this.#host.outbox.end(pe, HEAD_BYTES);
  }

  /** Writes the head of a frame; returns where its payload begins. */
  #beginFrame(pe: number, kind: number, detail: number, number: number, bytes: number): number {
    const { outbox } = this.#host;
    const at = outbox.begin(pe, frameBytes(bytes));
    const words = outbox.views.i32;
    words[(at >>> 2) + 1] = kind | (detail << 8);
    words[(at >>> 2) + 2] = number;
    words[(at >>> 2) + 3] = bytes;
    return at + HEAD_BYTES;
  }

  #part(
    pe: number,
    source: Source,
    last: number,
    stream: number,
    views: MemoryViews,
    at: number,
    bytes: number,
  ): void {
    let whole: MemoryViews | undefined;
    try {
      whole = source.parts.add(stream, last !== 0, views, at, bytes);
    } catch (error) {
      throw error instanceof ProtocolError ? corrupt(pe, error.message) : error;
    }
    if (whole) this.#handle(pe, source, whole, 0, whole.i32[0]!);
  }
}

function corrupt(pe: number, what: string): ProtocolError {
  return new ProtocolError(`Cannot read the frames of PE ${pe}: there is ${what}`, {
    pe,
    op: "receive",
  });
}
