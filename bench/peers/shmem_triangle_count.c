// triangle_count in OpenSHMEM: each PE gets the lists of the neighbours of its nodes that other PEs
// have, and compares. The graph is that of programs/graph.ts.
// shmem_triangle_count [scale] [iterations]
#include "shmem_suite.h"

#define EDGE_FACTOR ((size_t)16)
#define SEED 1
// Of 2^32: the quarters of the adjacency matrix get 57, 19, 19 and 5 of 100 edges.
#define A 2448131358u
#define AB 3264175144u
#define ABC 4080218931u

// The smaller neighbours of every `of`-th node, beginning with node `first`.
typedef struct {
  uint32_t first, of, nodes;
  uint32_t *starts, *lists;
} lists;

static size_t scale;
static uint32_t *ends;
static lists mine;
static uint32_t *fetched;
static uint64_t triangles;

static uint32_t hash(uint32_t h) {
  h = (h ^ h >> 16) * 0x85ebca6bu;
  h = (h ^ h >> 13) * 0xc2b2ae35u;
  return h ^ h >> 16;
}

static void make_edges(void) {
  size_t edges = EDGE_FACTOR << scale;
  uint32_t offset = hash(SEED);
  ends = huge_alloc(2 * edges * sizeof *ends);
  for (size_t edge = 0; edge < edges; edge++) {
    uint32_t row = 0, column = 0;
    for (size_t bit = 0; bit < scale; bit++) {
      uint32_t random = hash((uint32_t)(edge * scale + bit) + offset);
      row = row << 1 | (random >= AB);
      column = column << 1 | (random >= ABC || (random >= A && random < AB));
    }
    ends[2 * edge] = row < column ? row : column;
    ends[2 * edge + 1] = row < column ? column : row;
  }
}

static int by_number(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

// Sorts the lists and moves them together without repetitions.
static void tidy(lists *of) {
  uint32_t kept = 0, from = 0;
  for (uint32_t i = 0; i < of->nodes; i++) {
    uint32_t to = of->starts[i + 1];
    qsort(of->lists + from, to - from, sizeof *of->lists, by_number);
    of->starts[i] = kept;
    for (uint32_t at = from; at < to; at++) {
      if (at == from || of->lists[at] != of->lists[at - 1]) of->lists[kept++] = of->lists[at];
    }
    from = to;
  }
  of->starts[of->nodes] = kept;
}

static lists smaller_neighbours(uint32_t first, uint32_t step, void *(*allocate)(size_t)) {
  uint32_t all = 1u << scale, most = (all + step - 1) / step;
  lists of = {first, step, (all - first + step - 1) / step, NULL, NULL};
  of.starts = allocate((most + 1) * sizeof *of.starts);
  // As long as the longest of all PEs, since symmetric memory has the same size everywhere.
  uint32_t *counts = calloc(step, sizeof *counts), longest = 0;
  for (size_t i = 0; i < EDGE_FACTOR << scale; i++) {
    uint32_t node = ends[2 * i + 1];
    if (ends[2 * i] == node) continue;
    counts[node % step]++;
    if (node % step == first) of.starts[node / step + 1]++;
  }
  for (uint32_t pe = 0; pe < step; pe++) longest = counts[pe] > longest ? counts[pe] : longest;
  of.lists = allocate(longest * sizeof *of.lists);
  for (uint32_t i = 0; i < of.nodes; i++) of.starts[i + 1] += of.starts[i];
  uint32_t *next = malloc((of.nodes + 1) * sizeof *next);
  memcpy(next, of.starts, (of.nodes + 1) * sizeof *next);
  for (size_t i = 0; i < EDGE_FACTOR << scale; i++) {
    uint32_t node = ends[2 * i + 1];
    if (ends[2 * i] != node && node % step == first) of.lists[next[node / step]++] = ends[2 * i];
  }
  tidy(&of);
  free(next);
  free(counts);
  return of;
}

static uint64_t common(const uint32_t *a, size_t m, const uint32_t *b, size_t n) {
  uint64_t count = 0;
  for (size_t i = 0, j = 0; i < m && j < n;) {
    uint32_t x = a[i], y = b[j];
    count += x == y;
    i += x <= y;
    j += y <= x;
  }
  return count;
}

// The list of a neighbour, which may be on another PE.
static const uint32_t *list_of(uint32_t node, size_t *length) {
  int pe = (int)(node % (uint32_t)pes);
  uint32_t at = node / (uint32_t)pes, range[2];
  if (pe == me) {
    *length = mine.starts[at + 1] - mine.starts[at];
    return mine.lists + mine.starts[at];
  }
  shmem_get32(range, &mine.starts[at], 2, pe);
  *length = range[1] - range[0];
  if (*length > 0) shmem_get32(fetched, &mine.lists[range[0]], *length, pe);
  return fetched;
}

static void run(void) {
  uint64_t found = 0;
  for (uint32_t i = 0; i < mine.nodes; i++) {
    const uint32_t *list = mine.lists + mine.starts[i];
    size_t length = mine.starts[i + 1] - mine.starts[i], others;
    for (size_t at = 1; at < length; at++) {
      const uint32_t *other = list_of(list[at], &others);
      found += common(list, at, other, others);
    }
  }
  triangles = sum_over_pes(found);
}

static uint64_t count_serially(void) {
  lists all = smaller_neighbours(0, 1, huge_alloc);
  uint64_t found = 0;
  for (uint32_t i = 0; i < all.nodes; i++) {
    const uint32_t *list = all.lists + all.starts[i];
    for (size_t at = 1; at < all.starts[i + 1] - all.starts[i]; at++) {
      uint32_t node = list[at];
      found += common(list, at, all.lists + all.starts[node],
                      all.starts[node + 1] - all.starts[node]);
    }
  }
  return found;
}

int main(int argc, char **argv) {
  suite_open();
  scale = size_argument(argc, argv, 1, "14");
  size_t iterations = size_argument(argc, argv, 2, "1");
  if (scale > 22) fail("The scale can be 22");
  make_edges();
  mine = smaller_neighbours((uint32_t)me, (uint32_t)pes, symmetric);
  fetched = malloc((sizeof *fetched << scale));
  timed_runs(iterations, NULL, run);
  if (me == 0 && triangles != count_serially()) fail("The number of triangles is wrong");
  report("triangle_count", "get", iterations, 0);
  shmem_barrier_all();
  shmem_finalize();
  return 0;
}
