//! triangle_count: an AM to all PEs for each node with smaller neighbours, or for a buffer of such
//! nodes; a PE that has one of these neighbours compares its list.

use crate::graph::{kronecker, Graph};
use crate::{report, timed, Numbers};
use lamellar::active_messaging::prelude::*;
use lamellar::array::prelude::*;
use lamellar::darc::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Part {
    graph: Graph,
    triangles: AtomicUsize,
}

#[lamellar::AmData(Clone)]
struct Compare {
    part: Darc<Part>,
    lists: Vec<Vec<u32>>,
}

#[lamellar::am]
impl LamellarAM for Compare {
    async fn exec(self) {
        let found = self.lists.iter().map(|list| self.part.graph.triangles_of(list)).sum();
        self.part.triangles.fetch_add(found, Ordering::Relaxed);
    }
}

/// Sends lists in buffers of at least so many numbers.
fn send(world: &LamellarWorld, part: &Darc<Part>, buffer_size: usize) {
    let (mut lists, mut length) = (Vec::new(), 0);
    let flush = |lists: Vec<Vec<u32>>| {
        let _ = world.exec_am_all(Compare { part: part.clone(), lists }).spawn();
    };
    for list in part.graph.lists.iter().filter(|list| !list.is_empty()) {
        lists.push(list.clone());
        length += 1 + list.len();
        if length >= buffer_size {
            flush(std::mem::take(&mut lists));
            length = 0;
        }
    }
    if !lists.is_empty() {
        flush(lists);
    }
}

pub fn run(world: &LamellarWorld, numbers: &Numbers) {
    let (scale, buffer_size, iterations) =
        (numbers.at(0, 14), numbers.at(1, 1000), numbers.at(2, 1));
    let (pe, pes) = (world.my_pe(), world.num_pes());
    let edges = kronecker(scale);
    let graph = Graph::new(&edges, 1 << scale, pe, pes);
    let part = Darc::new(world, Part { graph, triangles: AtomicUsize::new(0) }).block().unwrap();
    let counts = AtomicArray::<usize>::new(world, pes, Distribution::Block).block();
    let expected = if pe == 0 {
        let all = Graph::new(&edges, 1 << scale, 0, 1);
        all.lists.iter().map(|list| all.triangles_of(list)).sum()
    } else {
        0
    };
    for (variant, size) in [("am", 1), ("buffered_am", buffer_size)] {
        let mut triangles = None;
        let mut seconds = Vec::new();
        for _ in 0..iterations {
            part.triangles.store(0, Ordering::Relaxed);
            seconds.push(timed(world, || {
                send(world, &part, size);
                world.wait_all();
                world.barrier();
                counts.store(pe, part.triangles.load(Ordering::Relaxed)).block();
                world.barrier();
                triangles = counts.sum().block();
            }));
        }
        assert!(pe != 0 || triangles == Some(expected), "the number of triangles is wrong");
        report(world, "triangle_count", variant, &seconds, 0);
        world.barrier();
    }
}
