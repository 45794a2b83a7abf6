/**
 * A process of an MPI job by MPICH, whose PMI client is not ours: sums the ranks, and with an
 * argument aborts on rank 1 with that exit code. The handles are those of MPICH's ABI.
 */

const COMM_WORLD = 0x44000000;
const INT = 0x4c000405;
const SUM = 0x58000003;

const { symbols: mpi } = Deno.dlopen("libmpich.so.12", {
  MPI_Init: { parameters: ["pointer", "pointer"], result: "i32" },
  MPI_Comm_rank: { parameters: ["i32", "buffer"], result: "i32" },
  MPI_Comm_size: { parameters: ["i32", "buffer"], result: "i32" },
  MPI_Allreduce: {
    parameters: ["buffer", "buffer", "i32", "i32", "i32", "i32"],
    result: "i32",
  },
  MPI_Barrier: { parameters: ["i32"], result: "i32" },
  MPI_Abort: { parameters: ["i32", "i32"], result: "i32" },
  MPI_Finalize: { parameters: [], result: "i32" },
});

mpi.MPI_Init(null, null);
const [rank, size, sum] = [new Int32Array(1), new Int32Array(1), new Int32Array(1)];
mpi.MPI_Comm_rank(COMM_WORLD, rank);
mpi.MPI_Comm_size(COMM_WORLD, size);
mpi.MPI_Allreduce(rank, sum, 1, INT, SUM, COMM_WORLD);
const exitCode = Deno.args[0];
if (exitCode !== undefined && rank[0] === 1) mpi.MPI_Abort(COMM_WORLD, Number(exitCode));
if (exitCode !== undefined) mpi.MPI_Barrier(COMM_WORLD);
console.log(`rank ${rank[0]} of ${size[0]}, sum ${sum[0]}`);
mpi.MPI_Finalize();
