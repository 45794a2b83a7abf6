/**
 * One of the two Workers of the race test: both do the same to the same words, and check the totals
 * after each step.
 *
 * @module
 */

import { instantiateKernels } from "./kernels.ts";
import { Distribution } from "./distribution.ts";
import { writeSpread } from "./kernels_spread.ts";
import { DATA, INDICES, OUT, VALUES } from "./kernels_test_bench.ts";
import { memoryViews } from "./memory_views.ts";

interface Start {
  memory: WebAssembly.Memory;
  module: WebAssembly.Module;
  memory64: boolean;
  pe: number;
}

const ROUNDS = 20_000;
const ABORT = DATA;
/** Two bells, then two byte rings of one word each: tail, head. */
const BELLS = [DATA + 64, DATA + 128] as const;
const TAILS = [DATA + 192, DATA + 256] as const;
const FLAGS = [DATA + 512, DATA + 640] as const;
const TABLES = [DATA + 768, DATA + 832] as const;
const COUNTERS = DATA + 1024;
const SPREADS = [DATA + 2048, DATA + 3072] as const;
const SCRATCHES = [64, 2560] as const;

self.onmessage = ({ data }: MessageEvent<Start>) => self.postMessage(race(data));
self.postMessage("ready");

function race({ memory, module, memory64, pe }: Start): number {
  const kernels = instantiateKernels(memory, { memory64, module, scratch: SCRATCHES[pe]! });
  const views = memoryViews(memory.buffer);
  const [mine, theirs] = [pe, 1 - pe];
  let wrong = 0;
  let sequence = 0;

  const seen = (): number => kernels.load32(BELLS[mine]! + 4);
  const barrier = (): void => {
    views.u32[TABLES[mine]! / 4] = FLAGS[theirs]!;
    views.u32[TABLES[mine]! / 4 + 2] = BELLS[theirs]!;
    sequence++;
    const code = kernels.barrier(
      FLAGS[mine]!,
      TABLES[mine]!,
      1,
      0,
      0,
      1,
      sequence,
      BELLS[mine]!,
      ABORT,
      seen(),
      100,
      5e9,
    );
    if (code !== (1 << 3 | 1)) wrong++;
  };
  const expect = (at: number, total: number): void => {
    barrier();
    if (kernels.load32(at) !== total) wrong++;
    barrier();
  };

  barrier();
  for (let i = 0; i < ROUNDS; i++) kernels.add32(COUNTERS, 1);
  expect(COUNTERS, 2 * ROUNDS);
  for (let i = 0; i < ROUNDS; i++) {
    let old = kernels.load32(COUNTERS);
    for (;;) {
      const now = kernels.cas32(COUNTERS, old, old + 1);
      if (now === old) break;
      old = now;
    }
  }
  expect(COUNTERS, 4 * ROUNDS);

  // A message to and fro, mostly through the futex: one spin only.
  for (let i = 1; i <= 300; i++) {
    if (pe === 0) kernels.publish(TAILS[theirs]!, i, BELLS[theirs]!);
    for (;;) {
      const before = seen();
      if (kernels.load32(TAILS[mine]!) === i) break;
      if (kernels.wait(BELLS[mine]!, ABORT, before, 1, 5e9) === 0) wrong++;
    }
    if (pe === 1) kernels.publish(TAILS[theirs]!, i, BELLS[theirs]!);
  }
  barrier();

  const [u8, u16, u64, f64] = [
    kernels.of("u8"),
    kernels.of("u16"),
    kernels.numbersOf("u64"),
    kernels.of("f64"),
  ];
  const narrow = COUNTERS + 64;
  for (let i = 0; i < ROUNDS; i++) {
    u8.atomicAdd(narrow + pe, 1);
    u8.atomicMul(narrow + theirs, 1);
    u16.atomicSub(narrow + 2, 1);
    f64.atomicAdd(narrow + 8, 0.5);
    f64.atomicMax(narrow + 16, i + pe);
  }
  barrier();
  if (u8.load(narrow + mine) !== ROUNDS % 256) wrong++;
  if (u16.load(narrow + 2) !== 65536 - 2 * ROUNDS % 65536) wrong++;
  if (f64.load(narrow + 8) !== ROUNDS) wrong++;
  if (f64.load(narrow + 16) !== ROUNDS) wrong++;

  // Both add to all of the same few elements; every add has to be in the sum.
  const [indices, values] = [INDICES + pe * 4096, VALUES + pe * 64];
  const out = OUT + pe * 64;
  writeSpread(views.u32, SPREADS[mine]!, {
    bases: [COUNTERS + 256, COUNTERS + 512],
    distribution: new Distribution("block", 2, 16),
    elementBytes: 8,
  });
  for (let i = 0; i < 1000; i++) views.u32[indices / 4 + i] = i % 16;
  views.u32[values / 4] = 3;
  barrier();
  for (let i = 0; i < 50; i++) {
    if (u64.batchAdd(SPREADS[mine]!, indices, 4, values, 0, 0, 1000) !== 1000) wrong++;
  }
  barrier();
  u64.gather(SPREADS[mine]!, indices, 4, 0, 0, out, 8);
  // Each of the first 8 stands 63 times in the list of indices.
  for (let i = 0; i < 8; i++) {
    if (u64.load(out + i * 8) !== 2 * 50 * 3 * 63) wrong++;
  }
  return wrong;
}
