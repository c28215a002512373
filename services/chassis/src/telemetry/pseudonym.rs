//! How logs name a person: by a keyed hash that is another one each day. Whoever reads the logs can follow what somebody met with
//! today, and can tell neither who it is nor whether it is the same person as yesterday.

use std::sync::OnceLock;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::clock::Clock;
use crate::keys::{Keys, PurposeKey};

/// The same in all processes of a deployment. One that has not been told it names people by a key that ends with it.
static KEY: OnceLock<PurposeKey> = OnceLock::new();

/// So many hexadecimal digits tell the people of a day apart.
const DIGITS: usize = 16;

/// Names people by the deployment's key from now on.
pub fn name_people_by(keys: &Keys) {
    // A part of a key that every key ring has. Only tests start twice in a process, and one key is as good as another there.
    let _ = KEY.set(keys.purpose("fence").part("logs"));
}

/// How a person is named today.
pub fn pseudonym(person: Uuid) -> String {
    let key = KEY.get_or_init(PurposeKey::random);
    of_day(key, person, Clock::default().now().date_naive())
}

fn of_day(key: &PurposeKey, person: Uuid, day: NaiveDate) -> String {
    let mut name = key.part(&day.to_string()).hash(person.as_bytes());
    name.truncate(DIGITS);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_one_name_a_day_and_another_the_next() {
        let key = PurposeKey::from_bytes([1; 32]);
        let (ada, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let day = NaiveDate::from_ymd_opt(2026, 5, 1).unwrap();
        let name = of_day(&key, ada, day);
        assert_eq!(name, of_day(&key, ada, day));
        assert_ne!(name, of_day(&key, bob, day));
        assert_ne!(name, of_day(&key, ada, day.succ_opt().unwrap()));
        let elsewhere = PurposeKey::from_bytes([2; 32]);
        assert_ne!(name, of_day(&elsewhere, ada, day));
        assert!(name.len() == DIGITS && !name.contains(&ada.simple().to_string()[..8]));
    }
}
