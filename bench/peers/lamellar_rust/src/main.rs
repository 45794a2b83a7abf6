//! The programs of the suite in Lamellar for Rust:
//!
//!     lamellar_peer histo [updates a PE] [buffer size] [iterations] [elements a PE]
//!     lamellar_peer index_gather [reads a PE] [buffer size] [iterations] [elements a PE]
//!     lamellar_peer randperm [numbers on all PEs] [target factor] [iterations]
//!     lamellar_peer triangle_count [scale] [buffer size] [iterations]
//!     lamellar_peer sum_f64|sum_u64 [elements on all PEs] [iterations]
//!
//! Each reports the median of the later half of its iterations, after it has verified the result;
//! the sums report the best.

mod graph;
mod histo;
mod index_gather;
mod randperm;
mod sum;
mod triangle_count;

use lamellar::active_messaging::prelude::*;
use std::time::Instant;

/// Numbers of the command line, behind the name of the program.
pub struct Numbers(Vec<usize>);

impl Numbers {
    pub fn at(&self, place: usize, otherwise: usize) -> usize {
        self.0.get(place).copied().unwrap_or(otherwise)
    }
}

/// Marsaglia's xorshift with 64 bits, seeded with the number of the PE.
pub struct Random(u64);

impl Random {
    pub fn new(pe: usize) -> Random {
        Random(0x9e37_79b9_7f4a_7c15u64.wrapping_mul(pe as u64 + 1))
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 32) as usize * limit) >> 32
    }
}

/// Seconds of one iteration, from when all PEs are ready to when all are done.
pub fn timed(world: &LamellarWorld, run: impl FnOnce()) -> f64 {
    world.barrier();
    let start = Instant::now();
    run();
    world.wait_all();
    world.barrier();
    start.elapsed().as_secs_f64()
}

fn steady(seconds: &[f64]) -> f64 {
    let mut later = seconds[seconds.len() / 2..].to_vec();
    later.sort_by(f64::total_cmp);
    let upper = later[later.len() / 2];
    if later.len() % 2 == 1 {
        upper
    } else {
        (later[later.len() / 2 - 1] + upper) / 2.0
    }
}

/// The line of PE 0; `updates` of all PEs together, or 0 where there are none.
pub fn report(
    world: &LamellarWorld,
    program: &str,
    variant: &str,
    seconds: &[f64],
    updates: usize,
) {
    if world.my_pe() != 0 {
        return;
    }
    let steady = steady(seconds);
    let rates = if updates == 0 {
        String::new()
    } else {
        let mups = updates as f64 * 1e-6 / steady;
        format!(",\"updates\":{updates},\"mups\":{mups:.6}")
    };
    println!(
        "{{\"program\":\"{program}\",\"variant\":\"{variant}\",\"pes\":{},\"iterations\":{},\
         \"seconds\":{steady:.6}{rates},\"verified\":true}}",
        world.num_pes(),
        seconds.len()
    );
}

fn main() {
    let mut args = std::env::args().skip(1);
    let program = args.next().unwrap_or_default();
    let numbers = Numbers(args.map(|text| text.parse().expect("give whole numbers")).collect());
    let world = LamellarWorldBuilder::new().build();
    match program.as_str() {
        "histo" => histo::run(&world, &numbers),
        "index_gather" => index_gather::run(&world, &numbers),
        "randperm" => randperm::run(&world, &numbers),
        "triangle_count" => triangle_count::run(&world, &numbers),
        "sum_f64" => sum::run_f64(&world, &numbers),
        "sum_u64" => sum::run_u64(&world, &numbers),
        _ => panic!("there are histo, index_gather, randperm, triangle_count and sum_*"),
    }
    world.barrier();
}
