//! The Kronecker graph of programs/graph.ts, and counting its triangles.

const EDGE_FACTOR: usize = 16;
const SEED: u32 = 1;
/// Of 2^32: the quarters of the adjacency matrix get 57, 19, 19 and 5 of 100 edges.
const A: u32 = 2_448_131_358;
const AB: u32 = 3_264_175_144;
const ABC: u32 = 4_080_218_931;

fn hash(value: u32) -> u32 {
    let value = (value ^ value >> 16).wrapping_mul(0x85eb_ca6b);
    let value = (value ^ value >> 13).wrapping_mul(0xc2b2_ae35);
    value ^ value >> 16
}

/// The smaller and the larger end of each edge that is no loop.
pub fn kronecker(scale: usize) -> Vec<(u32, u32)> {
    let offset = hash(SEED);
    (0..EDGE_FACTOR << scale)
        .map(|edge| {
            let (mut row, mut column) = (0, 0);
            for bit in 0..scale {
                let random = hash(((edge * scale + bit) as u32).wrapping_add(offset));
                row = row << 1 | u32::from(random >= AB);
                column = column << 1 | u32::from(random >= ABC || (random >= A && random < AB));
            }
            (row.min(column), row.max(column))
        })
        .filter(|(smaller, larger)| smaller != larger)
        .collect()
}

/// The smaller neighbours of every `step`-th node, beginning with node `first`.
pub struct Graph {
    first: u32,
    step: u32,
    pub lists: Vec<Vec<u32>>,
}

impl Graph {
    pub fn new(edges: &[(u32, u32)], nodes: usize, first: usize, step: usize) -> Graph {
        let mut lists = vec![Vec::new(); (nodes - first).div_ceil(step)];
        for (smaller, larger) in edges {
            if *larger as usize % step == first {
                lists[*larger as usize / step].push(*smaller);
            }
        }
        for list in &mut lists {
            list.sort_unstable();
            list.dedup();
        }
        Graph { first: first as u32, step: step as u32, lists }
    }

    /// The triangles that a node with these smaller neighbours closes, the larger of which is here.
    pub fn triangles_of(&self, list: &[u32]) -> usize {
        let mut triangles = 0;
        for (at, neighbour) in list.iter().enumerate() {
            if neighbour % self.step == self.first {
                triangles += common(&list[..at], &self.lists[(neighbour / self.step) as usize]);
            }
        }
        triangles
    }
}

fn common(a: &[u32], b: &[u32]) -> usize {
    let (mut i, mut j, mut count) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        let (x, y) = (a[i], b[j]);
        count += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    count
}
