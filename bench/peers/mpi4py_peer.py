"""mpi4py, the cases that a Python program would write in its place.

mpi4py_peer.py pickled|buffer|rate|barrier|histogram|gather|idle|hello [seconds]
mpi4py_peer.py exchange_histogram|exchange_gather|exchange_fetch_add|exchange_scatter [seconds],
which need NumPy
"""
import collections
import random
import sys
import time
from array import array

from mpi4py import MPI

world = MPI.COMM_WORLD
rank, ranks = world.Get_rank(), world.Get_size()
LENGTH = 1 << 20
BATCH = 1 << 16


def report(metric, value, unit):
    if rank == 0:
        print('{"metric":"%s","value":%.6g,"unit":"%s"}' % (metric, value, unit), flush=True)


def calibrated(work, seconds):
    """Seconds of one repetition, repeated until rank 0 sees that it fills the time asked for."""
    count = 1
    while True:
        world.Barrier()
        start = time.perf_counter()
        work(count)
        world.Barrier()
        elapsed = time.perf_counter() - start
        following = 0
        if elapsed < seconds:
            following = int(count * min(100, seconds / elapsed * 1.1)) + 1
        following = world.bcast(following)
        if following == 0:
            return elapsed / count
        count = following


def pickled(count):
    other = rank ^ 1
    for i in range(count):
        if rank % 2 == 0:
            world.send({"index": i}, other)
        world.recv(source=other)
        if rank % 2 == 1:
            world.send({"index": i}, other)


def buffers(count):
    word, other = array("Q", [0]), rank ^ 1
    for _ in range(count):
        if rank % 2 == 0:
            world.Send(word, other)
        world.Recv(word, other)
        if rank % 2 == 1:
            world.Send(word, other)


def stream(count):
    word = array("I", [1, 1])
    table = [0] * 65536
    for _ in range(count):
        if rank == 0:
            world.Send(word, 1)
        elif rank == 1:
            world.Recv(word, 0)
            table[word[0]] += word[1]


def barriers(count):
    for _ in range(count):
        world.Barrier()


def blocks(places):
    return MPI.UINT64_T.Create_indexed_block(1, places).Commit()


def batches():
    """Random global indices, one batch, split by owner."""
    generator = random.Random(rank)
    owners = [array("i") for _ in range(ranks)]
    for _ in range(BATCH):
        owner, place = divmod(generator.randrange(LENGTH * ranks), LENGTH)
        owners[owner].append(place)
    return owners


def window():
    win = MPI.Win.Allocate(LENGTH * 8, 8, comm=world)
    table = memoryview(win.tomemory()).cast("B").cast("Q")
    return win, table


def histogram(seconds):
    """Accumulate takes no repeated place in one call, so each batch is counted first."""
    win, table = window()
    owners = batches()
    added = 0

    def work(count):
        nonlocal added
        for _ in range(count):
            for owner, places in enumerate(owners):
                counted = collections.Counter(places)
                kind = blocks(array("i", counted.keys()))
                values = array("Q", counted.values())
                win.Accumulate([values, MPI.UINT64_T], owner, [0, 1, kind], MPI.SUM)
                win.Flush(owner)
                kind.Free()
            added += BATCH

    win.Lock_all()
    each = calibrated(work, seconds)
    win.Unlock_all()
    world.Barrier()
    if world.allreduce(sum(table)) != world.allreduce(added):
        sys.exit("The histogram lost updates")
    report("accumulate", BATCH * ranks / each * 1e-6, "M/s")


def gather(seconds):
    win, table = window()
    for i in range(LENGTH):
        table[i] = rank * LENGTH + i
    owners = batches()
    gathered = [array("Q", bytes(8 * len(places))) for places in owners]

    def work(count):
        for _ in range(count):
            for owner, places in enumerate(owners):
                kind = blocks(places)
                win.Get([gathered[owner], MPI.UINT64_T], owner, [0, 1, kind])
                win.Flush(owner)
                kind.Free()

    world.Barrier()
    win.Lock_all()
    each = calibrated(work, seconds)
    win.Unlock_all()
    if gathered[1][0] != LENGTH + owners[1][0]:
        sys.exit("A gathered element is wrong")
    report("get", BATCH * ranks / each * 1e-6, "M/s")


def buckets(numpy):
    """Random global indices, a million a rank, and how many each rank has of them."""
    wanted = numpy.random.default_rng(rank).integers(0, LENGTH * ranks, 1_000_000)
    return wanted, wanted % ranks


