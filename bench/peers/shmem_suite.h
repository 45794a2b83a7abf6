// What the peers in OpenSHMEM of the suite share: the clock over all PEs, and the line of output.
// Each takes its sizes and then the number of iterations, and reports the median of the later half.
#ifndef LAMELLAR_BENCH_SHMEM_SUITE_H
#define LAMELLAR_BENCH_SHMEM_SUITE_H
#include "measure.h"
#include <shmem.h>

#define ITERATIONS_MAX 1000

static int me, pes;
static double seconds[ITERATIONS_MAX];

static inline void *symmetric(size_t bytes) {
  void *memory = shmem_calloc(1, bytes);
  if (memory == NULL) fail("Cannot allocate symmetric memory");
  return memory;
}

static inline size_t size_argument(int argc, char **argv, int index, const char *otherwise) {
  char *end;
  const char *text = argument(argc, argv, index, otherwise);
  size_t value = strtoull(text, &end, 10);
  if (*end != '\0' || value == 0) fail("Give whole numbers from 1 up");
  return value;
}

// Times `run` from when all PEs are ready, and have prepared, to when all are done.
static inline void timed_runs(size_t iterations, void (*prepare)(void), void (*run)(void)) {
  if (iterations > ITERATIONS_MAX) fail("There can be 1000 iterations");
  for (size_t i = 0; i < iterations; i++) {
    if (prepare != NULL) prepare();
    shmem_barrier_all();
    double start = seconds_now();
    run();
    shmem_barrier_all();
    seconds[i] = seconds_now() - start;
  }
}

static inline int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static inline double steady_seconds(size_t iterations) {
  size_t first = iterations / 2, count = iterations - first;
  qsort(seconds + first, count, sizeof *seconds, by_size);
  double upper = seconds[first + count / 2];
  return count % 2 == 1 ? upper : (seconds[first + count / 2 - 1] + upper) / 2;
}

// The line of PE 0; `updates` of all PEs together, or 0 where there are none.
static inline void report(const char *program, const char *variant, size_t iterations,
                          double updates) {
  if (me != 0) return;
  double steady = steady_seconds(iterations);
  printf("{\"program\":\"%s\",\"variant\":\"%s\",\"pes\":%d,\"iterations\":%zu,\"seconds\":%.6g",
         program, variant, pes, iterations, steady);
  if (updates > 0) printf(",\"updates\":%.0f,\"mups\":%.6g", updates, updates * 1e-6 / steady);
  printf(",\"verified\":true}\n");
  fflush(stdout);
}

// The sum of a number of each PE, on all of them.
static inline uint64_t sum_over_pes(uint64_t value) {
  static uint64_t *sum;
  if (sum == NULL) sum = symmetric(sizeof *sum);
  *sum = 0;
  shmem_barrier_all();
  for (int pe = 0; pe < pes; pe++) shmem_ulong_atomic_add(sum, value, pe);
  shmem_barrier_all();
  uint64_t total = *sum;
  shmem_barrier_all();
  return total;
}

static inline void suite_open(void) {
  shmem_init();
  me = shmem_my_pe();
  pes = shmem_n_pes();
}

#endif
