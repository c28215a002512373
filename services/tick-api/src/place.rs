//! Where a bird was seen: the precise spot for its owner; for everybody else a coarse cell, nothing, or the spot as well, as its
//! owner says. Whatever that is, events tell of no more than the cell: they are kept for ever, and nobody can take them back.

use chassis::http::FieldError;
use envelope::tick;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::species::Species;

/// Cells to a degree: a cell has 0.2 degrees.
const CELLS_PER_DEGREE: f64 = 5.0;
/// No spot of a cell is farther from its centre: half the diagonal, at the equator, rounded up.
const CELL_RADIUS_M: u32 = 16_000;
/// To how many parts of a degree others see an open spot: some ten metres, enough to find the tree again.
const SPOTS_PER_DEGREE: f64 = 10_000.0;

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

/// What others learn of a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Visibility {
    /// The centre of a cell of 0.2 degrees.
    #[default]
    Obscured,
    /// Nothing.
    Private,
    /// The same, and on the photo's own page the precise spot, unless the species is threatened.
    Open,
}

/// A spot that everybody sees, rounded to some ten metres.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Spot {
    /// Latitude in degrees, -90 to 90.
    #[schema(example = 59.8586)]
    lat: f64,
    /// Longitude in degrees, -180 to 180.
    #[schema(example = 17.6389)]
    lon: f64,
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

    /// All that events tell: the centre of its cell, or nothing.
    pub(crate) fn shown(self) -> Option<tick::Place> {
        (self.visibility != Visibility::Private).then(|| tick::Place {
            lat: centre(self.lat, 90.0),
            lon: centre(self.lon, 180.0),
            radius_m: CELL_RADIUS_M,
        })
    }
}

impl From<Place> for Spot {
    fn from(place: Place) -> Self {
        let rounded = |degrees: f64| (degrees * SPOTS_PER_DEGREE).round() / SPOTS_PER_DEGREE;
        Self {
            lat: rounded(place.lat),
            lon: rounded(place.lon),
        }
    }
}

/// The spot of a photo that everybody sees, from what its ticks say, the first one first. One photo was taken at one spot: so a
/// single threatened species in it, or a single place that is not open, closes it for all of them.
pub(crate) fn open_spot(ticks: &[(Option<Species>, Option<Place>)]) -> Option<Spot> {
    let mut species = ticks.iter().filter_map(|(species, _)| *species);
    if species.any(Species::is_threatened) {
        return None;
    }
    let mut places = ticks.iter().filter_map(|(_, place)| *place);
    let first = places.next()?;
    let is_open = |place: Place| place.visibility == Visibility::Open;
    (is_open(first) && places.all(is_open)).then(|| first.into())
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
    use crate::species::CHECKLIST;

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
    fn events_tell_no_more_of_an_open_place_than_of_an_obscured_one() {
        let [open, obscured] = [Visibility::Open, Visibility::Obscured]
            .map(|visibility| place(48.137, 11.575, visibility).shown());
        assert!(open.is_some());
        assert_eq!(open, obscured);
    }

    #[test]
    fn everybody_sees_the_spot_of_a_photo_whose_places_are_all_open() {
        let at = |visibility| Some(place(48.137_154_2, 11.575_44, visibility));
        let (open, private) = (at(Visibility::Open), at(Visibility::Private));
        let spot = Some(Spot {
            lat: 48.1372,
            lon: 11.5754,
        });
        for (places, expected) in [
            (vec![open], spot),
            (vec![None, open, None], spot),
            (vec![open, at(Visibility::Obscured)], None),
            (vec![private, open], None),
            (vec![at(Visibility::Obscured)], None),
            (vec![None], None),
            (vec![], None),
        ] {
            let ticks: Vec<_> = places.into_iter().map(|place| (None, place)).collect();
            assert_eq!(open_spot(&ticks), expected, "{ticks:?}");
        }
    }

    #[test]
    fn one_threatened_species_closes_the_spot_of_a_photo() {
        let open = Some(place(48.137, 11.575, Visibility::Open));
        let named = |name: &str| CHECKLIST.search(name, 1).first().copied();
        let (sparrow, eagle) = (named("Passer domesticus"), named("Aquila nipalensis"));
        assert!(open_spot(&[(sparrow, open)]).is_some());
        assert_eq!(open_spot(&[(eagle, open)]), None);
        assert_eq!(open_spot(&[(sparrow, open), (eagle, None)]), None);
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
