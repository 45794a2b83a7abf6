//! histo: random increments of a table that is spread cyclically over all PEs, by AMs with a buffer
//! of indices into a Darc of atomics, and by `batch_add` of an array.

use crate::{report, timed, Numbers, Random};
use lamellar::active_messaging::prelude::*;
use lamellar::array::prelude::*;
use lamellar::darc::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

#[lamellar::AmData(Clone)]
struct Increment {
    table: Darc<Vec<AtomicUsize>>,
    indices: Vec<u32>,
}

#[lamellar::am]
impl LamellarAM for Increment {
    async fn exec(self) {
        for index in &self.indices {
            self.table[*index as usize].fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn send(
    world: &LamellarWorld,
    table: &Darc<Vec<AtomicUsize>>,
    indices: &[usize],
    buffer_size: usize,
) {
    let pes = world.num_pes();
    let mut buffers = vec![Vec::with_capacity(buffer_size); pes];
    let flush = |pe: usize, indices: Vec<u32>| {
        let table = table.clone();
        let _ = world.exec_am_pe(pe, Increment { table, indices }).spawn();
    };
    for index in indices {
        let pe = index % pes;
        buffers[pe].push((index / pes) as u32);
        if buffers[pe].len() == buffer_size {
            let full = std::mem::replace(&mut buffers[pe], Vec::with_capacity(buffer_size));
            flush(pe, full);
        }
    }
    for (pe, rest) in buffers.into_iter().enumerate() {
        if !rest.is_empty() {
            flush(pe, rest);
        }
    }
}

pub fn run(world: &LamellarWorld, numbers: &Numbers) {
    let (updates, buffer_size) = (numbers.at(0, 1000), numbers.at(1, 1000));
    let (iterations, length) = (numbers.at(2, 1), numbers.at(3, 1_000_000));
    let pes = world.num_pes();
    let mut random = Random::new(world.my_pe());
    let indices: Vec<usize> = (0..updates).map(|_| random.below(length * pes)).collect();
    let expected = updates * pes * iterations;

    let table: Vec<AtomicUsize> = (0..length).map(|_| AtomicUsize::new(0)).collect();
    let table = Darc::new(world, table).block().unwrap();
    let seconds: Vec<f64> = (0..iterations)
        .map(|_| timed(world, || send(world, &table, &indices, buffer_size)))
        .collect();
    let sums = AtomicArray::<usize>::new(world, pes, Distribution::Block).block();
    let mine = table.iter().map(|count| count.load(Ordering::Relaxed)).sum();
    sums.store(world.my_pe(), mine).block();
    world.barrier();
    assert_eq!(sums.sum().block(), Some(expected), "the table lost updates");
    report(world, "histo", "buffered_safe_am", &seconds, updates * pes);

    let array = AtomicArray::<usize>::new(world, length * pes, Distribution::Cyclic).block();
    let seconds: Vec<f64> = (0..iterations)
        .map(|_| timed(world, || array.batch_add(&indices[..], 1).block()))
        .collect();
    assert_eq!(array.sum().block(), Some(expected), "the array lost updates");
    report(world, "histo", "atomic_array", &seconds, updates * pes);
}
