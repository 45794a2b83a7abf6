// MPI in C, the cases that an MPI program would write in its place.
// mpi barrier|hello|first|idle [seconds]; mpi latency [together|mean|median|p99] [seconds];
// mpi rate|messages <updates a message> [seconds]; mpi histogram|gather [table length] [seconds]
#include "mpi_calibrated.h"
#include <sys/resource.h>

#define TABLE_LENGTH 65536u
#define WINDOW 64
#define ROUNDS_MAX ((size_t)1 << 23)

static uint64_t length = 1 << 20;
static uint32_t *indices;
static uint32_t counted[TABLE_LENGTH];
static uint64_t streamed;
static size_t updates = 1;

// Ranks 2k and 2k + 1 play ping-pong with 8 bytes.
static void ping_pong(uint64_t count) {
  uint64_t word = 0;
  int other = rank ^ 1;
  for (uint64_t i = 0; i < count; i++) {
    if (rank % 2 == 0) MPI_Send(&word, 1, MPI_UINT64_T, other, 0, MPI_COMM_WORLD);
    MPI_Recv(&word, 1, MPI_UINT64_T, other, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (rank % 2 == 1) MPI_Send(&word, 1, MPI_UINT64_T, other, 0, MPI_COMM_WORLD);
  }
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// Plays ping-pong for so long, each round timed, and returns their mean, or what so many percent of
// them take at most.
static double ping_pong_timed(const char *figure, double seconds) {
  size_t count = 0;
  double *times = malloc(ROUNDS_MAX * sizeof *times);
  MPI_Barrier(MPI_COMM_WORLD);
  double start = seconds_now(), end = start;
  for (int more = 1; more;) {
    double before = end;
    if (rank == 0) {
      more = before - start < seconds && count < ROUNDS_MAX - 1;
      MPI_Send(&more, 1, MPI_INT, 1, 0, MPI_COMM_WORLD);
      MPI_Recv(&more, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
      MPI_Recv(&more, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      MPI_Send(&more, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
    }
    end = seconds_now();
    times[count++] = end - before;
  }
  qsort(times, count, sizeof *times, ascending);
  size_t percent = strcmp(figure, "median") == 0 ? 50 : 99;
  double found = strcmp(figure, "mean") == 0 ? (end - start) / (double)count
                                             : times[(count * percent + 99) / 100 - 1];
  free(times);
  return found;
}

// The first round trip there is, between rank 0 and the last.
static void first(void) {
  double start = seconds_now();
  uint64_t word = 0;
  int other = rank == 0 ? ranks - 1 : 0;
  if (rank != 0 && rank != ranks - 1) return;
  if (rank == 0) MPI_Send(&word, 1, MPI_UINT64_T, other, 0, MPI_COMM_WORLD);
  MPI_Recv(&word, 1, MPI_UINT64_T, other, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  if (rank != 0) MPI_Send(&word, 1, MPI_UINT64_T, other, 0, MPI_COMM_WORLD);
  else print_metric("first message", (seconds_now() - start) * 1e6, "us");
}

static void barriers(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) MPI_Barrier(MPI_COMM_WORLD);
}

// Rank 0 streams messages of indices to rank 1, which counts them in a table.
static void stream(uint64_t count) {
  MPI_Request requests[WINDOW];
  uint32_t *buffers = malloc(WINDOW * updates * sizeof *buffers);
  uint64_t done = 0;
  while (rank < 2 && done < count) {
    int window = count - done < WINDOW ? (int)(count - done) : WINDOW;
    for (int w = 0; w < window; w++) {
      uint32_t *at = rank == 0 ? indices + (done + (uint64_t)w) * updates % TABLE_LENGTH
                               : buffers + (size_t)w * updates;
      if (rank == 0) MPI_Isend(at, (int)updates, MPI_UINT32_T, 1, 0, MPI_COMM_WORLD, &requests[w]);
      else MPI_Irecv(at, (int)updates, MPI_UINT32_T, 0, 0, MPI_COMM_WORLD, &requests[w]);
    }
    MPI_Waitall(window, requests, MPI_STATUSES_IGNORE);
    if (rank == 1) {
      for (size_t i = 0; i < (size_t)window * updates; i++) counted[buffers[i]]++;
    }
    done += (uint64_t)window;
  }
  streamed += done * updates;
  free(buffers);
}

static MPI_Win window;
static uint64_t *table, *gathered;
static uint64_t added;

static void accumulate(uint64_t count) {
  const uint64_t one = 1;
  for (uint64_t i = 0; i < count; i++) {
    uint32_t index = indices[i % length];
    MPI_Accumulate(&one, 1, MPI_UINT64_T, (int)(index / length), (MPI_Aint)(index % length), 1,
                   MPI_UINT64_T, MPI_SUM, window);
    if (i % 1024 == 1023) MPI_Win_flush_all(window);
  }
  MPI_Win_flush_all(window);
  added += count;
}

static void get(uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    uint32_t index = indices[i % length];
    MPI_Get(&gathered[i % length], 1, MPI_UINT64_T, (int)(index / length),
            (MPI_Aint)(index % length), 1, MPI_UINT64_T, window);
    if (i % 1024 == 1023) MPI_Win_flush_all(window);
  }
  MPI_Win_flush_all(window);
}

static void one_sided(int gathers, double seconds) {
  MPI_Win_allocate((MPI_Aint)(length * sizeof *table), sizeof *table, MPI_INFO_NULL,
                   MPI_COMM_WORLD, &table, &window);
  indices = random_indices(length, (uint32_t)(length * (uint64_t)ranks), (uint64_t)rank);
  gathered = huge_alloc(length * sizeof *gathered);
  for (uint64_t i = 0; i < length; i++) table[i] = gathers ? (uint64_t)rank * length + i : 0;
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Win_lock_all(0, window);
  double each = calibrated(gathers ? get : accumulate, seconds);
  uint64_t sums[2] = {0, added}, totals[2];
  if (gathers && gathered[0] != indices[0]) fail("A gathered element is wrong");
  MPI_Win_unlock_all(window);
  MPI_Barrier(MPI_COMM_WORLD);
  for (uint64_t i = 0; i < length; i++) sums[0] += table[i];
  MPI_Allreduce(sums, totals, 2, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
  if (!gathers && totals[0] != totals[1]) fail("The histogram lost updates");
  if (rank == 0) print_metric(gathers ? "get" : "accumulate", ranks / each * 1e-6, "M/s");
  MPI_Win_free(&window);
}

static double processor_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

// The last rank sleeps and holds up a barrier in which the others wait.
static void idle(double seconds) {
  MPI_Barrier(MPI_COMM_WORLD);
  double before = processor_seconds(), burnt, total;
  if (rank == ranks - 1) usleep((useconds_t)(seconds * 1e6));
  MPI_Barrier(MPI_COMM_WORLD);
  burnt = processor_seconds() - before;
  MPI_Reduce(&burnt, &total, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
  if (rank == 0) print_metric("idle", total / seconds * 100, "% of a core");
}

int main(int argc, char **argv) {
  mpi_open(&argc, &argv);
  const char *mode = argument(argc, argv, 1, "hello");
  double seconds = strtod(argument(argc, argv, 2, "0.3"), NULL);
  if (strcmp(mode, "latency") == 0) {
    const char *figure = argument(argc, argv, 2, "together");
    seconds = strtod(argument(argc, argv, 3, "0.3"), NULL);
    int together = strcmp(figure, "together") == 0;
    double each = together ? calibrated(ping_pong, seconds) : ping_pong_timed(figure, seconds);
    if (rank == 0) print_metric("round trip", each * 1e6, "us");
  } else if (strcmp(mode, "barrier") == 0) {
    double each = calibrated(barriers, seconds);
    if (rank == 0) print_metric("barrier", each * 1e6, "us");
  } else if (strcmp(mode, "rate") == 0 || strcmp(mode, "messages") == 0) {
    updates = strtoull(argument(argc, argv, 2, "1"), NULL, 10);
    indices = random_indices(TABLE_LENGTH * 2, TABLE_LENGTH, 1);
    double each = calibrated(stream, strtod(argument(argc, argv, 3, "0.3"), NULL));
    uint64_t sum = 0;
    for (size_t i = 0; i < TABLE_LENGTH; i++) sum += counted[i];
    if (rank == 1 && (uint32_t)sum != (uint32_t)streamed) fail("The stream lost updates");
    double counted = mode[0] == 'r' ? (double)updates : 1;
    if (rank == 0) print_metric(mode, counted / each * 1e-6, "M/s");
  } else if (strcmp(mode, "histogram") == 0 || strcmp(mode, "gather") == 0) {
    length = strtoull(argument(argc, argv, 2, "1048576"), NULL, 10);
    one_sided(mode[0] == 'g', strtod(argument(argc, argv, 3, "0.3"), NULL));
  } else if (strcmp(mode, "first") == 0) {
    first();
  } else if (strcmp(mode, "idle") == 0) {
    idle(strtod(argument(argc, argv, 2, "1"), NULL));
  } else {
    printf("hello from rank %d of %d\n", rank, ranks);
  }
  MPI_Finalize();
  return 0;
}
