// What the C peers in MPI share: who they are, and how they find how often to do their work.
#ifndef LAMELLAR_BENCH_MPI_CALIBRATED_H
#define LAMELLAR_BENCH_MPI_CALIBRATED_H

#include "measure.h"
#include <mpi.h>

static int rank, ranks;

static inline void mpi_open(int *argc, char ***argv) {
  MPI_Init(argc, argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
}

// Repeats `work` more and more often until rank 0 sees that it fills the time asked for, which
// also warms it up; returns the seconds one repetition takes.
static inline double calibrated(void (*work)(uint64_t), double seconds) {
  uint64_t count = 1;
  for (;;) {
    MPI_Barrier(MPI_COMM_WORLD);
    double start = seconds_now();
    work(count);
    MPI_Barrier(MPI_COMM_WORLD);
    double elapsed = seconds_now() - start;
    uint64_t next = 0;
    if (elapsed < seconds) {
      double factor = seconds / (elapsed + 1e-9) * 1.1;
      next = (uint64_t)((double)count * (factor > 100 ? 100 : factor)) + 1;
    }
    MPI_Bcast(&next, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    if (next == 0) return elapsed / (double)count;
    count = next;
  }
}

#endif
