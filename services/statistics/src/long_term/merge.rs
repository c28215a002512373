//! Breakdowns in which every cell is about enough people.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

/// What was counted in a cell, and of whom.
#[derive(Default)]
struct Cell {
    people: HashSet<Uuid>,
    count: i64,
}

impl Cell {
    fn take(&mut self, other: Self) {
        self.people.extend(other.people);
        self.count += other.count;
    }
}

/// The cells of a breakdown and how much is in each. Those with fewer than `k` people are one cell without a name, together
/// with what has none by itself. As all cells together may be known, that one needs `k` people as well: until it has
/// them, the smallest of the others joins it. Nothing at all if all of them together are fewer.
pub(super) fn merged<K: Ord>(
    counted: impl IntoIterator<Item = (Option<K>, Uuid, i64)>,
    k: usize,
) -> Vec<(Option<K>, i64)> {
    let mut named: BTreeMap<K, Cell> = BTreeMap::new();
    let mut rest = Cell::default();
    for (name, person, count) in counted {
        let cell = match name {
            Some(name) => named.entry(name).or_default(),
            None => &mut rest,
        };
        cell.people.insert(person);
        cell.count += count;
    }
    let (shown, small): (Vec<_>, Vec<_>) = named
        .into_iter()
        .partition(|(_, cell)| cell.people.len() >= k);
    for (_, cell) in small {
        rest.take(cell);
    }
    let mut shown = shown;
    while !rest.people.is_empty() && rest.people.len() < k {
        let smallest = (0..shown.len()).min_by_key(|at| shown.get(*at).map(size));
        let Some(smallest) = smallest else {
            return Vec::new();
        };
        rest.take(shown.remove(smallest).1);
    }
    let mut cells: Vec<_> = shown
        .into_iter()
        .map(|(name, cell)| (Some(name), cell.count))
        .collect();
    if !rest.people.is_empty() {
        cells.push((None, rest.count));
    }
    cells
}

fn size<K>((_, cell): &(K, Cell)) -> usize {
    cell.people.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const K: usize = 3;

    fn people(from: u128, until: u128) -> impl Iterator<Item = Uuid> {
        (from..until).map(Uuid::from_u128)
    }

    fn ticked(
        species: &'static str,
        who: impl Iterator<Item = Uuid>,
    ) -> Vec<(Option<&'static str>, Uuid, i64)> {
        who.map(|person| (Some(species), person, 1)).collect()
    }

    #[test]
    fn small_cells_are_one_without_a_name() {
        let counted = [
            ticked("robin", people(0, 4)),
            ticked("dipper", people(4, 6)),
            ticked("wren", people(6, 7)),
        ];
        let cells = merged(counted.concat(), K);
        assert_eq!(cells, [(Some("robin"), 4), (None, 3)]);
    }

    #[test]
    fn the_smallest_shown_cell_hides_one_that_would_follow_from_the_sum() {
        let counted = [
            ticked("robin", people(0, 5)),
            ticked("wren", people(5, 8)),
            ticked("dipper", people(8, 9)),
        ];
        let cells = merged(counted.concat(), K);
        assert_eq!(cells, [(Some("robin"), 5), (None, 4)]);
    }

    #[test]
    fn a_day_with_too_few_people_shows_nothing() {
        assert_eq!(merged(ticked("robin", people(0, 2)), K), []);
        assert_eq!(merged(Vec::<(Option<&str>, Uuid, i64)>::new(), K), []);
    }

    proptest! {
        #[test]
        fn every_cell_is_about_enough_people_and_nothing_is_lost(
            counted in prop::collection::vec((prop::option::of(0_u8..6), 0_u128..12, 1_i64..4), 0..60),
        ) {
            let counted: Vec<_> = counted.into_iter()
                .map(|(name, person, count)| (name, Uuid::from_u128(person), count)).collect();
            let cells = merged(counted.clone(), K);
            let names: HashSet<_> = cells.iter().filter_map(|(name, _)| *name).collect();
            for (name, _) in &cells {
                let is_in = |one: Option<u8>| match name {
                    Some(name) => one == Some(*name),
                    None => one.is_none_or(|one| !names.contains(&one)),
                };
                let people: HashSet<_> = counted.iter().filter(|(name, ..)| is_in(*name)).map(|(_, person, _)| person).collect();
                prop_assert!(people.len() >= K, "{name:?}: {people:?}");
            }
            let all: i64 = counted.iter().map(|(.., count)| count).sum();
            let shown: i64 = cells.iter().map(|(_, count)| count).sum();
            prop_assert!(cells.is_empty() || shown == all);
        }

        #[test]
        fn the_order_of_what_is_counted_does_not_matter(
            counted in prop::collection::vec((prop::option::of(0_u8..6), 0_u128..12, 1_i64..4), 0..60),
        ) {
            let counted: Vec<_> = counted.into_iter()
                .map(|(name, person, count)| (name, Uuid::from_u128(person), count)).collect();
            let mut reversed = counted.clone();
            reversed.reverse();
            prop_assert_eq!(merged(counted, K), merged(reversed, K));
        }
    }
}
