/**
 * Source of the kernels that move bytes and know nothing of elements: `copy`, `fill`,
 * `stridedCopy` and the indexed forms of put and get.
 *
 * Up to 64 bytes a few loads and stores are faster than `memory.copy`, for which V8 calls out of
 * the generated code; from there on nothing written in WebAssembly is (measured from 128 bytes to
 * 16 MiB).
 *
 * @module
 */

/** Copies a block by all loads first, then as many stores, so that an overlap does not hurt. */
function piecewise(type: string, offsets: string[]): string {
  const at = (base: string, offset: string): string =>
    offset.startsWith("-")
      ? `(addr.sub (addr.add (local.get ${base}) (local.get $bytes)) (addr.const ${
        offset.slice(1)
      }))`
      : `(addr.add (local.get ${base}) (addr.const ${offset}))`;
  const loads = offsets.map((offset, i) =>
    `(local.set $${type}_${i} (${type}.load align=1 ${at("$src", offset)}))`
  );
  const stores = offsets.map((offset, i) =>
    `(${type}.store align=1 ${at("$dst", offset)} (local.get $${type}_${i}))`
  );
  return [...loads, ...stores, "(return)"].join("\n        ");
}

/** When at most `bytes` are to be copied, does so by the given pieces and returns. */
function upTo(bytes: number, body: string): string {
  return `
    (if (addr.le_u (local.get $bytes) (addr.const ${bytes}))
      (then
        ${body}))`;
}

const PIECE_LOCALS = `
  (local $i64_0 i64) (local $i64_1 i64) (local $i32_0 i32) (local $i32_1 i32) (local $i32_2 i32)
  (local $v128_0 v128) (local $v128_1 v128) (local $v128_2 v128) (local $v128_3 v128)`;

const COPY = `
(func $copy (param $dst addr) (param $src addr) (param $bytes addr)
  ${PIECE_LOCALS} (local $middle addr)
  (if (addr.le_u (local.get $bytes) (addr.const 16))
    (then
      (if (addr.ge_u (local.get $bytes) (addr.const 8))
        (then
        ${piecewise("i64", ["0", "-8"])}))
      (if (addr.ge_u (local.get $bytes) (addr.const 4))
        (then
        ${piecewise("i32", ["0", "-4"])}))
      (if (addr.eqz (local.get $bytes)) (then (return)))
      ;; 1 to 3 bytes: the first, the middle and the last one.
      (local.set $middle (addr.shr_u (local.get $bytes) (addr.const 1)))
      (local.set $i32_0 (i32.load8_u (local.get $src)))
      (local.set $i32_1 (i32.load8_u (addr.add (local.get $src) (local.get $middle))))
      (local.set $i32_2 (i32.load8_u
        (addr.sub (addr.add (local.get $src) (local.get $bytes)) (addr.const 1))))
      (i32.store8 (local.get $dst) (local.get $i32_0))
      (i32.store8 (addr.add (local.get $dst) (local.get $middle)) (local.get $i32_1))
      (i32.store8 (addr.sub (addr.add (local.get $dst) (local.get $bytes)) (addr.const 1))
        (local.get $i32_2))
      (return)))
  ${upTo(32, piecewise("v128", ["0", "-16"]))}
  ${upTo(64, piecewise("v128", ["0", "16", "-32", "-16"]))}
  (memory.copy (local.get $dst) (local.get $src) (local.get $bytes)))

(func (export "copy") (param $dst addr) (param $src addr) (param $bytes addr)
  (call $copy (local.get $dst) (local.get $src) (local.get $bytes)))

(func (export "fill") (param $dst addr) (param $byte i32) (param $bytes addr)
  (memory.fill (local.get $dst) (local.get $byte) (local.get $bytes)))`;

/** A loop over `$n` elements that moves each by `move`, then steps both sides by their strides. */
function strided(move: string): string {
  return `
        (loop $next
          ${move}
          (local.set $dst (addr.add (local.get $dst) (local.get $dstStride)))
          (local.set $src (addr.add (local.get $src) (local.get $srcStride)))
          (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (return)`;
}

/** The strided loop for elements that fit one load and one store. */
function stridedWhen(bytes: number, load: string, store: string): string {
  return `
    (if (addr.eq (local.get $bytes) (addr.const ${bytes}))
      (then ${strided(`(${store} align=1 (local.get $dst) (${load} align=1 (local.get $src)))`)}))`;
}

const STRIDED = `
(func (export "stridedCopy")
  (param $dst addr) (param $dstStride addr) (param $src addr) (param $srcStride addr)
  (param $bytes addr) (param $n i32)
  (if (i32.eqz (local.get $n)) (then (return)))
  ${stridedWhen(8, "i64.load", "i64.store")}
  ${stridedWhen(4, "i32.load", "i32.store")}
  ${stridedWhen(2, "i32.load16_u", "i32.store16")}
  ${stridedWhen(1, "i32.load8_u", "i32.store8")}
  ${strided("(call $copy (local.get $dst) (local.get $src) (local.get $bytes))")})`;

/** Kernel source of everything that moves bytes. */
export const COPY_SOURCE: string = [COPY, STRIDED].join("\n");
