// A dissemination barrier of threads: in round k each thread posts to the one 2^k further on.
// barrier <threads> <spins> <yields> <seconds>
#include "wait.h"

#define THREADS_MAX 64
#define ROUNDS_MAX 6

static wait_word flags[THREADS_MAX][ROUNDS_MAX];
static int threads_count, spins, yields;
static uint32_t last_epoch;
static double run_seconds;
static pthread_barrier_t gate;

static void barrier(int id, uint32_t epoch) {
  for (int round = 0; 1 << round < threads_count; round++) {
    word_post(&flags[(id + (1 << round)) % threads_count][round], epoch);
    word_wait(&flags[id][round], epoch, spins, yields);
  }
}

// Thread 0 looks at the clock. What it announces before it enters an epoch, all know when they
// leave it.
static void *run(void *argument) {
  int id = (int)(intptr_t)argument;
  pin_thread(id);
  pthread_barrier_wait(&gate);
  double end = seconds_now() + run_seconds;
  for (uint32_t epoch = 1; epoch <= last_epoch; epoch++) {
    if (id == 0 && epoch % 64 == 0 && seconds_now() > end) last_epoch = epoch;
    barrier(id, epoch);
  }
  return NULL;
}

// Returns the seconds of one barrier.
static double timed(double seconds) {
  pthread_t threads[THREADS_MAX];
  run_seconds = seconds;
  last_epoch = UINT32_MAX / 4;
  memset(flags, 0, sizeof flags);
  pthread_barrier_init(&gate, NULL, (unsigned)threads_count + 1);
  for (int t = 0; t < threads_count; t++) {
    pthread_create(&threads[t], NULL, run, (void *)(intptr_t)t);
  }
  pthread_barrier_wait(&gate);
  double start = seconds_now();
  for (int t = 0; t < threads_count; t++) pthread_join(threads[t], NULL);
  return (seconds_now() - start) / last_epoch;
}

int main(int argc, char **argv) {
  threads_count = atoi(argument(argc, argv, 1, "2"));
  spins = atoi(argument(argc, argv, 2, "1000"));
  yields = atoi(argument(argc, argv, 3, "0"));
  double seconds = strtod(argument(argc, argv, 4, "0.3"), NULL);
  if (threads_count < 1 || threads_count > THREADS_MAX) fail("Threads are from 1 to 64");
  timed(seconds / 10);
  print_metric("barrier", timed(seconds) * 1e6, "us");
  return 0;
}
