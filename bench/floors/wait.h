// Waiting for a word of shared memory: a bounded spin, a bounded number of yields (the best there
// is when threads outnumber cores), then the futex; and a post that wakes only who sleeps.
#ifndef LAMELLAR_BENCH_WAIT_H
#define LAMELLAR_BENCH_WAIT_H

#include "measure.h"
#include <linux/futex.h>
#include <sys/syscall.h>

typedef struct {
  _Alignas(CACHE_LINE) uint32_t value;
  uint32_t sleeping;
} wait_word;

static inline void word_post(wait_word *word, uint32_t value) {
  __atomic_store_n(&word->value, value, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&word->sleeping, __ATOMIC_SEQ_CST)) {
    syscall(SYS_futex, &word->value, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
  }
}

// Returns once the word has reached `wanted`, counting round the 32-bit corner.
static inline void word_wait(wait_word *word, uint32_t wanted, int spins, int yields) {
  for (int i = 0; i < spins + yields; i++) {
    if ((int32_t)(__atomic_load_n(&word->value, __ATOMIC_ACQUIRE) - wanted) >= 0) return;
    if (i >= spins) sched_yield();
  }
  for (;;) {
    __atomic_store_n(&word->sleeping, 1, __ATOMIC_SEQ_CST);
    uint32_t seen = __atomic_load_n(&word->value, __ATOMIC_SEQ_CST);
    if ((int32_t)(seen - wanted) >= 0) break;
    syscall(SYS_futex, &word->value, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
  }
  __atomic_store_n(&word->sleeping, 0, __ATOMIC_RELAXED);
}

#endif
