// histo in OpenSHMEM: random increments of a table that is spread cyclically over all PEs, each an
// atomic of the network. shmem_histo [updates a PE] [iterations] [elements a PE]
#include "shmem_suite.h"

static size_t updates, length;
static uint32_t *indices;
static uint64_t *table;

static void run(void) {
  for (size_t i = 0; i < updates; i++) {
    uint32_t index = indices[i];
    shmem_ulong_atomic_inc(&table[index / (uint32_t)pes], (int)(index % (uint32_t)pes));
  }
  shmem_quiet();
}

int main(int argc, char **argv) {
  suite_open();
  updates = size_argument(argc, argv, 1, "1000");
  size_t iterations = size_argument(argc, argv, 2, "1");
  length = size_argument(argc, argv, 3, "1000000");
  table = symmetric(length * sizeof *table);
  indices = random_indices(updates, (uint32_t)(length * (size_t)pes), (uint64_t)me);
  timed_runs(iterations, NULL, run);
  uint64_t sum = 0;
  for (size_t i = 0; i < length; i++) sum += table[i];
  if (sum_over_pes(sum) != updates * iterations * (size_t)pes) fail("The table lost updates");
  report("histo", "atomic_inc", iterations, (double)updates * pes);
  shmem_finalize();
  return 0;
}
