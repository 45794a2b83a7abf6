// Puts and gets over libfabric: bandwidth, or the time of one, with a window of them under way.
// fabric_copy <provider> put|get <bytes> <window> GB/s|us polls|sleeps [seconds]
#include "fabric.h"

#define STRETCH_SECONDS 0.02
#define STRETCHES 4096

static struct fi_context2 contexts[256];
static int under_way;

static void post(fabric *f, int put, size_t bytes, int slot) {
  struct iovec vector = {f->memory + bytes, bytes};
  struct fi_rma_iov far = {f->base, bytes, f->key};
  struct fi_msg_rma message = {
      .msg_iov = &vector, .desc = &f->desc, .iov_count = 1, .addr = f->peer,
      .rma_iov = &far, .rma_iov_count = 1, .context = &contexts[slot]};
  struct fi_cq_msg_entry entries[COMPLETIONS];
  for (;;) {
    ssize_t code = put ? fi_writemsg(f->ep, &message, FI_COMPLETION | FI_DELIVERY_COMPLETE)
                       : fi_readmsg(f->ep, &message, FI_COMPLETION);
    if (code == 0) break;
    if (code != -FI_EAGAIN) check((int)code, "fi_writemsg or fi_readmsg");
    under_way -= fabric_poll(f, entries, 0);
  }
  under_way++;
}

static void transfer(fabric *f, int put, size_t bytes, int window, uint64_t rounds) {
  struct fi_cq_msg_entry entries[COMPLETIONS];
  for (uint64_t i = 0; i < rounds; i++) {
    for (int slot = 0; slot < window; slot++) post(f, put, bytes, slot);
    while (under_way > 0) under_way -= fabric_poll(f, entries, 0);
  }
}

static double stretch(fabric *f, int put, size_t bytes, int window, uint64_t rounds) {
  double start = seconds_now();
  transfer(f, put, bytes, window, rounds);
  return seconds_now() - start;
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

// The seconds of a round in the stretch that a tenth of all are faster than: as in measure.ts.
static double fastest_tenth(fabric *f, int put, size_t bytes, int window, double seconds) {
  static double times[STRETCHES];
  uint64_t rounds = 1;
  size_t count = 0;
  while (stretch(f, put, bytes, window, rounds) < STRETCH_SECONDS) rounds *= 2;
  double end = seconds_now() + seconds;
  do times[count++] = stretch(f, put, bytes, window, rounds) / (double)rounds;
  while (seconds_now() < end && count < STRETCHES);
  qsort(times, count, sizeof times[0], ascending);
  return times[count / 10];
}

int main(int argc, char **argv) {
  const char *provider = argument(argc, argv, 1, "tcp;ofi_rxm");
  int put = strcmp(argument(argc, argv, 2, "put"), "put") == 0;
  size_t bytes = strtoull(argument(argc, argv, 3, "8"), NULL, 10);
  int window = atoi(argument(argc, argv, 4, "1"));
  const char *unit = argument(argc, argv, 5, "us");
  int sleeps = strcmp(argument(argc, argv, 6, "polls"), "sleeps") == 0;
  double seconds = strtod(argument(argc, argv, 7, "1"), NULL);
  if (window < 1 || window > 256) fail("The window has to be from 1 to 256");
  fabric f = fabric_open(provider, 2 * bytes, sleeps);
  struct fi_cq_msg_entry entries[COMPLETIONS];
  // The first half is the target of puts and the source of gets, the second the other way round.
  memset(f.memory, f.rank + 1, 2 * bytes);
  fabric_barrier(&f);
  if (f.rank == 0) {
    // As in any runtime, the connection has carried something small before: README.md says why.
    transfer(&f, put, 8, 1, 1);
    double each = fastest_tenth(&f, put, bytes, window, seconds) / window;
    f.shared->done = 1;
    int micros = strcmp(unit, "us") == 0;
    print_metric(put ? "put" : "get", micros ? each * 1e6 : (double)bytes / each * 1e-9, unit);
  } else {
    while (!f.shared->done) fabric_poll(&f, entries, 1);
  }
  fabric_barrier(&f);
  char *changed = f.memory + (put ? 0 : bytes);
  for (size_t i = 0; f.rank == put && i < bytes; i++) {
    if (changed[i] != 2 - put) fail("What was copied differs from its source");
  }
  return fabric_close(&f);
}
