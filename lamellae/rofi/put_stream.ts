/**
 * The puts to one process of a provider that does them in the order of the calls. Once one of them
 * has arrived, so have all before it: it is enough that some ask for word of their arrival, which
 * saves their target a message for each of the others.
 *
 * @module
 */

/** Most puts in a row that do not ask, and most bytes of them: handles should not end in heaps. */
const QUIET_PUTS_MAX = 31;
const QUIET_BYTES_MAX = 2 ** 18;

/** Puts to one process, numbered from 1. */
export class PutStream {
  #last = 0;
  #asked = 0;
  #arrived = 0;
  #quietBytes = 0;
  #ask = 0;

  /** The ticket of the last put that asked, 0 if there was none. */
  get ask(): number {
    return this.#ask;
  }

  /** Whether puts have begun since the last one that asked. */
  get isUnasked(): boolean {
    return this.#last > this.#asked;
  }

  /**
   * @param bytes The length of a put.
   * @returns Whether it has to ask, although an earlier one has no answer yet.
   */
  isFull(bytes: number): boolean {
    return this.#last - this.#asked >= QUIET_PUTS_MAX ||
      this.#quietBytes + bytes > QUIET_BYTES_MAX;
  }

  /**
   * Takes note of a put that has begun and does not ask.
   *
   * @param bytes Its length.
   * @returns Its number.
   */
  addQuiet(bytes: number): number {
    this.#quietBytes += bytes;
    return ++this.#last;
  }

  /**
   * Takes note of a put that has begun and asks.
   *
   * @param ticket Its ticket.
   * @returns Its number.
   */
  addAsk(ticket: number): number {
    this.#quietBytes = 0;
    this.#ask = ticket;
    return this.#asked = ++this.#last;
  }

  /** Takes note that the last put that asked has its answer. */
  answered(): void {
    this.#arrived = this.#asked;
  }

  /**
   * Takes note that a put that asked has its answer.
   *
   * @param number Its number.
   */
  arrive(number: number): void {
    if (number > this.#arrived) this.#arrived = number;
  }

  /**
   * @param number The number of a put.
   * @returns Whether it is known to have arrived.
   */
  hasArrived(number: number): boolean {
    return number <= this.#arrived;
  }
}
