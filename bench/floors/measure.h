// What the C floors and the C peers share: the clock, memory on huge pages, threads on cores of
// their own, random indices, and the one line of output. Included, never compiled by itself.
#ifndef LAMELLAR_BENCH_MEASURE_H
#define LAMELLAR_BENCH_MEASURE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define CACHE_LINE 64
#define HUGE_PAGE ((size_t)2 << 20)

static inline double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline void print_metric(const char *metric, double value, const char *unit) {
  printf("{\"metric\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"}\n", metric, value, unit);
  fflush(stdout);
}

static inline void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  exit(1);
}

// Zeroed memory, on huge pages where the kernel grants them, every page touched.
static inline void *huge_alloc(size_t bytes) {
  size_t length = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
  char *raw = mmap(NULL, length + HUGE_PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (raw == MAP_FAILED) fail("Cannot map memory");
  char *aligned = (char *)(((uintptr_t)raw + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
  madvise(aligned, length, MADV_HUGEPAGE);
  memset(aligned, 0, length);
  return aligned;
}

// Keeps thread `index` on one core: two spinning threads must not be stacked on the same one.
// Threads inherit the mask of their creator, so the cores are those of the first call.
static inline void pin_thread(int index) {
  static cpu_set_t allowed;
  static int known;
  cpu_set_t one;
  if (!__atomic_load_n(&known, __ATOMIC_ACQUIRE)) {
    if (sched_getaffinity(getpid(), sizeof allowed, &allowed) != 0) return;
    __atomic_store_n(&known, 1, __ATOMIC_RELEASE);
  }
  int wanted = index % CPU_COUNT(&allowed);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &allowed) || wanted-- > 0) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
    return;
  }
}

static inline uint64_t next_random(uint64_t *state) {
  uint64_t x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

static inline uint32_t *random_indices(size_t count, uint32_t below, uint64_t seed) {
  uint32_t *indices = huge_alloc(count * sizeof *indices);
  uint64_t state = 0x9e3779b97f4a7c15u * (seed + 1);
  for (size_t i = 0; i < count; i++) {
    indices[i] = (uint32_t)(((next_random(&state) >> 32) * below) >> 32);
  }
  return indices;
}

static inline const char *argument(int argc, char **argv, int index, const char *otherwise) {
  return index < argc ? argv[index] : otherwise;
}

#endif
