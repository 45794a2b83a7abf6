// What the floors over libfabric share: two processes on cores of their own, each with an endpoint
// that was opened by the same hints as ours, and registered memory that the other one reaches.
// Included, never compiled by itself.
#ifndef LAMELLAR_BENCH_FABRIC_H
#define LAMELLAR_BENCH_FABRIC_H

#include "measure.h"
#include <errno.h>
#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define NAME_BYTES 256
#define COMPLETIONS 16
// No floor takes longer, whatever happens.
#define LIMIT_SECONDS 50

// What a process tells the other one.
typedef struct {
  char name[NAME_BYTES];
  uint64_t key, base;
  volatile int ready;
} card;

// On memory that both processes have.
typedef struct {
  card cards[2];
  volatile int done;
  volatile int met[2];
} common;

typedef struct {
  int rank, sleeps;
  pid_t other;
  common *shared;
  struct fi_info *info;
  struct fid_fabric *fabric;
  struct fid_domain *domain;
  struct fid_av *av;
  struct fid_cq *cq;
  struct fid_ep *ep;
  struct fid_mr *mr;
  fi_addr_t peer;
  char *memory;
  uint64_t key, base;
  void *desc;
} fabric;

static inline void check(int code, const char *what) {
  if (code >= 0) return;
  fprintf(stderr, "%s: %s\n", what, fi_strerror(-code));
  exit(1);
}

static inline struct fi_info *fabric_info(const char *provider) {
  struct fi_info *hints = fi_allocinfo(), *found = NULL, *info;
  hints->caps = FI_MSG | FI_RMA | FI_READ | FI_WRITE | FI_SEND | FI_RECV | FI_REMOTE_READ |
                FI_REMOTE_WRITE;
  hints->mode = FI_CONTEXT | FI_CONTEXT2;
  hints->ep_attr->type = FI_EP_RDM;
  hints->tx_attr->msg_order = hints->rx_attr->msg_order = FI_ORDER_SAS;
  hints->domain_attr->mr_mode =
      FI_MR_LOCAL | FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY | FI_MR_ENDPOINT;
  hints->domain_attr->threading = FI_THREAD_SAFE;
  hints->domain_attr->resource_mgmt = FI_RM_ENABLED;
  hints->fabric_attr->prov_name = strdup(provider);
  check(fi_getinfo(FI_VERSION(1, 17), NULL, NULL, 0, hints, &found), "fi_getinfo");
  for (info = found; info != NULL; info = info->next) {
    if (strcmp(info->fabric_attr->prov_name, provider) == 0) break;
  }
  if (info == NULL) fail("There is no such provider");
  info = fi_dupinfo(info);
  fi_freeinfo(found);
  fi_freeinfo(hints);
  return info;
}

static inline void fabric_queue(fabric *f) {
  struct fi_cq_attr attr = {.format = FI_CQ_FORMAT_MSG};
  attr.size = f->info->tx_attr->size + f->info->rx_attr->size;
  const enum fi_wait_obj ways[] = {FI_WAIT_FD, FI_WAIT_UNSPEC, FI_WAIT_NONE};
  int code = -FI_ENOSYS;
  for (int i = 0; i < 3 && code != 0; i++) {
    attr.wait_obj = ways[i];
    code = fi_cq_open(f->domain, &attr, &f->cq, NULL);
  }
  check(code, "fi_cq_open");
}

static inline void fabric_meet(fabric *f) {
  card *own = &f->shared->cards[f->rank], *others = &f->shared->cards[f->rank ^ 1];
  size_t length = NAME_BYTES;
  check(fi_getname(&f->ep->fid, own->name, &length), "fi_getname");
  own->key = fi_mr_key(f->mr);
  own->base = f->info->domain_attr->mr_mode & FI_MR_VIRT_ADDR ? (uint64_t)f->memory : 0;
  own->ready = 1;
  while (!others->ready) usleep(100);
  if (fi_av_insert(f->av, others->name, 1, &f->peer, 0, NULL) != 1) fail("fi_av_insert failed");
  f->key = others->key;
  f->base = others->base;
}

// Makes the second process, and in each an endpoint with registered memory. A process that sleeps
// waits in fi_cq_sread, as a PE's process does whose PEs wait; else it polls.
static inline fabric fabric_open(const char *provider, size_t bytes, int sleeps) {
  fabric f = {.sleeps = sleeps};
  f.shared = mmap(NULL, sizeof *f.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (f.shared == MAP_FAILED) fail("Cannot map memory");
  pid_t parent = getpid();
  f.other = fork();
  if (f.other < 0) fail("Cannot fork");
  f.rank = f.other == 0;
  if (f.rank == 1) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) exit(1);
  }
  alarm(LIMIT_SECONDS);
  pin_thread(f.rank);
  f.info = fabric_info(provider);
  check(fi_fabric(f.info->fabric_attr, &f.fabric, NULL), "fi_fabric");
  check(fi_domain(f.fabric, f.info, &f.domain, NULL), "fi_domain");
  struct fi_av_attr av = {.type = FI_AV_TABLE};
  check(fi_av_open(f.domain, &av, &f.av, NULL), "fi_av_open");
  fabric_queue(&f);
  check(fi_endpoint(f.domain, f.info, &f.ep, NULL), "fi_endpoint");
  check(fi_ep_bind(f.ep, &f.av->fid, 0), "fi_ep_bind");
  uint64_t flags = FI_TRANSMIT | FI_RECV | FI_SELECTIVE_COMPLETION;
  check(fi_ep_bind(f.ep, &f.cq->fid, flags), "fi_ep_bind");
  check(fi_enable(f.ep), "fi_enable");
  f.memory = huge_alloc(bytes);
  uint64_t access = FI_SEND | FI_RECV | FI_READ | FI_WRITE | FI_REMOTE_READ | FI_REMOTE_WRITE;
  check(fi_mr_reg(f.domain, f.memory, bytes, access, 0, 0, 0, &f.mr, NULL), "fi_mr_reg");
  f.desc = fi_mr_desc(f.mr);
  fabric_meet(&f);
  return f;
}

// Reads completions; returns how many there were. A wait in vain is short, to see the end.
static inline int fabric_poll(fabric *f, struct fi_cq_msg_entry *entries, int wait) {
  ssize_t code = wait && f->sleeps ? fi_cq_sread(f->cq, entries, COMPLETIONS, NULL, 10)
                                   : fi_cq_read(f->cq, entries, COMPLETIONS);
  if (code == -FI_EAGAIN || code == -FI_EINTR) return 0;
  if (code == -FI_EAVAIL) {
    struct fi_cq_err_entry failed = {0};
    fi_cq_readerr(f->cq, &failed, 0);
    check(-failed.err, "an operation");
  }
  check((int)code, "fi_cq_read");
  return (int)code;
}

// Both processes come here before either goes on; each makes progress meanwhile.
static inline void fabric_barrier(fabric *f) {
  struct fi_cq_msg_entry entries[COMPLETIONS];
  int round = ++f->shared->met[f->rank];
  while (f->shared->met[f->rank ^ 1] < round) fabric_poll(f, entries, 0);
}

static inline int fabric_close(fabric *f) {
  int status = 0;
  fi_close(&f->ep->fid);
  fi_close(&f->mr->fid);
  fi_close(&f->cq->fid);
  fi_close(&f->av->fid);
  fi_close(&f->domain->fid);
  fi_close(&f->fabric->fid);
  if (f->rank == 1) return 0;
  if (waitpid(f->other, &status, 0) != f->other || status != 0) fail("The other process failed");
  return 0;
}

#endif
