//! Filters that are averaged tile by tile, so that the best and the calmest parts of a picture can be told from the rest.

use super::planes::Plane;

/// The edge of a tile in pixels.
const TILE: usize = 32;

/// A pixel with its neighbours, row by row.
type Neighbours<'a> = [&'a [f32; 3]; 3];

/// The mean over each tile of what `response` says of each pixel. Rows and columns that do not fill a tile are left out.
fn tile_means(plane: &Plane, response: impl Fn(Neighbours) -> f32) -> Vec<f32> {
    let across = plane.width().saturating_sub(2) / TILE;
    let triples = plane
        .rows()
        .zip(plane.rows().skip(1))
        .zip(plane.rows().skip(2));
    let mut means = Vec::new();
    let mut sums = vec![0.0_f32; across];
    let mut responses = Vec::with_capacity(plane.width());
    for (row, ((above, centre), below)) in triples.enumerate() {
        responses.clear();
        let windows = above.array_windows().zip(centre.array_windows());
        let windows = windows.zip(below.array_windows());
        responses.extend(windows.map(|((above, centre), below)| response([above, centre, below])));
        for (sum, tile) in sums.iter_mut().zip(responses.chunks_exact(TILE)) {
            *sum += tile.iter().sum::<f32>();
        }
        if row % TILE == TILE - 1 {
            means.extend(sums.iter().map(|sum| sum / TILE_AREA));
            sums.fill(0.0);
        }
    }
    means
}

/// The number of pixels in a tile.
const TILE_AREA: f32 = 1024.0;

/// The mean squared gradient of each tile. White noise of variance v adds v to it.
pub(super) fn gradient_energy(plane: &Plane) -> Vec<f32> {
    tile_means(plane, |[above, centre, below]| {
        let across = (centre[2] - centre[0]) / 2.0;
        let down = (below[1] - above[1]) / 2.0;
        across * across + down * down
    })
}

/// The mean brightness of each tile.
pub(super) fn brightness(plane: &Plane) -> Vec<f32> {
    tile_means(plane, |[_, centre, _]| centre[1])
}

/// The standard deviation of the noise of each tile, by the method of J. Immerkær, "Fast Noise Variance Estimation", Computer Vision
/// and Image Understanding 64 (2), 1996: a filter that answers neither to flat areas nor to ramps nor to straight edges, and the mean
/// of what it leaves.
pub(super) fn noise(plane: &Plane) -> Vec<f32> {
    let factor = (std::f32::consts::PI / 2.0).sqrt() / 6.0;
    let mut means = tile_means(plane, |[above, centre, below]| {
        let corners = above[0] + above[2] + below[0] + below[2];
        let edges = above[1] + below[1] + centre[0] + centre[2];
        (corners - 2.0 * edges + 4.0 * centre[1]).abs()
    });
    for mean in &mut means {
        *mean *= factor;
    }
    means
}

/// The value below which the given share of the values lies; 0 when there are none.
pub(super) fn percentile(mut values: Vec<f32>, share: f64) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index among some thousand tiles"
    )]
    let index = (share * values.len().saturating_sub(1) as f64).round() as usize;
    values.get(index).copied().unwrap_or_default()
}
