/**
 * Source of the synchronisation kernels: atomics on 32-bit words, doorbells, the head and tail of
 * byte rings, waiting, and the dissemination barrier.
 *
 * A PE waits at its *doorbell*, by which others wake it: two 32-bit words, the first 1 while its
 * owner sleeps in the futex (0 else), the second a counter of events. Whoever announces something
 * stores it atomically, adds to the counter, and only then looks whether the owner sleeps; the
 * owner sets the sleeping word and only then looks at the counter. All of these are sequentially
 * consistent, so at least one of the two sees the other and no wake-up is lost.
 *
 * An ordinary event adds 1 to the counter, a barrier signal adds 2^24. `wait` returns for both;
 * `waitFlag` and `barrier` look at the flags themselves, so they compare the low 24 bits only and
 * return early for what a barrier has to be left for, but not for the other rounds' signals.
 *
 * @module
 */

/** The bits of an event counter that ordinary events count in. */
const EVENT_BITS = "0x00ffffff";
/** What a barrier signal adds to the counter. */
const SIGNAL = "0x01000000";
/** What an ordinary event adds to the counter. */
const EVENT = "1";

/** Counts an event at `$bell` and wakes the owner if it sleeps. */
function wake(amount: string): string {
  return `
  (drop (i32.atomic.rmw.add offset=4 (local.get $bell) (i32.const ${amount})))
  (if (i32.atomic.load (local.get $bell))
    (then
      (i32.atomic.store (local.get $bell) (i32.const 0))
      (drop (memory.atomic.notify (local.get $bell) (i32.const -1)))))`;
}

const ATOMICS = `
(func (export "load32") (param $at addr) (result i32)
  (i32.atomic.load (local.get $at)))
(func (export "store32") (param $at addr) (param $value i32)
  (i32.atomic.store (local.get $at) (local.get $value)))
(func (export "add32") (param $at addr) (param $value i32) (result i32)
  (i32.atomic.rmw.add (local.get $at) (local.get $value)))
(func (export "xchg32") (param $at addr) (param $value i32) (result i32)
  (i32.atomic.rmw.xchg (local.get $at) (local.get $value)))
(func (export "or32") (param $at addr) (param $value i32) (result i32)
  (i32.atomic.rmw.or (local.get $at) (local.get $value)))
(func (export "and32") (param $at addr) (param $value i32) (result i32)
  (i32.atomic.rmw.and (local.get $at) (local.get $value)))
(func (export "cas32") (param $at addr) (param $expected i32) (param $desired i32) (result i32)
  (i32.atomic.rmw.cmpxchg (local.get $at) (local.get $expected) (local.get $desired)))`;

const RINGS = `
(func (export "wake") (param $bell addr)
  ${wake(EVENT)})

(func (export "publish") (param $tailAt addr) (param $tail i32) (param $bell addr)
  (i32.atomic.store (local.get $tailAt) (local.get $tail))
  ${wake(EVENT)})

(func (export "release")
  (param $headAt addr) (param $head i32) (param $wantAt addr) (param $bell addr)
  (i32.atomic.store (local.get $headAt) (local.get $head))
  (if (i32.atomic.load (local.get $wantAt))
    (then
      (i32.atomic.store (local.get $wantAt) (i32.const 0))
      ${wake(EVENT)})))

(func (export "poll")
  (param $tails addr) (param $heads addr) (param $stride addr) (param $n i32) (param $start i32)
  (result i32)
  (local $left i32) (local $source i32) (local $offset addr)
  (local.set $source (local.get $start))
  (local.set $offset (addr.mul (addr.of_i32 (local.get $start)) (local.get $stride)))
  (local.set $left (local.get $n))
  (block $empty
    (loop $next
      (br_if $empty (i32.eqz (local.get $left)))
      (if (i32.ne
          (i32.atomic.load (addr.add (local.get $tails) (local.get $offset)))
          (i32.load (addr.add (local.get $heads) (local.get $offset))))
        (then (return (local.get $source))))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (local.set $source (i32.add (local.get $source) (i32.const 1)))
      (local.set $offset (addr.add (local.get $offset) (local.get $stride)))
      (if (i32.ge_u (local.get $source) (local.get $n))
        (then
          (local.set $source (i32.const 0))
          (local.set $offset (addr.const 0))))
      (br $next)))
  (i32.const -1))`;

/**
 * A wait: `check` leaves the block `$out` with a code on the stack as soon as there is one. It is
 * evaluated `$spins` times, once more after the sleeping word is set, and after the sleep.
 */
