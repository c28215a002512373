//! The eight measures, each from 0 to 1.

use image::RgbImage;

use super::Parts;
use super::planes::{Plane, Planes};
use super::tiles;

/// What the light of a picture is like, measured on its thumbnail.
struct Light {
    /// Mean brightness, from 0 to 1.
    mean: f64,
    /// The distance between the darkest and the brightest tones, 2 % of either left out, from 0 to 1.
    range: f64,
    /// The share of pixels that are white.
    burnt: f64,
    /// The share of pixels that are black.
    drowned: f64,
}

/// Measures all qualities of a picture.
pub(super) fn measure(planes: &Planes) -> Parts {
    let light = light(&planes.thumbnail);
    let native = planes.native();
    let noise = noise(native);
    // Enlarged noise has flatter slopes, but not in proportion: between its pixels the steepest slopes come to light.
    let enlarged = (2.5 * native.width_relative_to(&planes.view)).min(1.0);
    let noise_in_view = noise * enlarged;
    let (sharpness, acuity) = detail(&planes.view, noise_in_view, light.range);
    Parts {
        sharpness,
        acuity,
        cleanness: cleanness(noise, light.range),
        smoothness: smoothness(&planes.grid),
        exposure: exposure(&light),
        contrast: contrast(&light),
        colour: colour(&planes.thumbnail),
        resolution: resolution(planes.pixels),
    }
}

/// The least range of tones that detail and noise are compared with: in a blank picture they must not be blown up.
const LEAST_RANGE: f64 = 0.15;

/// How much detail the sharpest 5 % of the tiles show, and how fine it is; both without what noise adds to it, and relative to the
/// picture's range of tones, so that they say nothing about its light.
fn detail(view: &Plane, noise: f64, range: f64) -> (f64, f64) {
    /// The relative gradient that counts as half sharp.
    const HALF_SHARP: f64 = 0.02;
    /// The share of the gradient that softening takes away from the crispest pictures.
    const CRISP: f64 = 0.4;
    /// What is left without any fine detail: below this only JPEG's own traces would be compared.
    const LEAST_ACUITY: f64 = 0.1;
    /// How strongly noise hides detail. More than its own gradient, because JPEG has smoothed the calm parts where it was measured.
    const HIDING: f64 = 2.5;

    let best = |plane: &Plane| f64::from(tiles::percentile(tiles::gradient_energy(plane), 0.95));
    let all = best(view);
    let gradient = (all - noise * noise).max(0.0).sqrt();
    let hidden = HIDING * noise;
    let half_sharp = HALF_SHARP * 255.0 * range.max(LEAST_RANGE);
    let sharpness = gradient / (gradient + hidden + half_sharp);
    if gradient <= 0.0 {
        return (0.0, LEAST_ACUITY);
    }
    let softened = best(&view.softened().softened());
    let lost = 1.0 - (softened / all).sqrt().min(1.0);
    // Noise is as fine as detail gets: what may be noise is not called crisp.
    let seen = gradient / (gradient + hidden);
    let crisp = (lost / CRISP).min(1.0) * seen * seen;
    (sharpness, LEAST_ACUITY + (1.0 - LEAST_ACUITY) * crisp)
}

/// The standard deviation of the noise in the calmest tenth of the picture that is not so dark or bright that noise is cut off there.
fn noise(native: &Plane) -> f64 {
    let calm = |plane: &Plane| {
        let usable = tiles::noise(plane)
            .into_iter()
            .zip(tiles::brightness(plane))
            .filter(|(_, brightness)| (20.0..225.0).contains(brightness))
            .map(|(noise, _)| noise)
            .collect();
        f64::from(tiles::percentile(usable, 0.1))
    };
    // JPEG takes away fine noise first; what is left of it shows at half the size, where white noise would have half its strength.
    calm(native).max(2.0 * calm(&native.halved()))
}

/// Freedom from noise, which shows the more the fewer tones the picture has.
fn cleanness(noise: f64, range: f64) -> f64 {
    /// The relative noise at which e⁻¹ is left.
    const NOISY: f64 = 0.03;
    (-noise / (255.0 * range.max(LEAST_RANGE)) / NOISY).exp()
}

/// Freedom from JPEG blocks: how much larger the steps between neighbouring pixels are at every eighth column and row.
fn smoothness(grid: &Plane) -> f64 {
    /// The excess that pictures without visible blocks have, too.
    const UNSEEN: f64 = 0.05;
    /// The excess at which e⁻¹ is left.
    const BLOCKY: f64 = 0.5;
    let excess = f64::midpoint(
        excess_of_every_eighth(&steps_across(grid)),
        excess_of_every_eighth(&steps_down(grid)),
    );
    (-(excess - UNSEEN).max(0.0) / BLOCKY).exp()
}

/// A step between two neighbours, as far as it can come from a block's border: a larger one is an edge of the picture.
fn step(one: f32, other: f32) -> f64 {
    const LARGEST: f32 = 16.0;
    f64::from((one - other).abs().min(LARGEST))
}

