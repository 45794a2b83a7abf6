/**
 * The names a closure may use without capturing them: what the global object
 * of every Deno 2.9 Worker carries, whatever its flags and permissions.
 *
 * The list is written out rather than read from `globalThis`, so that a program
 * that adds a global on one PE cannot make a closure pass there that fails elsewhere;
 * `globalThis.name` still reaches such a one.
 *
 * Left out on purpose, though a Worker has them:
 * - what a program far more often has as a variable of its own, so that a forgotten
 *   capture would go unnoticed and read the Worker's instead: `name`, `close`,
 *   `location`, `getParent`, and whatever comes from `Object.prototype`, such as
 *   `constructor` or `toString`;
 * - the channel between a Worker and its parent, which belongs to the runtime:
 *   `postMessage`, `onmessage`, `onerror`, `onunhandledrejection`.
 *
 * @module
 */

const LANGUAGE = `
  AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt BigInt64Array
  BigUint64Array Boolean DataView Date DisposableStack Error EvalError FinalizationRegistry
  Float16Array Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array Intl
  Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp
  Set SharedArrayBuffer String SuppressedError Symbol SyntaxError Temporal TypeError URIError
  Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly
  decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN
  parseFloat parseInt undefined unescape`;

const WEB = `
  AbortController AbortSignal Blob BroadcastChannel ByteLengthQueuingStrategy Cache CacheStorage
  CloseEvent CompressionStream CountQueuingStrategy Crypto CryptoKey CustomEvent DOMException
  DOMMatrix DOMMatrixReadOnly DOMPoint DOMPointReadOnly DOMQuad DOMRect DOMRectReadOnly
  DecompressionStream ErrorEvent Event EventSource EventTarget File FileReader FormData Headers
  ImageBitmap ImageBitmapRenderingContext ImageData Lock LockManager MessageChannel MessageEvent
  MessagePort NavigatorUAData OffscreenCanvas Performance PerformanceEntry PerformanceMark
  PerformanceMeasure PerformanceObserver PerformanceObserverEntryList ProgressEvent
  PromiseRejectionEvent QuotaExceededError ReadableByteStreamController ReadableStream
  ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController
  ReadableStreamDefaultReader Request Response SubtleCrypto TextDecoder TextDecoderStream
  TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController URL URLPattern
  URLSearchParams WebSocket Worker WritableStream WritableStreamDefaultController
  WritableStreamDefaultWriter addEventListener atob btoa caches clearInterval clearTimeout console
  createImageBitmap crypto dispatchEvent fetch navigator performance queueMicrotask
  removeEventListener reportError self setInterval setTimeout structuredClone`;

const GPU = `
  GPU GPUAdapter GPUAdapterInfo GPUBindGroup GPUBindGroupLayout GPUBuffer GPUBufferUsage
  GPUCanvasContext GPUColorWrite GPUCommandBuffer GPUCommandEncoder GPUCompilationInfo
  GPUCompilationMessage GPUComputePassEncoder GPUComputePipeline GPUDevice GPUDeviceLostInfo
  GPUError GPUInternalError GPUMapMode GPUOutOfMemoryError GPUPipelineError GPUPipelineLayout
  GPUQuerySet GPUQueue GPURenderBundle GPURenderBundleEncoder GPURenderPassEncoder
  GPURenderPipeline GPUSampler GPUShaderModule GPUShaderStage GPUSupportedFeatures
  GPUSupportedLimits GPUTexture GPUTextureUsage GPUTextureView GPUUncapturedErrorEvent
  GPUValidationError`;

const DENO_AND_NODE = `Buffer Deno clearImmediate global process setImmediate`;

/** Names of the globals that a closure finds on whatever PE it runs. */
export const CLOSURE_GLOBALS: ReadonlySet<string> = new Set(
  [LANGUAGE, WEB, GPU, DENO_AND_NODE].join(" ").trim().split(/\s+/),
);
