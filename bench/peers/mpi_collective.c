// Collectives of f64 values: mpi_collective <which> <bytes of each rank> [seconds]
#include "mpi_calibrated.h"

static int length;
static double *source, *target;

static void all_reduce(uint64_t count) {
  for (uint64_t i = 0; i < count; i++)
    MPI_Allreduce(source, target, length, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}

static void reduce_scatter(uint64_t count) {
  for (uint64_t i = 0; i < count; i++)
    MPI_Reduce_scatter_block(source, target, length / ranks, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}

static void all_gather(uint64_t count) {
  for (uint64_t i = 0; i < count; i++)
    MPI_Allgather(source, length, MPI_DOUBLE, target, length, MPI_DOUBLE, MPI_COMM_WORLD);
}

static void all_to_all(uint64_t count) {
  for (uint64_t i = 0; i < count; i++)
    MPI_Alltoall(source, length / ranks, MPI_DOUBLE, target, length / ranks, MPI_DOUBLE,
                 MPI_COMM_WORLD);
}

static void broadcast(uint64_t count) {
  for (uint64_t i = 0; i < count; i++)
    MPI_Bcast(source, length, MPI_DOUBLE, 0, MPI_COMM_WORLD);
}

int main(int argc, char **argv) {
  mpi_open(&argc, &argv);
  const char *which = argument(argc, argv, 1, "all-reduce");
  length = atoi(argument(argc, argv, 2, "8")) / (int)sizeof *source;
  source = malloc((size_t)length * sizeof *source);
  target = malloc((size_t)(length * ranks) * sizeof *target);
  for (int i = 0; i < length; i++) source[i] = rank + i;
  void (*work)(uint64_t) = strcmp(which, "all-reduce") == 0       ? all_reduce
                           : strcmp(which, "reduce-scatter") == 0 ? reduce_scatter
                           : strcmp(which, "all-gather") == 0     ? all_gather
                           : strcmp(which, "all-to-all") == 0     ? all_to_all
                                                                  : broadcast;
  double each = calibrated(work, strtod(argument(argc, argv, 3, "0.3"), NULL));
  if (rank == 0) print_metric(which, each * 1e6, "us");
  MPI_Finalize();
  return 0;
}
