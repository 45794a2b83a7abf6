"""The programs of the suite in mpi4py and NumPy, as they are written there: in rounds, where each
rank sorts what it has for the others by owner, and all exchange it at once.

mpi4py_suite.py histo|index_gather [updates a rank] [iterations] [elements a rank]
mpi4py_suite.py randperm [numbers on all ranks] [target factor] [iterations]
mpi4py_suite.py triangle_count [scale] [iterations]
"""
import json
import statistics
import sys
import time

import numpy
from mpi4py import MPI

world = MPI.COMM_WORLD
rank, ranks = world.Get_rank(), world.Get_size()


def timed_runs(iterations, run, prepare=lambda: None):
    """Seconds of each iteration, from when all ranks are ready to when all are done."""
    seconds = []
    for _ in range(iterations):
        prepare()
        world.Barrier()
        start = time.perf_counter()
        run()
        world.Barrier()
        seconds.append(time.perf_counter() - start)
    return seconds


def check(correct, problem):
    """Ends all ranks with the problem, unless the result is correct on each of them."""
    if not world.allreduce(int(bool(correct)), MPI.MIN):
        sys.exit(problem)


def report(program, variant, seconds, updates=None):
    if rank != 0:
        return
    steady = statistics.median(seconds[len(seconds) // 2:])
    line = {"program": program, "variant": variant, "pes": ranks, "iterations": len(seconds),
            "seconds": steady}
    if updates is not None:
        line.update(updates=updates, mups=updates * 1e-6 / steady)
    print(json.dumps({**line, "verified": True}, separators=(",", ":")), flush=True)


class Exchange:
    """Items sorted by their owners, and how many come from each rank."""

    def __init__(self, owners):
        self.order = numpy.argsort(owners, kind="stable")
        self.counts = numpy.bincount(owners, minlength=ranks)
        self.coming = numpy.empty_like(self.counts)
        world.Alltoall(self.counts, self.coming)

    def there(self, items):
        """Sends each item to its owner; returns those that came here."""
        received = numpy.empty(self.coming.sum(), items.dtype)
        world.Alltoallv([items[self.order], self.counts], [received, self.coming])
        return received

    def back(self, answers):
        """Sends an answer for each item that came back; returns them in the order of the items."""
        received = numpy.empty(len(self.order), answers.dtype)
        world.Alltoallv([answers, self.coming], [received, self.counts])
        found = numpy.empty_like(received)
        found[self.order] = received
        return found


def histo(updates=1000, iterations=1, length=1_000_000):
    table = numpy.zeros(length, "u8")
    indices = numpy.random.default_rng(rank).integers(0, length * ranks, updates)

    def run():
        places = Exchange(indices % ranks).there((indices // ranks).astype("u4"))
        table[:] += numpy.bincount(places, minlength=length).astype("u8")

    seconds = timed_runs(iterations, run)
    total = world.allreduce(int(table.sum()))
    check(total == updates * ranks * iterations, "The table lost updates")
    report("histo", "all_to_all", seconds, updates * ranks)


def index_gather(reads=1000, iterations=1, length=1_000_000):
    table = numpy.arange(length, dtype="u8") * ranks + rank
    indices = numpy.random.default_rng(rank).integers(0, length * ranks, reads)
    target = None

    def run():
        nonlocal target
        exchange = Exchange(indices % ranks)
        places = exchange.there((indices // ranks).astype("u4"))
        target = exchange.back(table[places])

    seconds = timed_runs(iterations, run)
    check((target == indices).all(), "A gathered element is wrong")
    report("index_gather", "all_to_all", seconds, reads * ranks)


def randperm(count=1000, factor=10, iterations=1):
    """Darts that meet a free place stay; of several at once the first one does."""
    length = count * factor
    generator = numpy.random.default_rng(rank)
    free = -1
    target = permutation = None

    def prepare():
        nonlocal target
        target = numpy.full((length - rank + ranks - 1) // ranks, free, "i8")

    def run():
        nonlocal permutation
        darts = numpy.arange(rank, count, ranks)
        while world.allreduce(len(darts)) > 0:
            places = generator.integers(0, length, len(darts))
            exchange = Exchange(places % ranks)
            at = exchange.there(places // ranks)
            values = exchange.there(darts)
            stay = numpy.zeros(len(at), bool)
            stay[numpy.unique(at, return_index=True)[1]] = True
            stay &= target[at] == free
            target[at[stay]] = values[stay]
            darts = darts[~exchange.back(stay)]
        permutation = in_blocks(target[target != free], count)

    seconds = timed_runs(iterations, run, prepare)
    everything = world.gather(permutation)
    correct = True
    if rank == 0:
        values = numpy.concatenate(everything)
        correct = len(values) == count and values.sum() == count * (count - 1) // 2
        correct = correct and (numpy.sort(values) == numpy.arange(count)).all()
    check(correct, "It is not a permutation")
    report("randperm", "all_to_all", seconds)


def in_blocks(mine, count):
    """What all ranks have, in their order, in blocks of the same size."""
    first = world.exscan(len(mine)) or 0
    block = -(-count // ranks)
    return Exchange((first + numpy.arange(len(mine))) // block).there(mine)


EDGE_FACTOR = 16
SEED = 1
# Of 2^32: the quarters of the adjacency matrix get 57, 19, 19 and 5 of 100 edges.
A, AB, ABC = 2448131358, 3264175144, 4080218931


def hash_of(values):
    values = (values ^ values >> numpy.uint32(16)) * numpy.uint32(0x85EBCA6B)
    values = (values ^ values >> numpy.uint32(13)) * numpy.uint32(0xC2B2AE35)
    return values ^ values >> numpy.uint32(16)


def kronecker(scale):
    """The smaller and the larger end of each edge of the graph of programs/graph.ts."""
    edges = EDGE_FACTOR << scale
    offset = hash_of(numpy.array([SEED], "u4"))
    numbers = numpy.arange(edges, dtype="u4") * numpy.uint32(scale)
    rows, columns = numpy.zeros((2, edges), "u4")
    for bit in range(scale):
        random = hash_of(numbers + numpy.uint32(bit) + offset)
        rows = rows << numpy.uint32(1) | (random >= AB)
        columns = columns << numpy.uint32(1) | (random >= ABC) | ((random >= A) & (random < AB))
    different = rows != columns
    return (numpy.minimum(rows, columns)[different].astype("i8"),
            numpy.maximum(rows, columns)[different].astype("i8"))


def smaller_neighbours(smaller, larger, nodes, first, step):
    """Where the list of each node of one rank starts, and the lists, sorted."""
    mine = larger % step == first
    pairs = numpy.unique((larger[mine] // step) * nodes + smaller[mine])
    counts = numpy.bincount(pairs // nodes, minlength=-(-(nodes - first) // step))
    return numpy.concatenate(([0], numpy.cumsum(counts))), pairs % nodes


def all_lists(starts, lists):
    """The lists of the nodes of all ranks, rank by rank."""
    lengths = world.allgather(len(lists))
    everything = numpy.empty(sum(lengths), "i8")
    world.Allgatherv(lists, [everything, lengths])
    offsets = numpy.cumsum([0] + lengths)
    return [(all_starts, everything[offsets[r]:offsets[r + 1]])
            for r, all_starts in enumerate(world.allgather(starts))]


def triangles_of(part, wanted, nodes, first, step):
    """Triangles of the lists whose middle node is one of every `step`-th from `first`."""
    starts, lists = part
    marked = numpy.zeros(nodes, bool)
    found = 0
    for begin, end in zip(wanted[0][:-1], wanted[0][1:]):
        members = wanted[1][begin:end]
        middles = members[members % step == first] // step
        if len(middles) == 0:
            continue
        marked[members] = True
        lengths = starts[middles + 1] - starts[middles]
        before = numpy.cumsum(lengths) - lengths
        places = numpy.arange(lengths.sum()) + numpy.repeat(starts[middles] - before, lengths)
        found += int(numpy.count_nonzero(marked[lists[places]]))
        marked[members] = False
    return found


def triangle_count(scale=14, iterations=1):
    nodes = 1 << scale
    smaller, larger = kronecker(scale)
    mine = smaller_neighbours(smaller, larger, nodes, rank, ranks)
    triangles = 0

    def run():
        nonlocal triangles
        found = sum(triangles_of(mine, part, nodes, rank, ranks) for part in all_lists(*mine))
        triangles = world.allreduce(found)

    seconds = timed_runs(iterations, run)
    correct = True
    if rank == 0:
        everything = smaller_neighbours(smaller, larger, nodes, 0, 1)
        correct = triangles == triangles_of(everything, everything, nodes, 0, 1)
    check(correct, "The number of triangles is wrong")
    report("triangle_count", "all_gather", seconds)


PROGRAMS = {program.__name__: program for program in [histo, index_gather, randperm, triangle_count]}
PROGRAMS[sys.argv[1]](*map(int, sys.argv[2:]))
