// Copy bandwidth of one thread from one buffer into another.
// memcpy <bytes> <seconds>
#include "measure.h"

int main(int argc, char **argv) {
  size_t bytes = strtoull(argument(argc, argv, 1, "4194304"), NULL, 10);
  double seconds = strtod(argument(argc, argv, 2, "0.3"), NULL);
  pin_thread(0);
  char *source = huge_alloc(bytes), *target = huge_alloc(bytes);
  memset(source, 1, bytes);
  size_t batch = bytes >= ((size_t)16 << 20) ? 1 : ((size_t)16 << 20) / bytes;
  double best = 0, end = seconds_now() + seconds;
  do {
    double start = seconds_now();
    for (size_t i = 0; i < batch; i++) {
      memcpy(target, source, bytes);
      __asm__ volatile("" : : "r"(target), "r"(source) : "memory");
    }
    double rate = (double)bytes * (double)batch / (seconds_now() - start) * 1e-9;
    if (rate > best) best = rate;
  } while (seconds_now() < end);
  if (memcmp(source, target, bytes) != 0) fail("The copy differs from its source");
  print_metric("memcpy", best, "GB/s");
  return 0;
}