function waitLoop(check: string): string {
  return `
  (block $out (result i32)
    (local.set $left (local.get $spins))
    (loop $spin
      ${check}
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $spin (i32.gt_s (local.get $left) (i32.const 0))))
    (if (f64.eq (local.get $timeoutNs) (f64.const 0))
      (then (br $out (i32.const 0))))
    (i32.atomic.store (local.get $bell) (i32.const 1))
    (local.set $left
      (block $awake (result i32)
        ${check.replaceAll("$out", "$awake")}
        (drop (memory.atomic.wait32 (local.get $bell) (i32.const 1)
          (i64.trunc_sat_f64_s (local.get $timeoutNs))))
        ${check.replaceAll("$out", "$awake")}
        (i32.const 0)))
    (i32.atomic.store (local.get $bell) (i32.const 0))
    (local.get $left))`;
}

/** Leaves with 3 when an event of the masked kinds came, with 2 when the job is ending. */
function checkEvents(mask: string): string {
  return `
      (drop (br_if $out (i32.const 3)
        (i32.and (i32.const ${mask})
          (i32.xor (i32.atomic.load offset=4 (local.get $bell)) (local.get $seen)))))
      (drop (br_if $out (i32.const 2) (i32.atomic.load (local.get $abort))))`;
}

const WAIT_PARAMETERS = `(param $bell addr) (param $abort addr) (param $seen i32)
  (param $spins i32) (param $timeoutNs f64)`;

const WAITS = `
(func (export "wait") ${WAIT_PARAMETERS} (result i32)
  (local $left i32)
  ${waitLoop(checkEvents("-1"))})

(func $waitFlag (param $flag addr) (param $lo i32) ${WAIT_PARAMETERS} (result i32)
  (local $left i32)
  ${
  waitLoop(`
      (drop (br_if $out (i32.const 4)
        (i32.ge_s (i32.const 0)
          (i32.sub (local.get $lo) (i32.wrap_i64 (i64.atomic.load (local.get $flag)))))))
      ${checkEvents(EVENT_BITS)}`)
})

(func (export "waitFlag") (param $flag addr) (param $lo i32) ${WAIT_PARAMETERS} (result i32)
  (call $waitFlag (local.get $flag) (local.get $lo) (local.get $bell) (local.get $abort)
    (local.get $seen) (local.get $spins) (local.get $timeoutNs)))`;

const BARRIER = `
(func $signal (param $flag addr) (param $value i64) (param $bell addr)
  (i64.atomic.store (local.get $flag) (local.get $value))
  ${wake(SIGNAL)})

(func (export "barrierSignal")
  (param $flag addr) (param $hi i32) (param $lo i32) (param $bell addr)
  (call $signal (local.get $flag)
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $hi)) (i64.const 32))
      (i64.extend_i32_u (local.get $lo)))
    (local.get $bell)))

;; One's own flags are two sets of a 64-bit word a round, one for even sequence numbers and one for
;; odd: a partner may signal its next barrier before this one is seen here, but never the one after.
;; The r-th pair of words in the table holds the address of the partner's first flag for round r and
;; of its bell. The result is the round times 8 plus a code.
(func (export "barrier")
  (param $flags addr) (param $table addr) (param $rounds i32)
  (param $round i32) (param $signalled i32) (param $hi i32) (param $lo i32)
  ${WAIT_PARAMETERS} (result i32)
  (local $value i64) (local $set addr) (local $pair addr) (local $flag addr) (local $code i32)
  (local.set $set (addr.of_i32
    (i32.mul (i32.and (local.get $lo) (i32.const 1)) (i32.shl (local.get $rounds) (i32.const 3)))))
  (local.set $value
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $hi)) (i64.const 32))
      (i64.extend_i32_u (local.get $lo))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $round) (local.get $rounds)))
      (local.set $pair (addr.add (local.get $table)
        (addr.shl (addr.of_i32 (local.get $round)) (addr.const 4))))
      (local.set $flag (addr.add (addr.add (local.get $flags) (local.get $set))
        (addr.shl (addr.of_i32 (local.get $round)) (addr.const 3))))
      (if (i32.eqz (local.get $signalled))
        (then
          (call $signal (addr.add (addr.load_word (local.get $pair)) (local.get $set))
            (local.get $value) (addr.load_word offset=8 (local.get $pair)))))
      (local.set $signalled (i32.const 0))
      (local.set $code
        (call $waitFlag (local.get $flag) (local.get $lo) (local.get $bell) (local.get $abort)
          (local.get $seen) (local.get $spins) (local.get $timeoutNs)))
      (if (i32.ne (local.get $code) (i32.const 4))
        (then (return
          (i32.or (i32.shl (local.get $round) (i32.const 3)) (local.get $code)))))
      (if (i64.ne (i64.atomic.load (local.get $flag)) (local.get $value))
        (then (return
          (i32.or (i32.shl (local.get $round) (i32.const 3)) (i32.const 5)))))
      (local.set $round (i32.add (local.get $round) (i32.const 1)))
      (br $next)))
  (i32.or (i32.shl (local.get $round) (i32.const 3)) (i32.const 1)))`;

/** Kernel source of everything that orders PEs among each other. */
export const SYNC_SOURCE: string = [ATOMICS, RINGS, WAITS, BARRIER].join("\n");
