//! index_gather: random reads of a table that is spread cyclically over all PEs, by AMs with a
//! buffer of indices, and by `batch_load` of arrays.

use crate::{report, timed, Numbers, Random};
use lamellar::active_messaging::prelude::*;
use lamellar::array::prelude::*;
use lamellar::darc::prelude::*;

#[lamellar::AmData(Clone)]
struct Read {
    table: Darc<Vec<usize>>,
    indices: Vec<u32>,
}

#[lamellar::am]
impl LamellarAM for Read {
    async fn exec(self) -> Vec<usize> {
        self.indices.iter().map(|index| self.table[*index as usize]).collect()
    }
}

fn read(
    world: &LamellarWorld,
    table: &Darc<Vec<usize>>,
    wanted: &[usize],
    buffer_size: usize,
    target: &mut [usize],
) {
    let pes = world.num_pes();
    let mut buffers = vec![(Vec::new(), Vec::new()); pes];
    let mut answers = Vec::new();
    let mut ask = |pe: usize, (indices, places): (Vec<u32>, Vec<usize>)| {
        let table = table.clone();
        answers.push((places, world.exec_am_pe(pe, Read { table, indices }).spawn()));
    };
    for (place, index) in wanted.iter().enumerate() {
        let pe = index % pes;
        buffers[pe].0.push((index / pes) as u32);
        buffers[pe].1.push(place);
        if buffers[pe].0.len() == buffer_size {
            ask(pe, std::mem::take(&mut buffers[pe]));
        }
    }
    for (pe, rest) in buffers.into_iter().enumerate() {
        if !rest.0.is_empty() {
            ask(pe, rest);
        }
    }
    for (places, answer) in answers {
        for (place, value) in places.into_iter().zip(answer.block()) {
            target[place] = value;
        }
    }
}

/// Times `gather`, which fills the target, and checks what it read.
fn measure(
    world: &LamellarWorld,
    variant: &str,
    iterations: usize,
    indices: &[usize],
    mut gather: impl FnMut(&mut [usize]),
) {
    let mut target = vec![usize::MAX; indices.len()];
    let mut seconds = Vec::new();
    for _ in 0..iterations {
        target.fill(usize::MAX);
        seconds.push(timed(world, || gather(&mut target)));
        assert!(target == indices, "a gathered element is wrong");
    }
    world.barrier();
    report(world, "index_gather", variant, &seconds, indices.len() * world.num_pes());
}

pub fn run(world: &LamellarWorld, numbers: &Numbers) {
    let (reads, buffer_size) = (numbers.at(0, 1000), numbers.at(1, 1000));
    let (iterations, length) = (numbers.at(2, 1), numbers.at(3, 1_000_000));
    let (pe, pes) = (world.my_pe(), world.num_pes());
    let mut random = Random::new(pe);
    let indices: Vec<usize> = (0..reads).map(|_| random.below(length * pes)).collect();

    // Element i holds i, and is on PE i % pes.
    let table: Vec<usize> = (0..length).map(|place| place * pes + pe).collect();
    let table = Darc::new(world, table).block().unwrap();
    measure(world, "buffered_am", iterations, &indices, |target| {
        read(world, &table, &indices, buffer_size, target);
    });

    let building = UnsafeArray::<usize>::new(world, length * pes, Distribution::Cyclic).block();
    for (place, element) in unsafe { building.local_as_mut_slice() }.iter_mut().enumerate() {
        *element = place * pes + pe;
    }
    let array = building.into_read_only().block();
    measure(world, "read_only_array", iterations, &indices, |target| {
        target.copy_from_slice(&array.batch_load(&indices[..]).block());
    });

    let array = array.into_atomic().block();
    measure(world, "atomic_array", iterations, &indices, |target| {
        target.copy_from_slice(&array.batch_load(&indices[..]).block());
    });
}