def exchange(numpy, indices, owners):
    """Sends each index to its owner; returns what came, the order, and both counts."""
    order = numpy.argsort(owners, kind="stable")
    counts = numpy.bincount(owners, minlength=ranks)
    coming = numpy.empty_like(counts)
    world.Alltoall(counts, coming)
    places = (indices[order] // ranks).astype("u4")
    received = numpy.empty(coming.sum(), "u4")
    world.Alltoallv([places, counts], [received, coming])
    return received, order, counts, coming


def exchange_histogram(seconds):
    import numpy

    table = numpy.zeros(LENGTH, "u8")
    indices, owners = buckets(numpy)
    added = 0

    def work(count):
        nonlocal added
        for _ in range(count):
            received = exchange(numpy, indices, owners)[0]
            table[:] += numpy.bincount(received, minlength=LENGTH).astype("u8")
            added += len(indices)

    each = calibrated(work, seconds)
    if world.allreduce(int(table.sum())) != world.allreduce(added):
        sys.exit("The histogram lost updates")
    report("exchange", len(indices) * ranks / each * 1e-6, "M/s")


def exchange_gather(seconds):
    import numpy

    table = numpy.arange(LENGTH, dtype="u4") * ranks + rank
    indices, owners = buckets(numpy)
    gathered = None

    def work(count):
        nonlocal gathered
        for _ in range(count):
            received, order, counts, coming = exchange(numpy, indices, owners)
            gathered = answer(numpy, table[received], coming, order, counts)

    each = calibrated(work, seconds)
    if not (gathered == indices).all():
        sys.exit("A gathered element is wrong")
    report("exchange", len(indices) * ranks / each * 1e-6, "M/s")


def answer(numpy, values, coming, order, counts):
    """Sends a value for each index that came back to who wanted it, in the order of its list."""
    sorted_values = numpy.empty(len(order), values.dtype)
    world.Alltoallv([values, coming], [sorted_values, counts])
    found = numpy.empty_like(sorted_values)
    found[order] = sorted_values
    return found


def fetch_add(numpy, table, places):
    """Adds one at each place, and tells what was there, however often a place is named."""
    order = numpy.argsort(places, kind="stable")
    in_order = places[order]
    at = numpy.arange(len(places))
    first = numpy.concatenate(([True], in_order[1:] != in_order[:-1]))
    earlier = at - numpy.maximum.accumulate(numpy.where(first, at, 0))
    found = numpy.empty(len(places), "u8")
    found[order] = table[in_order] + earlier.astype("u8")
    table += numpy.bincount(places, minlength=LENGTH).astype("u8")
    return found


def exchange_fetch_add(seconds):
    import numpy

    table = numpy.zeros(LENGTH, "u8")
    indices, owners = buckets(numpy)
    batches, fetched = 0, None

    def work(count):
        nonlocal batches, fetched
        for _ in range(count):
            received, order, counts, coming = exchange(numpy, indices, owners)
            found = fetch_add(numpy, table, received)
            fetched = answer(numpy, found, coming, order, counts)
            batches += 1

    each = calibrated(work, seconds)
    if world.allreduce(int(table.sum())) != world.allreduce(batches * len(indices)):
        sys.exit("The histogram lost updates")
    # Every batch adds the same, and the last one found what all before it had left, and its own.
    once = table // batches
    before = (batches - 1) * once * once + once * (once - 1) // 2
    if world.allreduce(int(before.sum())) != world.allreduce(int(fetched.sum())):
        sys.exit("A fetched element is wrong")
    report("exchange", len(indices) * ranks / each * 1e-6, "M/s")


def exchange_scatter(seconds):
    import numpy

    table = numpy.zeros(LENGTH, "u8")
    indices, owners = buckets(numpy)
    values = indices.astype("u8")

    def work(count):
        for _ in range(count):
            received, order, counts, coming = exchange(numpy, indices, owners)
            written = numpy.empty(len(received), "u8")
            world.Alltoallv([values[order], counts], [written, coming])
            table[received] = written

    each = calibrated(work, seconds)
    received, order, counts, coming = exchange(numpy, indices, owners)
    if not (answer(numpy, table[received], coming, order, counts) == values).all():
        sys.exit("A written element is wrong")
    report("exchange", len(indices) * ranks / each * 1e-6, "M/s")


def idle(seconds):
    """The last rank sleeps and holds up a barrier in which the others wait."""
    world.Barrier()
    before = time.process_time()
    if rank == ranks - 1:
        time.sleep(seconds)
    world.Barrier()
    burnt = world.allreduce(time.process_time() - before)
    report("idle", burnt / seconds * 100, "% of a core")


def main():
    mode = sys.argv[1] if len(sys.argv) > 1 else "hello"
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 0.3
    if mode == "pickled":
        report("pickled round trip", calibrated(pickled, seconds) * 1e6, "us")
    elif mode == "buffer":
        report("buffer round trip", calibrated(buffers, seconds) * 1e6, "us")
    elif mode == "rate":
        report("rate", 1e-6 / calibrated(stream, seconds), "M/s")
    elif mode == "barrier":
        report("barrier", calibrated(barriers, seconds) * 1e6, "us")
    elif mode == "histogram":
        histogram(seconds)
    elif mode == "gather":
        gather(seconds)
    elif mode == "exchange_histogram":
        exchange_histogram(seconds)
    elif mode == "exchange_gather":
        exchange_gather(seconds)
    elif mode == "exchange_fetch_add":
        exchange_fetch_add(seconds)
    elif mode == "exchange_scatter":
        exchange_scatter(seconds)
    elif mode == "idle":
        idle(seconds)
    else:
        print(f"hello from rank {rank} of {ranks}")


main()
