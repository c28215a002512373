//! Compares what clients were promised with what is there, in Jepsen's classes. Pure.

use std::collections::HashMap;
use std::iter::Sum;
use std::ops::Add;

use uuid::Uuid;

use crate::log::Operations;

/// What became of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes {
    /// Accepted, and there.
    pub ok: usize,
    /// There, although the client saw no answer.
    pub recovered: usize,
    /// Accepted, and not there.
    pub lost: usize,
    /// There, although nobody asked for it.
    pub unexpected: usize,
    /// More effects than one: how many too many.
    pub twice: usize,
}

impl Classes {
    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.unexpected == 0 && self.twice == 0
    }
}

impl Add for Classes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            ok: self.ok + other.ok,
            recovered: self.recovered + other.recovered,
            lost: self.lost + other.lost,
            unexpected: self.unexpected + other.unexpected,
            twice: self.twice + other.twice,
        }
    }
}

impl Sum for Classes {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), Add::add)
    }
}

/// Compares operations with their effects: each effect names its operation.
pub fn compare(operations: &Operations, effects: impl IntoIterator<Item = Uuid>) -> Classes {
    let mut effects_of: HashMap<Uuid, usize> = HashMap::new();
    for id in effects {
        *effects_of.entry(id).or_default() += 1;
    }
    let mut classes = Classes::default();
    for (id, effects) in &effects_of {
        classes.twice += effects - 1;
        if operations.accepted.contains(id) {
            classes.ok += 1;
        } else if operations.tried.contains(id) {
            classes.recovered += 1;
        } else {
            classes.unexpected += 1;
        }
    }
    let missing = |id: &&Uuid| !effects_of.contains_key(id);
    classes.lost = operations.accepted.iter().filter(missing).count();
    classes
}

/// How many operations lie before one that the same client had finished earlier.
pub fn out_of_order(clients: &[Vec<Uuid>], places: &HashMap<Uuid, u64>) -> usize {
    let of_client = |accepted: &Vec<Uuid>| {
        let places: Vec<u64> = accepted
            .iter()
            .filter_map(|id| places.get(id).copied())
            .collect();
        let pairs = places.iter().zip(places.iter().skip(1));
        pairs.filter(|(earlier, later)| earlier > later).count()
    };
    clients.iter().map(of_client).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn operations() -> Operations {
        Operations {
            tried: [1, 2, 3, 4].map(id).into(),
            accepted: [1, 2, 3].map(id).into(),
            in_order: vec![[1, 2, 3].map(id).into()],
        }
    }

    #[test]
    fn what_was_accepted_and_is_there_once_is_ok() {
        let classes = compare(&operations(), [1, 2, 3].map(id));
        assert_eq!((classes.ok, classes.is_clean()), (3, true));
    }

    #[test]
    fn what_nobody_answered_may_be_there() {
        let classes = compare(&operations(), [1, 2, 3, 4].map(id));
        assert_eq!((classes.recovered, classes.is_clean()), (1, true));
    }

    #[test]
    fn what_is_missing_is_lost() {
        let classes = compare(&operations(), [1, 3].map(id));
        assert_eq!((classes.lost, classes.is_clean()), (1, false));
    }

    #[test]
    fn what_nobody_sent_is_unexpected() {
        let classes = compare(&operations(), [1, 2, 3, 5].map(id));
        assert_eq!((classes.unexpected, classes.is_clean()), (1, false));
    }

    #[test]
    fn every_effect_after_the_first_counts() {
        let classes = compare(&operations(), [1, 2, 2, 2, 3].map(id));
        assert_eq!((classes.twice, classes.is_clean()), (2, false));
    }

    #[test]
    fn a_client_sees_its_own_order_kept() {
        let places = |of: [u64; 3]| [1, 2, 3].map(id).into_iter().zip(of).collect();
        assert_eq!(out_of_order(&operations().in_order, &places([5, 6, 9])), 0);
        assert_eq!(out_of_order(&operations().in_order, &places([5, 9, 6])), 1);
    }
}
