//! sum: an array of threes, which one PE has summed by all; the best of some calls.

use crate::Numbers;
use lamellar::array::prelude::*;
use std::time::Instant;

pub fn run_f64(world: &LamellarWorld, numbers: &Numbers) {
    let array =
        UnsafeArray::<f64>::new(world, numbers.at(0, 10_000_000), Distribution::Block).block();
    unsafe { array.local_as_mut_slice() }.fill(3.0);
    let array = array.into_read_only().block();
    measure(world, numbers, || {
        array.sum().block() == Some(3.0 * array.len() as f64)
    });
}

pub fn run_u64(world: &LamellarWorld, numbers: &Numbers) {
    let array =
        UnsafeArray::<u64>::new(world, numbers.at(0, 10_000_000), Distribution::Block).block();
    unsafe { array.local_as_mut_slice() }.fill(3);
    let array = array.into_read_only().block();
    measure(world, numbers, || {
        array.sum().block() == Some(3 * array.len() as u64)
    });
}

fn measure(world: &LamellarWorld, numbers: &Numbers, sum: impl Fn() -> bool) {
    world.barrier();
    if world.my_pe() == 0 {
        let mut best = f64::INFINITY;
        for _ in 0..numbers.at(1, 30) {
            let start = Instant::now();
            assert!(sum(), "the sum is wrong");
            best = best.min(start.elapsed().as_secs_f64());
        }
        println!(
            "{{\"metric\":\"sum\",\"value\":{:.6},\"unit\":\"ms\"}}",
            best * 1e3
        );
    }
    world.barrier();
}
