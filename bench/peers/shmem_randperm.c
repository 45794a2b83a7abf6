// randperm in OpenSHMEM: each PE throws its numbers at random places of a larger target, by an
// atomic compare-and-swap, until each has found a free one; the target without the free places is
// the permutation. shmem_randperm [numbers on all PEs] [target factor] [iterations]
#include "shmem_suite.h"

#define FREE UINT64_MAX

static size_t count, target_length, block;
// The target is spread cyclically, the permutation in blocks.
static uint64_t *target, *mine, *permutation, *lengths;
static uint64_t state;

static size_t part_of(size_t length, int pe) {
  return length / (size_t)pes + ((size_t)pe < length % (size_t)pes);
}

static void prepare(void) {
  size_t length = part_of(target_length, me);
  for (size_t i = 0; i < length; i++) target[i] = FREE;
}

static void throw_darts(void) {
  for (size_t value = (size_t)me; value < count; value += (size_t)pes) {
    uint64_t found;
    do {
      size_t at = (size_t)(next_random(&state) % target_length);
      found = shmem_ulong_atomic_compare_swap(&target[at / (size_t)pes], FREE, value,
                                               (int)(at % (size_t)pes));
    } while (found != FREE);
  }
}

// Puts what this PE has behind what the PEs before it have.
static void collect(void) {
  size_t length = part_of(target_length, me), kept = 0;
  for (size_t i = 0; i < length; i++) {
    if (target[i] != FREE) mine[kept++] = target[i];
  }
  for (int pe = 0; pe < pes; pe++) shmem_uint64_p(&lengths[me], kept, pe);
  shmem_barrier_all();
  size_t at = 0;
  for (int pe = 0; pe < me; pe++) at += lengths[pe];
  for (size_t from = 0; from < kept;) {
    size_t place = (at + from) % block, some = block - place;
    if (some > kept - from) some = kept - from;
    shmem_put64(&permutation[place], &mine[from], some, (int)((at + from) / block));
    from += some;
  }
}

static void run(void) {
  throw_darts();
  shmem_barrier_all();
  collect();
}

static void verify(void) {
  if (me != 0) return;
  char *seen = calloc(count, 1);
  uint64_t *values = malloc(block * sizeof *values);
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i += block) {
    size_t some = count - i < block ? count - i : block;
    shmem_get64(values, permutation, some, (int)(i / block));
    for (size_t k = 0; k < some; k++) {
      if (values[k] >= count || seen[values[k]]++) fail("It is not a permutation");
      sum += values[k];
    }
  }
  if (sum != (uint64_t)count * (count - 1) / 2) fail("The sum of the permutation is wrong");
  free(seen);
  free(values);
}

int main(int argc, char **argv) {
  suite_open();
  count = size_argument(argc, argv, 1, "1000");
  target_length = count * size_argument(argc, argv, 2, "10");
  size_t iterations = size_argument(argc, argv, 3, "1");
  block = (count + (size_t)pes - 1) / (size_t)pes;
  size_t longest = part_of(target_length, 0);
  target = symmetric(longest * sizeof *target);
  permutation = symmetric(block * sizeof *permutation);
  lengths = symmetric((size_t)pes * sizeof *lengths);
  mine = malloc(longest * sizeof *mine);
  state = 0x9e3779b97f4a7c15u * ((uint64_t)me + 1);
  timed_runs(iterations, prepare, run);
  verify();
  report("randperm", "compare_swap", iterations, 0);
  shmem_barrier_all();
  shmem_finalize();
  return 0;
}
