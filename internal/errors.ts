/**
 * The error classes of the runtime: one base that says which PE and which operation, and one class
 * for each thing that a caller can act on. A wrong argument is a `TypeError`, a number out of range
 * a `RangeError`; everything else is a {@linkcode LamellarError}.
 *
 * @module
 */

/**
 * Where an error happened: the PE it concerns and the operation that raised it.
 *
 * @category Errors
 */
export interface LamellarErrorOptions extends ErrorOptions {
  /** The PE the error is about. */
  pe?: number;
  /** The operation that failed, as the user called it. */
  op?: string;
}

/**
 * Base of all errors of the runtime.
 *
 * @category Errors
 */
export class LamellarError extends Error {
  /** A stable word to test for, such as `"ERR_PE_FAILED"`. */
  readonly code: string;
  /** The PE the error is about, if it is about one. */
  readonly pe: number | undefined;
  /** The operation that failed, if one did. */
  readonly op: string | undefined;

  /**
   * Makes the error.
   *
   * @param code A stable word to test for.
   * @param message What happened, with the PE and the numbers.
   * @param options The PE, the operation, and the cause.
   */
  constructor(code: string, message: string, options: LamellarErrorOptions = {}) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.pe = options.pe;
    this.op = options.op;
  }
}

/**
 * A PE failed, and with it the job: every pending operation ends with this error. If no PE failed
 * but none can go on, the error is a {@linkcode DeadlockError}.
 *
 * @category Errors
 */
export class PeFailedError extends LamellarError {
  /**
   * Makes the error.
   *
   * @param message What happened to which PE.
   * @param options The PE, the operation, and the cause.
   */
  constructor(message: string, options: LamellarErrorOptions = {}) {
    super("ERR_PE_FAILED", message, options);
  }
}

/**
 * A handler threw; `pe` says on which PE, and `cause` has the stack from there.
 *
 * @category Errors
 */
export class RemoteError extends LamellarError {
  /**
   * Makes the error.
   *
   * @param message The name and message of the error that was thrown there.
   * @param options The PE, the operation, and the cause with the remote stack.
   */
  constructor(message: string, options: LamellarErrorOptions = {}) {
    super("ERR_REMOTE", message, options);
  }
}

/**
 * Bytes from another PE do not follow the protocol.
 *
 * @category Errors
 */
export class ProtocolError extends LamellarError {
  /**
   * Makes the error.
   *
   * @param message What was found and what was expected.
   * @param options The PE, the operation, and the cause.
   */
  constructor(message: string, options: LamellarErrorOptions = {}) {
    super("ERR_PROTOCOL", message, options);
  }
}

/**
 * The PEs of a job do not agree: their versions, AMs or settings differ.
 *
 * @category Errors
 */
export class HandshakeError extends LamellarError {
  /**
   * Makes the error.
   *
   * @param message All differences found.
   * @param options The PE, the operation, and the cause.
   */
  constructor(message: string, options: LamellarErrorOptions = {}) {
    super("ERR_HANDSHAKE", message, options);
  }
}

/**
 * PEs called different collectives, or the same collective with different arguments.
 *
 * @category Errors
 */
export class CollectiveMismatchError extends LamellarError {
  /**
   * Makes the error.
   *
   * @param message Both sides and what each called.
   * @param options The PE, the operation, and the cause.
   */
  constructor(message: string, options: LamellarErrorOptions = {}) {
    super("ERR_COLLECTIVE_MISMATCH", message, options);
  }
}

/**
 * The job is stuck: nothing moved for longer than `LAMELLAR_DEADLOCK_TIMEOUT`, or no PE can go on.
 * Every pending operation ends with this error.
 *
 * @category Errors
 */
export class DeadlockError extends LamellarError {
  /**
   * Makes the error.
   *
   * @param message Which PE waits for which.
   * @param options The PE, the operation, and the cause.
   */
  constructor(message: string, options: LamellarErrorOptions = {}) {
    super("ERR_DEADLOCK", message, options);
  }
}

/**
 * The time that the caller set passed before the operation was done.
 *
 * @category Errors
 */
export class TimeoutError extends LamellarError {
  /**
   * Makes the error.
   *
   * @param message What was waited for and how long.
   * @param options The PE, the operation, and the cause.
   */
  constructor(message: string, options: LamellarErrorOptions = {}) {
    super("ERR_TIMEOUT", message, options);
  }
}

/**
 * What {@linkcode TransportError} says in addition.
 *
 * @category Errors
 */
export interface TransportErrorOptions extends LamellarErrorOptions {
  /** The number of the error, positive: one of errno(3) or of fi_errno(3). */
  errno: number;
  /** What the library says about the number. */
  text: string;
  /** The libfabric provider, such as `"tcp;ofi_rxm"`. */
  provider?: string | undefined;
}

/**
 * The network library reported an error.
 *
 * @category Errors
 */
export class TransportError extends LamellarError {
  /** The number of the error, positive: one of errno(3) or of fi_errno(3). */
  readonly errno: number;
  /** What the library says about the number. */
  readonly text: string;
  /** The libfabric provider, if the error is about one. */
  readonly provider: string | undefined;

  /**
   * Makes the error.
   *
   * @param message What could not be done, and why.
   * @param options The number, its text, the provider, the PE, the operation, and the cause.
   */
  constructor(message: string, options: TransportErrorOptions) {
    super("ERR_TRANSPORT", message, options);
    this.errno = options.errno;
    this.text = options.text;
    this.provider = options.provider;
  }
}

/**
 * The platform, or the world as it was built, does not offer what the program asked for.
 *
 * @category Errors
 */
export class FeatureLevelError extends LamellarError {
  /**
   * Makes the error.
   *
   * @param message What is missing and what would provide it.
   * @param options The PE, the operation, and the cause.
   */
  constructor(message: string, options: LamellarErrorOptions = {}) {
    super("ERR_FEATURE_LEVEL", message, options);
  }
}

/**
 * The object was disposed of, or the world is closed.
 *
 * @category Errors
 */
export class ClosedError extends LamellarError {
  /**
   * Makes the error.
   *
   * @param message What the program tried to use, and why it cannot.
   * @param options The PE, the operation, and the cause.
   */
  constructor(message: string, options: LamellarErrorOptions = {}) {
    super("ERR_CLOSED", message, options);
  }
}

/**
 * The heap of a PE has no room left; the message says how much was asked for, free and configured.
 *
 * @category Errors
 */
export class OutOfMemoryError extends LamellarError {
  /**
   * Makes the error.
   *
   * @param message How much was asked for, free and configured.
   * @param options The PE, the operation, and the cause.
   */
  constructor(message: string, options: LamellarErrorOptions = {}) {
    super("ERR_OUT_OF_MEMORY", message, options);
  }
}
