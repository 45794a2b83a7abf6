/**
 * The answers to requests: results, errors, and what a handler returned to run at the origin.
 *
 * @module
 */

import { nodeName } from "../../internal/node_names.ts";
import type { ClosureTable } from "../closure/table.ts";
import { AmCall, type AmDefinition, definitionOf, payloadOf } from "../call.ts";
import { atOrigin, closureOf, type ClosureValue } from "../closure/value.ts";
import { FRAME } from "./frames.ts";
import type { Visit } from "../finish/finish.ts";
import { opOf } from "../handle.ts";
import { capturesCodec } from "../msgpack/value_codec.ts";
import type { Outbox } from "./outbox.ts";
import { type Brought, dispose } from "../received.ts";
import { isThenable } from "../thenable.ts";
import { encodeError } from "./thrown.ts";
import { sendResult } from "./results.ts";

/** What answers need of the engine. */
export interface AnswerHost {
  readonly numPes: number;
  readonly outbox: Outbox;
  readonly closures: ClosureTable;
}

/** Answers the requests of all PEs. */
export class Answers {
  readonly #host: AnswerHost;
  readonly #outbox: Outbox;
  /** The async handlers under way, and the PEs that launched them. */
  readonly #running = new Set<{ pe: number; definition: AmDefinition | undefined }>();

  /**
   * @param host The engine.
   */
  constructor(host: AnswerHost) {
    this.#host = host;
    this.#outbox = host.outbox;
  }

  /** For the watchdog: the async handlers under way, the first of them by name. */
  get underWay(): string {
    for (const { pe, definition } of this.#running) {
      const more = this.#running.size > 1 ? ` and ${this.#running.size - 1} more` : "";
      const from = nodeName(pe, this.#host.numPes);
      return `the async handler of ${opOf(definition)} from ${from}${more}`;
    }
    return "";
  }

  /**
   * Answers now, or when the promise a handler returned settles. What the payload brought is given
   * back then: the result may have it.
   *
   * @param pe The PE that launched it.
   * @param number The number of the request.
   * @param result What the handler returned.
   * @param definition What it is, undefined for a closure.
   * @param brought What its payload brought.
   * @param visit Of a handler in a finish, what ends with it.
   */
  finish(
    pe: number,
    number: number,
    result: unknown,
    definition: AmDefinition | undefined,
    brought: Brought | undefined,
    visit: Visit | undefined,
  ): void {
    let promise: Promise<unknown>;
    try {
      if (!isThenable(result)) {
        visit?.end();
        this.sendResult(pe, number, result, definition);
        return dispose(brought);
      }
      promise = Promise.resolve(result);
    } catch (error) {
      visit?.end();
      this.sendError(pe, number, error, visit);
      return dispose(brought);
    }
    this.#outbox.sendHead(pe, FRAME.deferred, 0, number);
    const running = { pe, definition };
    this.#running.add(running);
    const over = visit ? promise.finally(() => visit.end()) : promise;
    over.then(
      (value) => this.sendResult(pe, number, value, definition),
      (error) => this.sendError(pe, number, error, visit),
    ).finally(() => {
      this.#running.delete(running);
      dispose(brought);
      this.#outbox.flush();
    });
  }

  /** Sends a result, or the reason why it cannot be sent. */
  sendResult(
    pe: number,
    number: number,
    value: unknown,
    definition: AmDefinition | undefined,
  ): void {
    try {
      if (value instanceof AmCall) return this.#sendReturned(pe, number, value);
      const closure = closureOf(value);
      if (closure && atOrigin(value)) return this.#sendReturnedClosure(pe, number, closure);
      sendResult(this.#outbox, pe, number, value, definition?.returns);
    } catch (error) {
      this.sendError(pe, number, error);
    }
  }

  #sendReturned(pe: number, number: number, call: AmCall<unknown>): void {
    const { codec, id, name } = definitionOf(call)!;
    if (!codec || id < 0) {
      throw new TypeError(
        `Cannot return the local AM "${name}" to PE ${pe}: local AMs do not travel`,
      );
    }
    this.#outbox.send(pe, FRAME.returnAm, id, number, codec, payloadOf(call));
  }

  #sendReturnedClosure(pe: number, number: number, closure: ClosureValue): void {
    const { closures } = this.#host;
    const source = closures.numberOf(closure);
    closures.introduce(pe, source, closure);
    this.#outbox.send(pe, FRAME.returnClosure, source, number, capturesCodec, closure.captures);
  }

  /**
   * Sends what a handler threw.
   *
   * @param pe The PE that launched it.
   * @param number The number of the request.
   * @param error The error.
   * @param visit Of a handler in a finish, what it is part of.
   */
  sendError(pe: number, number: number, error: unknown, visit?: Visit): void {
    const finish = visit?.finish;
    const isStop = finish?.stopped !== undefined && error === finish.stopped;
    const text = isStop ? finish.stoppedText : encodeError(error);
    this.#outbox.sendBytes(pe, FRAME.error, text, number);
  }
}
