// index_gather in OpenSHMEM: random reads of a table that is spread cyclically over all PEs, each a
// get. shmem_index_gather [reads a PE] [iterations] [elements a PE]
#include "shmem_suite.h"

static size_t reads, length;
static uint32_t *indices;
static uint64_t *table, *target;

static void prepare(void) { memset(target, 0xff, reads * sizeof *target); }

static void run(void) {
  for (size_t i = 0; i < reads; i++) {
    uint32_t index = indices[i];
    target[i] = shmem_uint64_g(&table[index / (uint32_t)pes], (int)(index % (uint32_t)pes));
  }
}

int main(int argc, char **argv) {
  suite_open();
  reads = size_argument(argc, argv, 1, "1000");
  size_t iterations = size_argument(argc, argv, 2, "1");
  length = size_argument(argc, argv, 3, "1000000");
  table = symmetric(length * sizeof *table);
  target = huge_alloc(reads * sizeof *target);
  indices = random_indices(reads, (uint32_t)(length * (size_t)pes), (uint64_t)me);
  for (size_t i = 0; i < length; i++) table[i] = i * (size_t)pes + (size_t)me;
  timed_runs(iterations, prepare, run);
  for (size_t i = 0; i < reads; i++) {
    if (target[i] != indices[i]) fail("A gathered element is wrong");
  }
  shmem_barrier_all();
  report("index_gather", "get", iterations, (double)reads * pes);
  shmem_finalize();
  return 0;
}
