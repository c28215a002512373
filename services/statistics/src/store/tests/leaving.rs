//! What cells show to whom, before and after somebody leaves them.

use super::*;
use crate::audience::Audience::{self, Public, Staff};
use crate::store::cells::Cell;

const LATER: i64 = DAY_MICROS + 5;
const FIRST_DAY: Period = Period {
    from: DAY_MICROS,
    until: 2 * DAY_MICROS,
};

/// What a day's ticks, a species' ticks, a bucket of its scores and a cohort's first week show.
async fn shown(work: &mut Work, audience: Audience) -> [Option<i64>; 4] {
    let k = audience.k();
    let days = series::by_day(work, Counted::Ticks, FIRST_DAY, k)
        .await
        .unwrap();
    let top = figures::top_species(work, k, 1).await.unwrap();
    let scores = scores::spread(work, SPECIES, k).await.unwrap();
    let weeks = retention::by_week(work, 0, k).await.unwrap();
    let cells = [
        days.first()
            .map(|(day, n)| (Cell::Day(Counted::Ticks, *day), *n)),
        top.first().map(|row| (Cell::Species(row.0.clone()), row.3)),
        scores
            .first()
            .map(|(bucket, n)| (Cell::Scores(SPECIES.to_owned(), *bucket), *n)),
        weeks
            .first()
            .map(|(cohort, week, n)| (Cell::Retention(*cohort, *week), *n)),
    ];
    let mut all = [None; 4];
    for (cell, number) in cells.into_iter().zip(&mut all) {
        if let Some(cell) = cell {
            *number = held::shown(work, &[cell], audience).await.unwrap()[0];
        }
    }
    all
}

/// The same number everywhere.
fn all(number: i64) -> [Option<i64>; 4] {
    [Some(number); 4]
}

const NOTHING: [Option<i64>; 4] = [None; 4];

/// Somebody ticks once, and their photo is scored.
async fn comes(work: &mut Work, person: u8, at: i64) {
    tick_at(work, person, person, at).await;
    let scored = Scored {
        image: image(person),
        score: 3.0,
        at,
        event: EventId(id(8, person)),
    };
    scores::record(work, [scored].into_iter()).await.unwrap();
}

async fn leaves(work: &mut Work, number: u8, at: i64) {
    held::hold(work, user(number), at).await.unwrap();
    crate::erasure::erase(work, user(number)).await.unwrap();
}

#[tokio::test]
async fn staff_see_cells_of_five_people_and_the_public_those_of_ten() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = open(&folder).await.begin().await.unwrap();
    for people in 1..=10 {
        comes(&mut work, people, DAY_MICROS).await;
        let expected = |k: u8| {
            if people < k {
                NOTHING
            } else {
                all(people.into())
            }
        };
        assert_eq!(shown(&mut work, Staff).await, expected(5), "{people}");
        assert_eq!(shown(&mut work, Public).await, expected(10), "{people}");
    }
}

#[tokio::test]
async fn what_a_cell_shows_before_and_after_an_erasure_tells_nothing_of_who_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = open(&folder).await.begin().await.unwrap();
    for person in 0..11 {
        comes(&mut work, person, DAY_MICROS).await;
    }
    leaves(&mut work, 0, DAY_MICROS).await;
    for audience in [Staff, Public] {
        assert_eq!(shown(&mut work, audience).await, all(11), "{audience:?}");
    }
    // With nine people left there is no cell for the public to see, with four none for staff.
    leaves(&mut work, 1, DAY_MICROS).await;
    assert_eq!(shown(&mut work, Public).await, NOTHING);
    assert_eq!(shown(&mut work, Staff).await, all(11));
    for person in 2..7 {
        leaves(&mut work, person, DAY_MICROS).await;
    }
    assert_eq!(shown(&mut work, Staff).await, NOTHING);
    // Who was there before makes nobody new.
    for person in 20..26 {
        comes(&mut work, person, DAY_MICROS).await;
    }
    assert_eq!(shown(&mut work, Public).await, all(11));
    assert_eq!(shown(&mut work, Staff).await, all(11));
}

#[tokio::test]
async fn a_cell_shows_what_is_counted_again_once_enough_are_new_for_its_audience() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = open(&folder).await.begin().await.unwrap();
    for person in 0..12 {
        comes(&mut work, person, DAY_MICROS).await;
    }
    leaves(&mut work, 0, DAY_MICROS).await;
    for (new, staff, public) in [(4, 12, 12), (5, 16, 12), (9, 20, 12), (10, 21, 21)] {
        for person in 20..20 + new {
            comes(&mut work, person, LATER).await;
        }
        assert_eq!(shown(&mut work, Staff).await, all(staff), "{new} are new");
        assert_eq!(shown(&mut work, Public).await, all(public), "{new} are new");
    }
}

