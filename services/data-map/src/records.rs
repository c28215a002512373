//! The records of processing activities (Art. 30 GDPR).

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use crate::activities::{ACTIVITIES, Activity, Basis};
use crate::model::{Category, End, Item, Whose};

/// The records of processing activities, as they follow from the data map.
#[derive(Debug, Serialize, ToSchema)]
pub struct Records {
    /// One entry per activity.
    pub activities: Vec<Record>,
}

/// One processing activity.
#[derive(Debug, Serialize, ToSchema)]
pub struct Record {
    /// A stable word.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What for.
    pub purpose: &'static str,
    /// By which right.
    pub basis: Basis,
    /// The legal basis, with its place in the law.
    pub legal_basis: &'static str,
    /// Who gets to see it.
    pub recipients: &'static str,
    /// About whom.
    pub people: Vec<&'static str>,
    /// Which kinds of personal data.
    pub categories: Vec<&'static str>,
    /// Every place of personal data.
    pub places: Vec<PlaceRecord>,
}

/// One place where personal data is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlaceRecord {
    /// Where.
    pub place: String,
    /// What it is.
    pub means: &'static str,
    /// About whom.
    pub whose: Whose,
    /// Of which kind.
    pub category: Category,
    /// For how long.
    pub retention: String,
    /// What ends that, for programs.
    pub ends: End,
    /// What an erasure does.
    pub erasure: String,
}

/// The records, of the map as it is.
pub fn records() -> Records {
    let items = crate::items();
    let activities = ACTIVITIES.iter().map(|activity| record(activity, &items));
    Records {
        activities: activities.collect(),
    }
}

fn record(activity: &'static Activity, items: &[Item]) -> Record {
    let own = items
        .iter()
        .filter(|item| item.activity == activity && item.whose != Whose::Nobody);
    let own: Vec<&Item> = own.collect();
    let people: BTreeSet<Whose> = own.iter().map(|item| item.whose).collect();
    let categories: BTreeSet<Category> = own.iter().map(|item| item.category).collect();
    Record {
        id: activity.id,
        name: activity.name,
        purpose: activity.purpose,
        basis: activity.basis,
        legal_basis: activity.basis.as_str(),
        recipients: activity.recipients,
        people: people.into_iter().map(Whose::as_str).collect(),
        categories: categories.into_iter().map(Category::as_str).collect(),
        places: own.into_iter().map(place).collect(),
    }
}

fn place(item: &Item) -> PlaceRecord {
    PlaceRecord {
        place: item.place.to_string(),
        means: item.means,
        whose: item.whose,
        category: item.category,
        retention: item.retention.in_words(),
        ends: item.retention.end(),
        erasure: item.erasure.in_words(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_activity_says_whose_data_it_needs_and_where_it_is() {
        for record in records().activities {
            assert!(!record.people.is_empty(), "{}", record.id);
            assert!(!record.categories.is_empty(), "{}", record.id);
            assert!(!record.places.is_empty(), "{}", record.id);
        }
    }

    #[test]
    fn all_that_names_somebody_is_recorded_once() {
        let recorded = records().activities;
        let recorded: usize = recorded.iter().map(|record| record.places.len()).sum();
        let items = crate::items();
        let named = items.iter().filter(|item| item.whose != Whose::Nobody);
        assert_eq!(recorded, named.count());
    }
}
