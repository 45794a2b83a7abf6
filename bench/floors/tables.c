// Two threads, each over its own random u32 indices into two tables of u64 that lie side by side.
// tables histogram|gather plain|prefetch <table length> <indices> <seconds>
#include "measure.h"

#define THREADS 2
#define AHEAD 32

typedef struct {
  int id;
  uint32_t *indices;
  uint64_t *gathered;
} worker;

static uint64_t *tables;
static size_t index_count;
static int repeats, prefetches, gathers;
static pthread_barrier_t gate;

static void add_plain(const uint32_t *indices) {
  for (size_t i = 0; i < index_count; i++) {
    __atomic_fetch_add(&tables[indices[i]], 1, __ATOMIC_RELAXED);
  }
}

static void add_prefetched(const uint32_t *indices) {
  size_t i = 0;
  for (; i + AHEAD < index_count; i++) {
    __builtin_prefetch(&tables[indices[i + AHEAD]], 1);
    __atomic_fetch_add(&tables[indices[i]], 1, __ATOMIC_RELAXED);
  }
  for (; i < index_count; i++) __atomic_fetch_add(&tables[indices[i]], 1, __ATOMIC_RELAXED);
}

static void gather_plain(const uint32_t *indices, uint64_t *restrict gathered) {
  for (size_t i = 0; i < index_count; i++) gathered[i] = tables[indices[i]];
}

static void gather_prefetched(const uint32_t *indices, uint64_t *restrict gathered) {
  size_t i = 0;
  for (; i + AHEAD < index_count; i++) {
    __builtin_prefetch(&tables[indices[i + AHEAD]]);
    gathered[i] = tables[indices[i]];
  }
  for (; i < index_count; i++) gathered[i] = tables[indices[i]];
}

static void pass(const worker *self) {
  if (gathers && prefetches) gather_prefetched(self->indices, self->gathered);
  else if (gathers) gather_plain(self->indices, self->gathered);
  else if (prefetches) add_prefetched(self->indices);
  else add_plain(self->indices);
}

static void *run(void *argument) {
  worker *self = argument;
  pin_thread(self->id);
  pass(self);
  pthread_barrier_wait(&gate);
  for (int i = 0; i < repeats; i++) {
    pass(self);
    __asm__ volatile("" : : : "memory");
  }
  pthread_barrier_wait(&gate);
  return NULL;
}

static double timed(worker *workers) {
  pthread_t threads[THREADS];
  pthread_barrier_init(&gate, NULL, THREADS + 1);
  for (int t = 0; t < THREADS; t++) pthread_create(&threads[t], NULL, run, &workers[t]);
  pthread_barrier_wait(&gate);
  double start = seconds_now();
  pthread_barrier_wait(&gate);
  double elapsed = seconds_now() - start;
  for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
  return elapsed;
}

static void verify_gather(const worker *workers) {
  for (int t = 0; t < THREADS; t++) {
    for (size_t i = 0; i < index_count; i++) {
      if (workers[t].gathered[i] != workers[t].indices[i]) fail("A gathered element is wrong");
    }
  }
}

static void verify_histogram(size_t length, uint64_t expected) {
  uint64_t sum = 0;
  for (size_t i = 0; i < length; i++) sum += tables[i];
  if (sum != expected) fail("The histogram lost updates");
}

int main(int argc, char **argv) {
  gathers = strcmp(argument(argc, argv, 1, "histogram"), "gather") == 0;
  prefetches = strcmp(argument(argc, argv, 2, "plain"), "prefetch") == 0;
  size_t length = strtoull(argument(argc, argv, 3, "1048576"), NULL, 10) * THREADS;
  index_count = strtoull(argument(argc, argv, 4, "1048576"), NULL, 10);
  double seconds = strtod(argument(argc, argv, 5, "0.3"), NULL);
  tables = huge_alloc(length * sizeof *tables);
  worker workers[THREADS];
  for (int t = 0; t < THREADS; t++) {
    workers[t].id = t;
    workers[t].indices = random_indices(index_count, (uint32_t)length, (uint64_t)t);
    workers[t].gathered = gathers ? huge_alloc(index_count * sizeof(uint64_t)) : NULL;
  }
  if (gathers) {
    for (size_t i = 0; i < length; i++) tables[i] = i;
  }
  // The first run warms up and tells how many passes fill the time asked for.
  repeats = 1;
  double once = timed(workers);
  uint64_t passes = 2;
  repeats = (int)(seconds / once) + 1;
  double elapsed = timed(workers);
  passes += (uint64_t)repeats + 1;
  if (gathers) verify_gather(workers);
  else verify_histogram(length, passes * index_count * THREADS);
  double rate = (double)index_count * THREADS * repeats / elapsed * 1e-6;
  print_metric(gathers ? "gather" : "histogram", rate, "M/s");
  return 0;
}
