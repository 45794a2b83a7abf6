// Two threads, each the sum of its half of an array.
// sum f64|u64 <elements> <seconds>
#include "measure.h"

#define THREADS 2

typedef struct {
  int id;
  double result;
} worker;

static double *reals;
static uint64_t *integers;
static size_t half;
static int repeats;
static pthread_barrier_t gate;

static double pass(int id) {
  size_t from = (size_t)id * half;
  if (reals) {
    // Eight sums at once, as any order of additions allows.
    double sums[8] = {0};
    for (size_t i = 0; i < half; i += 8) {
      for (int j = 0; j < 8; j++) sums[j] += reals[from + i + (size_t)j];
    }
    double sum = 0;
    for (int j = 0; j < 8; j++) sum += sums[j];
    return sum;
  }
  uint64_t sum = 0;
  for (size_t i = 0; i < half; i++) sum += integers[from + i];
  return (double)sum;
}

static void *run(void *argument) {
  worker *self = argument;
  pin_thread(self->id);
  for (int i = 0; i < repeats; i++) {
    pthread_barrier_wait(&gate);
    self->result = pass(self->id);
    __asm__ volatile("" : : : "memory");
    pthread_barrier_wait(&gate);
  }
  return NULL;
}

int main(int argc, char **argv) {
  int is_real = strcmp(argument(argc, argv, 1, "f64"), "f64") == 0;
  size_t length = strtoull(argument(argc, argv, 2, "10000000"), NULL, 10) / 16 * 16;
  double seconds = strtod(argument(argc, argv, 3, "0.3"), NULL);
  half = length / THREADS;
  void *memory = huge_alloc(length * 8);
  if (is_real) reals = memory;
  else integers = memory;
  for (size_t i = 0; i < length; i++) {
    if (is_real) reals[i] = 3;
    else integers[i] = 3;
  }
  repeats = (int)(seconds * 100) + 1;
  worker workers[THREADS];
  pthread_t thread;
  pthread_barrier_init(&gate, NULL, THREADS);
  for (int t = 0; t < THREADS; t++) workers[t].id = t;
  pthread_create(&thread, NULL, run, &workers[1]);
  pin_thread(0);
  double best = 1e9;
  for (int i = 0; i < repeats; i++) {
    pthread_barrier_wait(&gate);
    double start = seconds_now();
    workers[0].result = pass(0);
    pthread_barrier_wait(&gate);
    double elapsed = seconds_now() - start;
    if (elapsed < best) best = elapsed;
  }
  pthread_join(thread, NULL);
  if (workers[0].result + workers[1].result != 3.0 * (double)length) fail("The sum is wrong");
  print_metric("sum", best * 1e3, "ms");
  return 0;
}
