// Random accesses to a table that all ranks share, as an MPI program does them by hand: items are
// sorted by owner and exchanged, all of a batch at once.
// mpi_exchange add|fetch-add|gather|scatter [seconds]
#include "mpi_calibrated.h"

// Elements of a table, and items of a batch.
#define LENGTH ((size_t)1 << 20)

typedef struct {
  int *counts, *starts;
} lots;

static int takes_values, gives_values, adds;
static uint32_t *indices, *sorted_places, *places;
// Where an item went when they were sorted.
static uint32_t *slots;
static uint64_t *table, *values, *sorted_values, *served_values;
static lots sent, received;
static uint64_t added;

static lots new_lots(void) {
  return (lots){calloc((size_t)ranks, sizeof(int)), calloc((size_t)ranks, sizeof(int))};
}

// Where the items of each rank start; returns how many there are.
static size_t set_starts(lots *of) {
  int sum = 0;
  for (int r = 0; r < ranks; r++) {
    of->starts[r] = sum;
    sum += of->counts[r];
  }
  return (size_t)sum;
}

static void sort(void) {
  memset(sent.counts, 0, (size_t)ranks * sizeof *sent.counts);
  for (size_t i = 0; i < LENGTH; i++) sent.counts[indices[i] / LENGTH]++;
  set_starts(&sent);
  for (size_t i = 0; i < LENGTH; i++) {
    uint32_t slot = (uint32_t)sent.starts[indices[i] / LENGTH]++;
    slots[i] = slot;
    sorted_places[slot] = indices[i] % LENGTH;
    if (takes_values) sorted_values[slot] = values[i];
  }
  set_starts(&sent);
}

static void serve(size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint64_t *element = &table[places[i]];
    if (takes_values) *element = served_values[i];
    else if (gives_values) served_values[i] = *element;
    if (adds) ++*element;
  }
}

static void exchange(uint64_t count) {
  for (uint64_t batch = 0; batch < count; batch++) {
    sort();
    MPI_Alltoall(sent.counts, 1, MPI_INT, received.counts, 1, MPI_INT, MPI_COMM_WORLD);
    size_t coming = set_starts(&received);
    MPI_Alltoallv(sorted_places, sent.counts, sent.starts, MPI_UINT32_T, places, received.counts,
                  received.starts, MPI_UINT32_T, MPI_COMM_WORLD);
    if (takes_values) {
      MPI_Alltoallv(sorted_values, sent.counts, sent.starts, MPI_UINT64_T, served_values,
                    received.counts, received.starts, MPI_UINT64_T, MPI_COMM_WORLD);
    }
    serve(coming);
    if (gives_values) {
      MPI_Alltoallv(served_values, received.counts, received.starts, MPI_UINT64_T, sorted_values,
                    sent.counts, sent.starts, MPI_UINT64_T, MPI_COMM_WORLD);
      for (size_t i = 0; i < LENGTH; i++) values[i] = sorted_values[slots[i]];
    }
  }
  added += count * LENGTH;
}

static void verify_sum(void) {
  uint64_t sums[2] = {0, added}, totals[2];
  for (size_t i = 0; i < LENGTH; i++) sums[0] += table[i];
  MPI_Allreduce(sums, totals, 2, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
  if (totals[0] != totals[1]) fail("The table lost updates");
}

// Element i of the whole table holds i.
static void verify_values(void) {
  for (size_t i = 0; i < LENGTH; i++) {
    if (values[i] != indices[i]) fail("A gathered element is wrong");
  }
}

int main(int argc, char **argv) {
  mpi_open(&argc, &argv);
  const char *mode = argument(argc, argv, 1, "add");
  int scatters = strcmp(mode, "scatter") == 0;
  takes_values = scatters;
  gives_values = strcmp(mode, "gather") == 0 || strcmp(mode, "fetch-add") == 0;
  adds = strstr(mode, "add") != NULL;
  indices = random_indices(LENGTH, (uint32_t)(LENGTH * (size_t)ranks), (uint64_t)rank);
  slots = huge_alloc(LENGTH * sizeof *slots);
  sorted_places = huge_alloc(LENGTH * sizeof *sorted_places);
  // All items may come to one rank.
  places = huge_alloc(LENGTH * (size_t)ranks * sizeof *places);
  served_values = huge_alloc(LENGTH * (size_t)ranks * sizeof *served_values);
  table = huge_alloc(LENGTH * sizeof *table);
  values = huge_alloc(LENGTH * sizeof *values);
  sorted_values = huge_alloc(LENGTH * sizeof *sorted_values);
  sent = new_lots();
  received = new_lots();
  for (size_t i = 0; i < LENGTH; i++) {
    if (scatters) values[i] = indices[i];
    else if (!adds) table[i] = (uint64_t)rank * LENGTH + i;
  }
  double each = calibrated(exchange, strtod(argument(argc, argv, 2, "0.3"), NULL));
  if (adds) verify_sum();
  else {
    if (scatters) {
      // What was written is read by the same way back.
      takes_values = 0;
      gives_values = 1;
      memset(values, 0xff, LENGTH * sizeof *values);
      exchange(1);
    }
    verify_values();
  }
  if (rank == 0) print_metric(mode, (double)LENGTH * ranks / each * 1e-6, "M/s");
  MPI_Finalize();
  return 0;
}
