//! Where a bird was seen: the precise spot for its owner, a coarse cell for everybody else.

use chassis::http::FieldError;
use envelope::tick;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Cells to a degree: a cell has 0.2 degrees.
const CELLS_PER_DEGREE: f64 = 5.0;
/// No spot of a cell is farther from its centre: half the diagonal, at the equator, rounded up.
const CELL_RADIUS_M: u32 = 16_000;

/// A precise spot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// Latitude in degrees, -90 to 90.
    #[schema(minimum = -90, maximum = 90)]
    pub lat: f64,
    /// Longitude in degrees, -180 to 180.
    #[schema(minimum = -180, maximum = 180)]
    pub lon: f64,
    /// What others learn of it. Left out where it is `obscured`.
    #[serde(default, skip_serializing_if = "Visibility::is_obscured")]
    pub visibility: Visibility,
}

/// What others learn of a place. Nobody but its owner ever learns the precise spot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Visibility {
    /// The centre of a cell of 0.2 degrees.
    #[default]
    Obscured,
    /// Nothing.
    Private,
}

impl Visibility {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde asks with a reference"
    )]
    fn is_obscured(&self) -> bool {
        *self == Self::Obscured
    }
}

impl Place {
    /// What is wrong with it; NaN and the infinities are in no range.
    pub(crate) fn mistakes(self) -> Vec<FieldError> {
        let checks = [("/place/lat", self.lat, 90), ("/place/lon", self.lon, 180)];
        checks
            .into_iter()
            .filter(|&(_, degrees, most)| !(-f64::from(most)..=f64::from(most)).contains(&degrees))
            .map(|(pointer, _, most)| {
                FieldError::new(pointer, format!("must be -{most} to {most}"))
            })
            .collect()
    }

    /// All that others learn: the centre of its cell, or nothing.
    pub(crate) fn shown(self) -> Option<tick::Place> {
        self.visibility.is_obscured().then(|| tick::Place {
            lat: centre(self.lat, 90.0),
            lon: centre(self.lon, 180.0),
            radius_m: CELL_RADIUS_M,
        })
    }
}

/// The upper end of the range belongs to the last cell. Counting in cells keeps centres exact to the decimal.
fn centre(degrees: f64, most: f64) -> f64 {
    let most = most * CELLS_PER_DEGREE;
    let cell = (degrees * CELLS_PER_DEGREE)
        .floor()
        .clamp(-most, most - 1.0);
    (2.0 * cell + 1.0) / (2.0 * CELLS_PER_DEGREE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(lat: f64, lon: f64, visibility: Visibility) -> Place {
        Place {
            lat,
            lon,
            visibility,
        }
    }

    fn coarse(lat: f64, lon: f64) -> (f64, f64) {
        let shown = place(lat, lon, Visibility::Obscured).shown().unwrap();
        (shown.lat, shown.lon)
    }

    fn assert_place(found: (f64, f64), wanted: (f64, f64)) {
        let off = (found.0 - wanted.0).abs() + (found.1 - wanted.1).abs();
        assert!(off < 1e-12, "{found:?} is not {wanted:?}");
    }

    #[test]
    fn all_spots_of_a_cell_look_the_same() {
        assert_place(coarse(48.137, 11.575), (48.1, 11.5));
        assert_place(coarse(48.001, 11.599), (48.1, 11.5));
        assert_place(coarse(-0.01, -0.19), (-0.1, -0.1));
    }

    #[test]
    fn nobody_learns_of_a_private_place() {
        assert_eq!(place(48.137, 11.575, Visibility::Private).shown(), None);
    }

    #[test]
    fn the_ends_of_the_world_have_cells() {
        assert_place(coarse(90.0, 180.0), (89.9, 179.9));
        assert_place(coarse(-90.0, -180.0), (-89.9, -179.9));
    }

    #[test]
    fn no_spot_is_farther_from_the_centre_than_the_radius_says() {
        let metres_per_degree = 111_320.0;
        let diagonal = (0.1_f64.powi(2) * 2.0).sqrt() * metres_per_degree;
        assert!(diagonal <= f64::from(CELL_RADIUS_M));
    }

    #[test]
    fn spots_off_the_globe_are_refused() {
        let mistakes = |lat, lon| place(lat, lon, Visibility::Obscured).mistakes().len();
        assert_eq!(mistakes(90.0, -180.0), 0);
        assert_eq!(mistakes(90.000_1, 180.000_1), 2);
        assert_eq!(mistakes(f64::NAN, f64::INFINITY), 2);
    }
}
