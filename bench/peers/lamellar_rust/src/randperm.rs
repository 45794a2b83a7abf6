//! randperm: each PE throws its numbers at random places of a larger array, until each has found a
//! free one; what is there, without the free places, is the permutation.

use crate::{report, timed, Numbers, Random};
use lamellar::active_messaging::prelude::*;
use lamellar::array::prelude::*;

const FREE: usize = usize::MAX;

fn throw_darts(target: &AtomicArray<usize>, mut darts: Vec<usize>, random: &mut Random) {
    while !darts.is_empty() {
        let places: Vec<usize> = darts.iter().map(|_| random.below(target.len())).collect();
        let results = target.batch_compare_exchange(&places[..], FREE, &darts[..]).block();
        darts = darts
            .into_iter()
            .zip(results)
            .filter_map(|(dart, result)| result.is_err().then_some(dart))
            .collect();
    }
}

fn verify(permutation: &ReadOnlyArray<usize>, count: usize) {
    assert_eq!(permutation.len(), count, "it is not a permutation");
    let all: Vec<usize> = (0..count).collect();
    let mut values = permutation.batch_load(&all[..]).block();
    assert_eq!(values.iter().sum::<usize>(), count * (count - 1) / 2, "the sum is wrong");
    values.sort_unstable();
    assert!(values == all, "it is not a permutation");
}

pub fn run(world: &LamellarWorld, numbers: &Numbers) {
    let (count, factor) = (numbers.at(0, 1000), numbers.at(1, 10));
    let iterations = numbers.at(2, 1);
    let (pe, pes) = (world.my_pe(), world.num_pes());
    let mut random = Random::new(pe);
    let target = AtomicArray::<usize>::new(world, count * factor, Distribution::Block).block();
    let mut seconds = Vec::new();
    for iteration in 0..iterations {
        for element in target.local_data().iter() {
            element.store(FREE);
        }
        let mut permutation = None;
        seconds.push(timed(world, || {
            throw_darts(&target, (pe..count).step_by(pes).collect(), &mut random);
            target.barrier();
            let collected = target
                .dist_iter()
                .filter_map(|element| Some(element.load()).filter(|value| *value != FREE))
                .collect::<ReadOnlyArray<usize>>(Distribution::Block)
                .block();
            permutation = Some(collected);
        }));
        if pe == 0 && iteration + 1 == iterations {
            verify(&permutation.unwrap(), count);
        }
        world.barrier();
    }
    report(world, "randperm", "compare_exchange", &seconds, 0);
}
