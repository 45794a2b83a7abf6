// OpenSHMEM in C, the cases that an OpenSHMEM program would write in its place.
// shmem latency|barrier|hello|idle|rate [seconds]; shmem histogram|gather [table length] [seconds]
#include "measure.h"
#include <shmem.h>
#include <sys/resource.h>

#define TABLE_LENGTH 65536u

static int me, pes;
static uint64_t length = 1 << 20, added;
static uint32_t *indices;
static uint64_t *word, *next_count, *table, *gathered, *sums;

// Repeats `work` more and more often until PE 0 sees that it fills the time asked for, which also
// warms it up; returns the seconds one repetition takes.
static double calibrated(void (*work)(uint64_t), double seconds) {
  uint64_t count = 1;
  for (;;) {
    shmem_barrier_all();
    double start = seconds_now();
    work(count);
    shmem_barrier_all();
    double elapsed = seconds_now() - start;
    if (me == 0) {
      double factor = seconds / (elapsed + 1e-9) * 1.1;
      uint64_t next = (uint64_t)((double)count * (factor > 100 ? 100 : factor)) + 1;
      if (elapsed >= seconds) next = 0;
      for (int pe = 0; pe < pes; pe++) shmem_uint64_p(next_count, next, pe);
    }
    shmem_barrier_all();
    if (*next_count == 0) return elapsed / (double)count;
    count = *next_count;
  }
}

// PEs 2k and 2k + 1 play ping-pong with one word.
static void ping_pong(uint64_t count) {
  uint64_t base = *word;
  shmem_barrier_all();
  for (uint64_t i = base + 1; i <= base + count; i++) {
    if (me % 2 == 0) shmem_uint64_p(word, i, me ^ 1);
    shmem_uint64_wait_until(word, SHMEM_CMP_GE, i);
    if (me % 2 == 1) shmem_uint64_p(word, i, me ^ 1);
  }
}

static void barriers(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) shmem_barrier_all();
}

// PE 0 counts in a table of PE 1.
static void increments(uint64_t count) {
  if (me != 0) return;
  for (uint64_t i = 0; i < count; i++) {
    shmem_ulong_atomic_inc(&table[indices[i % TABLE_LENGTH]], 1);
  }
  shmem_quiet();
}

static void add(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    uint32_t index = indices[i % length];
    shmem_ulong_atomic_add(&table[index % length], 1, (int)(index / length));
  }
  shmem_quiet();
  added += count;
}

static void get(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    uint32_t index = indices[i % length];
    gathered[i % length] = shmem_uint64_g(&table[index % length], (int)(index / length));
  }
}

static void one_sided(int gathers, double seconds) {
  table = shmem_malloc(length * sizeof *table);
  sums = shmem_malloc(2 * sizeof *sums);
  if (table == NULL || sums == NULL) fail("Cannot allocate symmetric memory");
  indices = random_indices(length, (uint32_t)(length * (uint64_t)pes), (uint64_t)me);
  gathered = huge_alloc(length * sizeof *gathered);
  for (uint64_t i = 0; i < length; i++) table[i] = gathers ? (uint64_t)me * length + i : 0;
  sums[0] = sums[1] = 0;
  double each = calibrated(gathers ? get : add, seconds);
  if (gathers && gathered[0] != indices[0]) fail("A gathered element is wrong");
  uint64_t sum = 0;
  for (uint64_t i = 0; i < length; i++) sum += table[i];
  shmem_ulong_atomic_add(&sums[0], sum, 0);
  shmem_ulong_atomic_add(&sums[1], added, 0);
  shmem_barrier_all();
  if (me == 0 && !gathers && sums[0] != sums[1]) fail("The histogram lost updates");
  if (me == 0) print_metric(gathers ? "get" : "atomic add", pes / each * 1e-6, "M/s");
}

static double processor_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

// The last PE sleeps and holds up a barrier in which the others wait.
static void idle(double seconds) {
  shmem_barrier_all();
  double before = processor_seconds();
  if (me == pes - 1) usleep((useconds_t)(seconds * 1e6));
  shmem_barrier_all();
  uint64_t burnt = (uint64_t)((processor_seconds() - before) * 1e6);
  shmem_ulong_atomic_add(word, burnt, 0);
  shmem_barrier_all();
  if (me == 0) print_metric("idle", (double)*word * 1e-6 / seconds * 100, "% of a core");
}

int main(int argc, char **argv) {
  shmem_init();
  me = shmem_my_pe();
  pes = shmem_n_pes();
  word = shmem_malloc(sizeof *word);
  next_count = shmem_malloc(sizeof *next_count);
  if (word == NULL || next_count == NULL) fail("Cannot allocate symmetric memory");
  *word = *next_count = 0;
  shmem_barrier_all();
  const char *mode = argument(argc, argv, 1, "hello");
  double seconds = strtod(argument(argc, argv, 2, "0.3"), NULL);
  if (strcmp(mode, "latency") == 0) {
    double each = calibrated(ping_pong, seconds);
    if (me == 0) print_metric("round trip", each * 1e6, "us");
  } else if (strcmp(mode, "barrier") == 0) {
    double each = calibrated(barriers, seconds);
    if (me == 0) print_metric("barrier", each * 1e6, "us");
  } else if (strcmp(mode, "rate") == 0) {
    table = shmem_malloc(TABLE_LENGTH * sizeof *table);
    indices = random_indices(TABLE_LENGTH, TABLE_LENGTH, 1);
    double each = calibrated(increments, seconds);
    if (me == 0) print_metric("rate", 1 / each * 1e-6, "M/s");
  } else if (strcmp(mode, "histogram") == 0 || strcmp(mode, "gather") == 0) {
    length = strtoull(argument(argc, argv, 2, "1048576"), NULL, 10);
    one_sided(mode[0] == 'g', strtod(argument(argc, argv, 3, "0.3"), NULL));
  } else if (strcmp(mode, "idle") == 0) {
    idle(strtod(argument(argc, argv, 2, "1"), NULL));
  } else {
    printf("hello from PE %d of %d\n", me, pes);
  }
  shmem_finalize();
  return 0;
}