/// The mean step from each column to the next, by the column's remainder modulo 8.
fn steps_across(grid: &Plane) -> [f64; 8] {
    let (mut sums, mut count) = ([0.0; 8], 0_u32);
    for row in grid.rows() {
        // Whole rounds of eight only, so that each remainder has the same number of columns.
        let ahead = row.get(1..).unwrap_or_default().chunks_exact(8);
        for (here, next) in row.chunks_exact(8).zip(ahead) {
            let pairs = here.iter().zip(next);
            for (sum, (one, other)) in sums.iter_mut().zip(pairs) {
                *sum += step(*one, *other);
            }
            count += 1;
        }
    }
    sums.map(|sum| sum / f64::from(count.max(1)))
}

/// The mean step from each row to the next, by the row's remainder modulo 8.
fn steps_down(grid: &Plane) -> [f64; 8] {
    let pairs = grid.rows().zip(grid.rows().skip(1));
    let totals: Vec<f64> = pairs
        .map(|(row, next)| row.iter().zip(next).map(|(a, b)| step(*a, *b)).sum())
        .collect();
    let (mut sums, mut count) = ([0.0; 8], 0_u32);
    for round in totals.chunks_exact(8) {
        for (sum, total) in sums.iter_mut().zip(round) {
            *sum += total;
        }
        count += 1;
    }
    let width = u32::try_from(grid.width()).unwrap_or(u32::MAX);
    sums.map(|sum| sum / f64::from(count.max(1)) / f64::from(width))
}

/// By how much the largest of the eight exceeds the mean of the others, relative to what hides it. Which one it is does not matter: a
/// crop or a turn moves the grid.
fn excess_of_every_eighth(steps: &[f64; 8]) -> f64 {
    /// A step of less than a grey level is not seen, however smooth the picture is around it.
    const SEEN: f64 = 1.0;
    let largest = steps.iter().copied().fold(0.0, f64::max);
    let others = (steps.iter().sum::<f64>() - largest) / 7.0;
    (largest - others) / (others + SEEN)
}

/// Brightness, from its distance to what well exposed photographs have, and from what is lost at either end.
fn exposure(light: &Light) -> f64 {
    /// The mean brightness below which a photograph is dark.
    const DARK: f64 = 0.36;
    /// The mean brightness above which a photograph is bright.
    const BRIGHT: f64 = 0.56;
    /// The share of white in a picture that is no fault.
    const FORGIVEN: f64 = 0.2;
    let too_dark = (DARK - light.mean).max(0.0) / DARK;
    let too_bright = (light.mean - BRIGHT).max(0.0) / (1.0 - BRIGHT);
    // A piece of white sky or of dark wood is no fault; half of the picture lost is.
    let lost = (light.burnt + 0.5 * light.drowned - FORGIVEN).max(0.0);
    let kept = (1.0 - too_dark.max(too_bright).powi(2)) * (1.0 - lost).powi(2);
    kept.clamp(0.0, 1.0)
}

/// The range of tones.
fn contrast(light: &Light) -> f64 {
    /// The range from which on more is not better.
    const FULL: f64 = 0.95;
    (light.range / FULL).min(1.0)
}

/// The number of pixels, by the edge of a square with as many.
fn resolution(pixels: u32) -> f64 {
    /// The pixels of a picture of 2048 x 1365, as most cameras' pictures are kept.
    const FULL: f64 = 2_795_520.0;
    (f64::from(pixels) / FULL).sqrt().min(1.0)
}

/// Measures the light of a thumbnail.
fn light(thumbnail: &RgbImage) -> Light {
    let (mut burnt, mut drowned) = (0.0, 0.0);
    let mut tones = Vec::new();
    for pixel in thumbnail.pixels() {
        let [red, green, blue] = pixel.0;
        let tone = 0.299 * f32::from(red) + 0.587 * f32::from(green) + 0.114 * f32::from(blue);
        burnt += f64::from(tone >= 250.0);
        drowned += f64::from(tone <= 5.0);
        tones.push(tone);
    }
    let count = f64::from(thumbnail.width() * thumbnail.height());
    let mean = tones.iter().copied().map(f64::from).sum::<f64>() / count / 255.0;
    let dark = tiles::percentile(tones.clone(), 0.02);
    let bright = tiles::percentile(tones, 0.98);
    Light {
        mean,
        range: f64::from(bright - dark) / 255.0,
        burnt: burnt / count,
        drowned: drowned / count,
    }
}

/// The liveliness of the colours, by D. Hasler and S. Süsstrunk, "Measuring Colourfulness in Natural Images", Human Vision and
/// Electronic Imaging VIII, SPIE 5007, 2003. A grey picture keeps half: many a bird is black and white before a grey sky.
fn colour(thumbnail: &RgbImage) -> f64 {
    /// What the paper's viewers called averagely to quite colourful.
    const LIVELY: f64 = 45.0;
    let opponents = thumbnail.pixels().map(|pixel| {
        let [red, green, blue] = pixel.0.map(f64::from);
        (red - green, f64::midpoint(red, green) - blue)
    });
    let (red_green, yellow_blue): (Vec<f64>, Vec<f64>) = opponents.unzip();
    let ((mean_a, variance_a), (mean_b, variance_b)) = (moments(&red_green), moments(&yellow_blue));
    let colourfulness = (variance_a + variance_b).sqrt() + 0.3 * mean_a.hypot(mean_b);
    0.5 + 0.5 * (colourfulness / LIVELY).min(1.0)
}

/// Mean and variance.
fn moments(values: &[f64]) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "a thumbnail has few pixels")]
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / count;
    (mean, variance)
}
