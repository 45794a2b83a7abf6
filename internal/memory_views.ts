/**
 * One set of typed-array views over a buffer. Codecs, regions and rings read and write through
 * these, so that a call site sees one class of array and stays fast.
 *
 * @module
 */

/**
 * Views of one buffer, one for each element width and kind.
 *
 * @category Schemas
 */
export interface MemoryViews {
  /** The buffer all views share. */
  readonly buffer: ArrayBufferLike;
  /** Bytes. */
  readonly u8: Uint8Array;
  /** Signed bytes. */
  readonly i8: Int8Array;
  /** 16-bit unsigned integers. */
  readonly u16: Uint16Array;
  /** 16-bit signed integers. */
  readonly i16: Int16Array;
  /** 32-bit unsigned integers. */
  readonly u32: Uint32Array;
  /** 32-bit signed integers. */
  readonly i32: Int32Array;
  /** 64-bit unsigned integers as BigInt. */
  readonly u64: BigUint64Array;
  /** 64-bit signed integers as BigInt. */
  readonly i64: BigInt64Array;
  /** 32-bit floats. */
  readonly f32: Float32Array;
  /** 64-bit floats. */
  readonly f64: Float64Array;
}

/**
 * Makes the views of a buffer.
 *
 * @param buffer A buffer whose length is a multiple of 8 bytes.
 * @returns The views, all starting at byte 0.
 */
export function memoryViews(buffer: ArrayBufferLike): MemoryViews {
  return {
    buffer,
    u8: new Uint8Array(buffer),
    i8: new Int8Array(buffer),
    u16: new Uint16Array(buffer),
    i16: new Int16Array(buffer),
    u32: new Uint32Array(buffer),
    i32: new Int32Array(buffer),
    u64: new BigUint64Array(buffer),
    i64: new BigInt64Array(buffer),
    f32: new Float32Array(buffer),
    f64: new Float64Array(buffer),
  };
}