#[tokio::test]
async fn the_public_is_never_shown_a_number_that_staff_were_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = open(&folder).await.begin().await.unwrap();
    for person in 0..12 {
        comes(&mut work, person, DAY_MICROS).await;
    }
    leaves(&mut work, 0, DAY_MICROS).await;
    for person in 20..29 {
        comes(&mut work, person, LATER).await;
    }
    // Staff see what is counted; then somebody else leaves, and a tenth comes. Counted without the one and with the
    // other, the public's number and the one that staff still see would differ by the two of them.
    assert_eq!(shown(&mut work, Staff).await, all(20));
    leaves(&mut work, 1, LATER).await;
    comes(&mut work, 29, LATER + 1).await;
    assert_eq!(shown(&mut work, Staff).await, all(20));
    assert_eq!(shown(&mut work, Public).await, all(12));
}

#[tokio::test]
async fn what_staff_saw_of_few_people_is_not_shown_to_the_public_when_there_are_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = open(&folder).await.begin().await.unwrap();
    for person in 0..8 {
        comes(&mut work, person, DAY_MICROS).await;
    }
    leaves(&mut work, 0, DAY_MICROS).await;
    for person in 20..24 {
        comes(&mut work, person, LATER).await;
    }
    assert_eq!(shown(&mut work, Staff).await, all(8));
    assert_eq!(shown(&mut work, Public).await, NOTHING);
    comes(&mut work, 24, LATER).await;
    assert_eq!(shown(&mut work, Staff).await, all(12));
    assert_eq!(shown(&mut work, Public).await, all(12));
}

#[tokio::test]
async fn a_week_shows_no_difference_when_the_one_leaves_whom_its_people_rated() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = open(&folder).await.begin().await.unwrap();
    let later = DAY_MICROS * 10;
    for person in 0..12 {
        comes(&mut work, person, DAY_MICROS).await;
        if person > 0 {
            rate(&mut work, person, (person, 0), Some(4), later).await;
        }
    }
    let second_week = async |work: &mut Work| {
        let weeks = retention::by_week(work, 0, 1).await.unwrap();
        let cell = weeks.iter().find(|(cohort, week, _)| week - cohort == 1);
        let cell = cell.map(|(cohort, week, n)| (Cell::Retention(*cohort, *week), *n));
        let cells = [cell?];
        held::shown(work, &cells, Public).await.unwrap()[0]
    };
    assert_eq!(second_week(&mut work).await, Some(11));
    // One of them ticked as well that week; ten others were there only for the photo that goes.
    tick_at(&mut work, 100, 1, later).await;
    leaves(&mut work, 0, later).await;
    assert_eq!(second_week(&mut work).await, Some(11));
}

#[tokio::test]
async fn who_objects_to_scores_is_in_no_histogram_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = open(&folder).await.begin().await.unwrap();
    for person in 0..3 {
        comes(&mut work, person, DAY_MICROS).await;
    }
    let unscored = Wish {
        figures: false,
        scores: true,
    };
    limit(&mut work, 0, unscored, 1).await;
    let spread = scores::spread(&mut work, SPECIES, 1).await.unwrap();
    assert_eq!(spread, [(10, 2)]);
    assert_eq!(figures::totals(&mut work).await.unwrap().ticks, 3);
}

#[tokio::test]
async fn a_day_that_was_held_shows_the_same_when_it_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = open(&folder).await.begin().await.unwrap();
    for person in 0..12 {
        let (id, user) = (person, person);
        apply(&mut work, Happening::LoggedIn { id, user }).await;
    }
    leaves(&mut work, 0, DAY_MICROS).await;
    let logins = Counted::Facts(Kind::Login);
    let day = async |work: &mut Work| {
        let days = series::by_day(work, logins, FIRST_DAY, 10).await.unwrap();
        let cells = [(Cell::Day(logins, days[0].0), days[0].1)];
        held::shown(work, &cells, Public).await.unwrap()[0]
    };
    assert_eq!(day(&mut work).await, Some(12));
    facts::seal_oldest(&mut work, Kind::Login, 2).await.unwrap();
    assert_eq!(day(&mut work).await, Some(12));
}

#[tokio::test]
async fn a_sealed_day_of_five_people_is_for_staff() {
    for (people, seen) in [(4, [0, 0]), (5, [1, 0]), (9, [1, 0]), (10, [1, 1])] {
        let folder = tempfile::tempdir().unwrap();
        let mut work = open(&folder).await.begin().await.unwrap();
        for person in 0..people {
            let (id, user) = (person, person);
            apply(&mut work, Happening::LoggedIn { id, user }).await;
        }
        facts::seal_oldest(&mut work, Kind::Login, 2).await.unwrap();
        for (audience, seen) in [Staff, Public].into_iter().zip(seen) {
            let logins = Counted::Facts(Kind::Login);
            let days = series::by_day(&mut work, logins, FIRST_DAY, audience.k());
            assert_eq!(days.await.unwrap().len(), seen, "{people} {audience:?}");
        }
    }
}
