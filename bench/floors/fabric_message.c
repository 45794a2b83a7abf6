// The round trip of a message over libfabric, sent from a buffer that is free on return.
// fabric_message <provider> <bytes> polls|sleeps [seconds]
#include "fabric.h"

#define RECEIVES 16
#define ROOM 4096

static struct fi_context2 contexts[RECEIVES];
static int next_receive;

static void receive(fabric *f, int slot) {
  struct iovec vector = {f->memory + (size_t)(slot + 1) * ROOM, ROOM};
  struct fi_msg message = {.msg_iov = &vector, .desc = &f->desc, .iov_count = 1,
                           .addr = FI_ADDR_UNSPEC, .context = &contexts[slot]};
  check((int)fi_recvmsg(f->ep, &message, FI_COMPLETION), "fi_recvmsg");
}

static void send_word(fabric *f, size_t bytes, uint64_t word) {
  memcpy(f->memory, &word, sizeof word);
  struct fi_cq_msg_entry entries[COMPLETIONS];
  for (;;) {
    ssize_t code = fi_inject(f->ep, f->memory, bytes, f->peer);
    if (code == 0) return;
    if (code != -FI_EAGAIN) check((int)code, "fi_inject");
    if (fabric_poll(f, entries, 0) > 0) fail("A message came too early");
  }
}

// Waits for a message; returns its first word, or -1 once rank 0 has done.
static uint64_t await_word(fabric *f) {
  struct fi_cq_msg_entry entries[COMPLETIONS];
  int came = 0;
  while (came == 0) {
    came = fabric_poll(f, entries, 1);
    if (came == 0 && f->shared->done) return UINT64_MAX;
  }
  if (came != 1 || entries[0].op_context != &contexts[next_receive]) fail("Unexpected completions");
  uint64_t word;
  memcpy(&word, f->memory + (size_t)(next_receive + 1) * ROOM, sizeof word);
  receive(f, next_receive);
  next_receive = (next_receive + 1) % RECEIVES;
  return word;
}

int main(int argc, char **argv) {
  const char *provider = argument(argc, argv, 1, "tcp;ofi_rxm");
  size_t bytes = strtoull(argument(argc, argv, 2, "64"), NULL, 10);
  int sleeps = strcmp(argument(argc, argv, 3, "polls"), "sleeps") == 0;
  double seconds = strtod(argument(argc, argv, 4, "0.3"), NULL);
  if (bytes < 8 || bytes > ROOM) fail("A message has to be from 8 to 4096 bytes");
  fabric f = fabric_open(provider, ROOM * (RECEIVES + 1), sleeps);
  for (int slot = 0; slot < RECEIVES; slot++) receive(&f, slot);
  fabric_barrier(&f);
  if (f.rank == 0) {
    uint64_t count = 1;
    double elapsed;
    for (;;) {
      double start = seconds_now();
      for (uint64_t i = 0; i < count; i++) {
        send_word(&f, bytes, i);
        if (await_word(&f) != i + 1) fail("The answer is wrong");
      }
      elapsed = seconds_now() - start;
      if (elapsed >= seconds) break;
      double factor = seconds / (elapsed + 1e-9) * 1.1;
      count = (uint64_t)((double)count * (factor > 100 ? 100 : factor)) + 1;
    }
    f.shared->done = 1;
    print_metric("round trip", elapsed / (double)count * 1e6, "us");
  } else {
    for (uint64_t word; (word = await_word(&f)) != UINT64_MAX;) send_word(&f, bytes, word + 1);
  }
  fabric_barrier(&f);
  return fabric_close(&f);
}
