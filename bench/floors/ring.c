// A single-producer, single-consumer byte ring between two threads.
// ring rate <updates a message> <messages published at once> <seconds>
//   Each message is a length and that many u32 indices; the consumer counts them in a table.
// ring latency <pairs of threads> <spins> <yields> <seconds>
//   One word there, one word back.
#include "wait.h"

#define RING_BYTES ((size_t)256 << 10)
#define TABLE_LENGTH 65536u
#define PAIRS_MAX 8

static struct {
  _Alignas(CACHE_LINE) uint64_t written;
  _Alignas(CACHE_LINE) uint64_t read;
} cursor;
static uint8_t *ring;
static uint32_t *table, *indices;
static size_t updates, published_at_once;
static uint64_t messages;
static pthread_barrier_t gate;

// Frames are padded to 8 bytes and never wrap: the rest of the ring is skipped by a length of ~0.
static size_t frame_bytes(size_t count) { return (4 + count * 4 + 7) / 8 * 8; }

static void wait_for_space(uint64_t at, size_t bytes, uint64_t *seen_read) {
  while (at + bytes - *seen_read > RING_BYTES) {
    *seen_read = __atomic_load_n(&cursor.read, __ATOMIC_ACQUIRE);
  }
}

static void produce(void) {
  uint64_t at = 0, seen_read = 0;
  size_t bytes = frame_bytes(updates), pending = 0, next = 0;
  for (uint64_t m = 0; m < messages; m++) {
    size_t offset = at % RING_BYTES, left = RING_BYTES - offset;
    if (left < bytes) {
      __atomic_store_n(&cursor.written, at, __ATOMIC_RELEASE);
      wait_for_space(at, left, &seen_read);
      *(uint32_t *)(ring + offset) = ~0u;
      at += left;
      offset = 0;
    }
    if (at + bytes - seen_read > RING_BYTES) {
      __atomic_store_n(&cursor.written, at, __ATOMIC_RELEASE);
      wait_for_space(at, bytes, &seen_read);
    }
    uint32_t *frame = (uint32_t *)(ring + offset);
    frame[0] = (uint32_t)updates;
    memcpy(frame + 1, indices + next, updates * 4);
    next = (next + updates) % TABLE_LENGTH;
    at += bytes;
    if (++pending == published_at_once) {
      pending = 0;
      __atomic_store_n(&cursor.written, at, __ATOMIC_RELEASE);
    }
  }
  __atomic_store_n(&cursor.written, at, __ATOMIC_RELEASE);
}

static void consume(void) {
  uint64_t at = 0, received = 0;
  while (received < messages) {
    uint64_t written = __atomic_load_n(&cursor.written, __ATOMIC_ACQUIRE);
    if (written == at) continue;
    while (at < written) {
      const uint32_t *frame = (const uint32_t *)(ring + at % RING_BYTES);
      if (frame[0] == ~0u) {
        at += RING_BYTES - at % RING_BYTES;
        continue;
      }
      for (uint32_t i = 1; i <= frame[0]; i++) table[frame[i]]++;
      at += frame_bytes(frame[0]);
      received++;
      // Freeing in steps keeps the producer running without a shared store for every message.
      if (published_at_once == 1 && received % 16 == 0) {
        __atomic_store_n(&cursor.read, at, __ATOMIC_RELEASE);
      }
    }
    __atomic_store_n(&cursor.read, at, __ATOMIC_RELEASE);
  }
}

static void *produce_thread(void *unused) {
  (void)unused;
  pin_thread(1);
  pthread_barrier_wait(&gate);
  produce();
  return NULL;
}

static double timed_rate(uint64_t count) {
  pthread_t producer;
  pin_thread(0);
  messages = count;
  cursor.written = cursor.read = 0;
  pthread_barrier_init(&gate, NULL, 2);
  pthread_create(&producer, NULL, produce_thread, NULL);
  pthread_barrier_wait(&gate);
  double start = seconds_now();
  consume();
  double elapsed = seconds_now() - start;
  pthread_join(producer, NULL);
  return elapsed;
}

static void rate(double seconds) {
  ring = huge_alloc(RING_BYTES);
  table = huge_alloc(TABLE_LENGTH * sizeof *table);
  indices = random_indices(TABLE_LENGTH * 2, TABLE_LENGTH, 1);
  uint64_t count = 200000 / updates + 1, total = count;
  double once = timed_rate(count);
  count = (uint64_t)((double)count * seconds / once) + 1;
  total += count;
  double elapsed = timed_rate(count);
  uint32_t sum = 0;
  for (size_t i = 0; i < TABLE_LENGTH; i++) sum += table[i];
  if (sum != (uint32_t)(total * updates)) fail("The ring lost updates");
  print_metric("ring rate", (double)(count * updates) / elapsed * 1e-6, "M/s");
}

// Waiting has two modes, awake or asleep, a hundred times apart, so that no count of rounds can be
// told beforehand: side 0 of each pair looks at the clock and announces the last round.
typedef struct {
  wait_word words[2];
  _Alignas(CACHE_LINE) uint32_t last;
} ping_pong_pair;

static ping_pong_pair pairs[PAIRS_MAX];
static int pairs_count, spins, yields;
static double latency_seconds;

static void *ping_pong(void *argument) {
  int id = (int)(intptr_t)argument, side = id % 2;
  ping_pong_pair *pair = &pairs[id / 2];
  pin_thread(id);
  pthread_barrier_wait(&gate);
  double end = seconds_now() + latency_seconds;
  for (uint32_t i = 1; i <= pair->last; i++) {
    if (side == 0) {
      if (i % 64 == 0 && seconds_now() > end) pair->last = i;
      word_post(&pair->words[0], i);
    }
    word_wait(&pair->words[1 - side], i, spins, yields);
    if (side == 1) word_post(&pair->words[1], i);
  }
  return NULL;
}

// Returns the seconds of one round trip of the first pair.
static double timed_latency(double seconds) {
  pthread_t threads[PAIRS_MAX * 2];
  latency_seconds = seconds;
  memset(pairs, 0, sizeof pairs);
  for (int p = 0; p < pairs_count; p++) pairs[p].last = UINT32_MAX / 4;
  pthread_barrier_init(&gate, NULL, (unsigned)pairs_count * 2 + 1);
  for (int t = 0; t < pairs_count * 2; t++) {
    pthread_create(&threads[t], NULL, ping_pong, (void *)(intptr_t)t);
  }
  pthread_barrier_wait(&gate);
  double start = seconds_now();
  pthread_join(threads[0], NULL);
  double elapsed = seconds_now() - start;
  for (int t = 1; t < pairs_count * 2; t++) pthread_join(threads[t], NULL);
  return elapsed / pairs[0].last;
}

int main(int argc, char **argv) {
  int rates = strcmp(argument(argc, argv, 1, "rate"), "rate") == 0;
  int first = atoi(argument(argc, argv, 2, "1")), second = atoi(argument(argc, argv, 3, "1"));
  double seconds = strtod(argument(argc, argv, rates ? 4 : 5, "0.3"), NULL);
  if (rates) {
    updates = (size_t)first;
    published_at_once = (size_t)second;
    rate(seconds);
    return 0;
  }
  if (first < 1 || first > PAIRS_MAX) fail("The number of pairs is from 1 to 8");
  pairs_count = first;
  spins = second;
  yields = atoi(argument(argc, argv, 4, "0"));
  timed_latency(seconds / 10);
  print_metric("ring round trip", timed_latency(seconds) * 1e6, "us");
  return 0;
}
