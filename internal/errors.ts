/**
 * The error classes of the runtime: one base with who and what, and a class
 * for each thing a caller can act on. A wrong argument is a `TypeError`, a
 * number out of range a `RangeError`; everything else is a {@linkcode LamellarError}.
 *
 * @module
 */

/** Where an error happened: the PE it concerns and the operation that raised it. */
export interface LamellarErrorOptions extends ErrorOptions {
  /** The PE the error is about. */
  pe?: number;
  /** The operation that failed, as the user called it. */
  op?: string;
}

/** Base of all errors of the runtime. */
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
   * @param message What happened, with who and how much.
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

/** A PE failed, and with it the job: every pending operation ends with this error. */
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

/** A handler threw on another PE; `pe` tells where and `cause` carries the remote stack. */
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

/** Bytes that came from another PE do not follow the protocol. */
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

/** The PEs of a job do not agree: other versions, other AMs, other settings. */
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

/** PEs called different collectives, or the same one with other arguments. */
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

/** Nothing moved for longer than the deadlock timeout. */
export class DeadlockError extends LamellarError {
  /**
   * Makes the error.
   *
   * @param message Who waits for whom.
   * @param options The PE, the operation, and the cause.
   */
  constructor(message: string, options: LamellarErrorOptions = {}) {
    super("ERR_DEADLOCK", message, options);
  }
}

/** The caller's deadline passed before the operation was done. */
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

/** What {@linkcode TransportError} says beside the rest. */
export interface TransportErrorOptions extends LamellarErrorOptions {
  /** The number of the error, positive: one of errno(3) or of fi_errno(3). */
  errno: number;
  /** What the library says about the number. */
  text: string;
  /** The libfabric provider, such as `"tcp;ofi_rxm"`. */
  provider?: string | undefined;
}

/** The network library reported an error. */
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

/** The platform or the world that was built does not offer what was asked. */
export class FeatureLevelError extends LamellarError {
  /**
   * Makes the error.
   *
   * @param message What is missing and what would bring it.
   * @param options The PE, the operation, and the cause.
   */
  constructor(message: string, options: LamellarErrorOptions = {}) {
    super("ERR_FEATURE_LEVEL", message, options);
  }
}

/** The object was disposed or the world is closed. */
export class ClosedError extends LamellarError {
  /**
   * Makes the error.
   *
   * @param message What was used and what it is no more.
   * @param options The PE, the operation, and the cause.
   */
  constructor(message: string, options: LamellarErrorOptions = {}) {
    super("ERR_CLOSED", message, options);
  }
}

/** The heap of a PE has no room left; says how much was asked, free and configured. */
export class OutOfMemoryError extends LamellarError {
  /**
   * Makes the error.
   *
   * @param message How much was asked, free and configured.
   * @param options The PE, the operation, and the cause.
   */
  constructor(message: string, options: LamellarErrorOptions = {}) {
    super("ERR_OUT_OF_MEMORY", message, options);
  }
}
