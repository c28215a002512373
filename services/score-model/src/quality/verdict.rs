//! From the measured parts to one value and the words for it.

use super::Parts;

/// From here on a part is called good.
const GOOD: f64 = 0.7;

/// Below this a part is called poor.
const POOR: f64 = 0.4;

/// No part counts as less, so that one that fails does not hide all the others.
const LEAST: f64 = 0.005;

/// The most faults that are named.
const MOST_FAULTS: usize = 3;

/// One part with its weight and its words.
struct Aspect {
    part: f64,
    weight: f64,
    good: &'static str,
    fair: &'static str,
    poor: &'static str,
}

impl Aspect {
    /// How much this part takes away from the score: the logarithm of its factor.
    fn loss(&self) -> f64 {
        -self.part.max(LEAST).ln() * self.weight
    }

    fn words(&self) -> &'static str {
        match self.part {
            part if part >= GOOD => self.good,
            part if part >= POOR => self.fair,
            _ => self.poor,
        }
    }
}

/// The weighted geometric mean of the parts, from 1 to 5 in steps of 0.01.
pub(super) fn value(parts: &Parts) -> f64 {
    let aspects = aspects(parts);
    let weights: f64 = aspects.iter().map(|aspect| aspect.weight).sum();
    let loss: f64 = aspects.iter().map(Aspect::loss).sum();
    let mean = (-loss / weights).exp();
    ((1.0 + 4.0 * mean) * 100.0).round() / 100.0
}

/// What cost most, up to three faults, then what is good: two to four sentences.
pub(super) fn reasons(parts: &Parts) -> Vec<String> {
    let mut aspects = aspects(parts);
    aspects.sort_by(|one, other| other.loss().total_cmp(&one.loss()));
    let faults: Vec<_> = aspects
        .iter()
        .filter(|aspect| aspect.part < GOOD)
        .take(MOST_FAULTS)
        .collect();
    // The weightiest first: that a picture is sharp says more than that it is large.
    let mut merits: Vec<_> = aspects
        .iter()
        .filter(|aspect| aspect.part >= GOOD)
        .collect();
    merits.sort_by(|one, other| other.weight.total_cmp(&one.weight));
    let room = if faults.is_empty() { MOST_FAULTS } else { 1 };
    let named = faults.into_iter().chain(merits.into_iter().take(room));
    named.map(|aspect| aspect.words().to_owned()).collect()
}

/// The parts with their weights and words.
fn aspects(parts: &Parts) -> [Aspect; 8] {
    let aspect = |part, weight, [good, fair, poor]: [&'static str; 3]| Aspect {
        part,
        weight,
        good,
        fair,
        poor,
    };
    [
        aspect(parts.sharpness, 0.24, SHARPNESS),
        aspect(parts.acuity, 0.14, ACUITY),
        aspect(parts.cleanness, 0.19, CLEANNESS),
        aspect(parts.smoothness, 0.10, SMOOTHNESS),
        aspect(parts.exposure, 0.14, EXPOSURE),
        aspect(parts.contrast, 0.12, CONTRAST),
        aspect(parts.colour, 0.04, COLOUR),
        aspect(parts.resolution, 0.06, RESOLUTION),
    ]
}

const SHARPNESS: [&str; 3] = [
    "sharp where it counts",
    "a little soft",
    "blurred or out of focus",
];
const ACUITY: [&str; 3] = [
    "fine detail is crisp",
    "fine detail is a little smeared",
    "fine detail is missing",
];
const CLEANNESS: [&str; 3] = ["hardly any noise", "a little noisy", "very noisy"];
const SMOOTHNESS: [&str; 3] = [
    "no visible compression",
    "some compression blocks",
    "strong compression blocks",
];
const EXPOSURE: [&str; 3] = [
    "well exposed",
    "the exposure is a little off",
    "far too dark or too bright",
];
const CONTRAST: [&str; 3] = [
    "good contrast",
    "rather flat contrast",
    "very little contrast",
];
const COLOUR: [&str; 3] = ["lively colours", "muted colours", "hardly any colour"];
const RESOLUTION: [&str; 3] = [
    "plenty of pixels",
    "few pixels for a closer look",
    "very few pixels",
];
