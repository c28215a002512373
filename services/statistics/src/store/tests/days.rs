//! What stays of a day for ever: rows that are about enough people, and name nobody.

use super::*;
use crate::long_term::{Row, rows};

fn row(event: &'static str, species: Option<&str>, rating: Option<i64>, count: i64) -> Row {
    Row {
        event,
        species: species.map(str::to_owned),
        rating,
        count,
    }
}

async fn tick_of(work: &mut Work, person: u8, of: u8) {
    let species = species(of);
    let ticked = Ticked {
        id: TickId(id(3, person)),
        user: user(person),
        image: image(person),
        species: Some(&species),
        revision: 0,
        at: DAY_MICROS,
    };
    ticks::insert(work, [ticked].into_iter()).await.unwrap();
}

/// Twenty-five people tick a common species, three a rare one; twelve log in, nine are mailed; everybody rates, one low.
async fn a_day(work: &mut Work) {
    for person in 0..28 {
        tick_of(work, person, if person < 25 { 1 } else { 2 }).await;
        let value = if person == 0 {
            1
        } else {
            4 + i64::from(person % 2)
        };
        rate(
            work,
            person,
            (person, (person + 1) % 28),
            Some(value),
            DAY_MICROS,
        )
        .await;
    }
    for person in 0..12 {
        fact(work, Kind::Login, person, (Some(user(person)), None)).await;
    }
    for person in 0..9 {
        fact(work, Kind::Notification, person, (Some(user(person)), None)).await;
    }
}

#[test]
fn rows_are_about_ten_people_and_the_rest_is_merged() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let mut work = open(&folder).await.begin().await.unwrap();
        a_day(&mut work).await;
        let rows = rows(&mut work, 1).await.unwrap();
        let expected = [
            // The rare species is hidden, and so the common one, which the sum would tell from it.
            row("tick", None, None, 28),
            // One low rating is hidden among the thirteen of the smaller value.
            row("rate", None, Some(5), 14),
            row("rate", None, None, 14),
            row("login", None, None, 12),
        ];
        assert_eq!(rows, expected);
    });
}

#[test]
fn of_a_day_that_somebody_left_the_sum_alone_is_told_as_it_was() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let mut work = open(&folder).await.begin().await.unwrap();
        a_day(&mut work).await;
        held::hold(&mut work, user(3), DAY_MICROS).await.unwrap();
        crate::erasure::erase(&mut work, user(3)).await.unwrap();
        let rows = rows(&mut work, 1).await.unwrap();
        let expected = [
            row("tick", None, None, 28),
            row("rate", None, None, 28),
            row("login", None, None, 12),
        ];
        assert_eq!(rows, expected);
    });
}
