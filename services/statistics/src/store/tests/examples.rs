//! What is counted, in single cases.

use super::*;

#[tokio::test]
async fn totals_count_what_stands() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder).await;
    let events = [
        Happening::Tick { id: 1, user: 1 },
        Happening::Tick { id: 2, user: 1 },
        Happening::TickDeleted { id: 2, user: 1 },
        Happening::TickDeleted { id: 1, user: 2 },
        Happening::Rated {
            id: 1,
            user: 2,
            image: 1,
            value: 2,
            at: 1,
        },
        Happening::Rated {
            id: 2,
            user: 2,
            image: 1,
            value: 5,
            at: 2,
        },
        Happening::Scored { id: 1, image: 1 },
        Happening::Mailed { id: 1, user: 1 },
        Happening::LoggedIn { id: 1, user: 3 },
    ];
    let counts = counted(&database, &events, Without::Nobody).await;
    let expected = Figures {
        ticks: 1,
        ratings: 1,
        images: 1,
        scores: 1,
        notifications: 1,
        logins: 1,
        users: 3,
    };
    assert_eq!(counts.figures, expected);
    assert_eq!(counts.ratings, [(5, 1)]);
    assert_eq!(counts.ticks, [(1, 1)]);
    assert_eq!(counts.scores, [(5, 1)]);
    assert_eq!(counts.weeks, [(0, 0, 1)]);
}

#[tokio::test]
async fn a_cell_with_too_few_people_is_not_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = open(&folder).await.begin().await.unwrap();
    for person in 0..9 {
        tick(&mut work, person, person).await;
    }
    tick(&mut work, 100, 0).await;
    fact(&mut work, Kind::Score, 1, (None, Some(image(0)))).await;
    let period = Period {
        from: 0,
        until: 9 * DAY_MICROS,
    };
    let shown = series::by_day(&mut work, Counted::Ticks, period, 10)
        .await
        .unwrap();
    assert_eq!(shown, []);
    assert_eq!(figures::top_species(&mut work, 10, 100).await.unwrap(), []);
    tick(&mut work, 9, 9).await;
    let shown = series::by_day(&mut work, Counted::Ticks, period, 10)
        .await
        .unwrap();
    assert_eq!(shown, [(1, 11)]);
    let top = figures::top_species(&mut work, 10, 100).await.unwrap();
    assert_eq!(top[0].3, 11);
    // Two ticks of an image are one score of one person.
    let scores = Counted::Facts(Kind::Score);
    let shown = series::by_day(&mut work, scores, period, 1).await.unwrap();
    assert_eq!(shown, [(1, 1)]);
}

const LOGINS: Counted = Counted::Facts(Kind::Login);
const TEN_DAYS: Period = Period {
    from: 0,
    until: 10 * DAY_MICROS,
};

/// Seals all days before another.
async fn seal(work: &mut Work, before: i64) {
    while facts::seal_oldest(work, Kind::Login, before)
        .await
        .unwrap()
        .is_some()
    {}
}

#[tokio::test]
async fn a_login_of_a_sealed_day_stays_counted_and_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = open(&folder).await.begin().await.unwrap();
    apply(&mut work, Happening::LoggedIn { id: 1, user: 1 }).await;
    let before = figures::totals(&mut work).await.unwrap();
    let shown = series::by_day(&mut work, LOGINS, TEN_DAYS, 1)
        .await
        .unwrap();
    assert_eq!(shown, [(1, 1)]);
    seal(&mut work, 1).await;
    let shown = series::by_day(&mut work, LOGINS, TEN_DAYS, 1)
        .await
        .unwrap();
    assert_eq!(shown, [(1, 1)], "the day has not come");
    seal(&mut work, 2).await;
    assert_eq!(figures::totals(&mut work).await.unwrap(), before);
    // Fewer than ten people: it is not kept which day it was.
    let shown = series::by_day(&mut work, LOGINS, TEN_DAYS, 1)
        .await
        .unwrap();
    assert_eq!(shown, []);
    crate::erasure::erase(&mut work, user(1)).await.unwrap();
    let logins = figures::totals(&mut work).await.unwrap().logins;
    assert_eq!(
        logins, 1,
        "a number names nobody, so nobody can be taken from it"
    );
}

#[tokio::test]
async fn a_sealed_day_of_many_people_is_still_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = open(&folder).await.begin().await.unwrap();
    for person in 0..10 {
        let (id, user) = (person, person);
        apply(&mut work, Happening::LoggedIn { id, user }).await;
    }
    let before = figures::totals(&mut work).await.unwrap();
    seal(&mut work, 2).await;
    let shown = series::by_day(&mut work, LOGINS, TEN_DAYS, 10)
        .await
        .unwrap();
    assert_eq!(shown, [(1, 10)]);
    assert_eq!(figures::totals(&mut work).await.unwrap(), before);
}

#[tokio::test]
async fn what_comes_late_to_a_sealed_day_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = open(&folder).await.begin().await.unwrap();
    apply(&mut work, Happening::LoggedIn { id: 1, user: 1 }).await;
    seal(&mut work, 2).await;
    let before = figures::totals(&mut work).await.unwrap();
    // Once more, another, and one of another kind.
    apply(&mut work, Happening::LoggedIn { id: 1, user: 1 }).await;
    apply(&mut work, Happening::LoggedIn { id: 2, user: 1 }).await;
    assert_eq!(figures::totals(&mut work).await.unwrap(), before);
    apply(&mut work, Happening::Mailed { id: 1, user: 1 }).await;
    let after = figures::totals(&mut work).await.unwrap();
    assert_eq!(after.notifications, before.notifications + 1);
}

#[tokio::test]
async fn an_erased_persons_images_are_fenced_also_after_their_ticks_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = open(&folder).await.begin().await.unwrap();
    tick(&mut work, 1, 1).await;
    ticks::take_back(&mut work, TickId(id(3, 1)), user(1))
        .await
        .unwrap();
    assert_eq!(
        erasure::images_of(&mut work, user(1)).await.unwrap(),
        [image(1).0]
    );
    assert!(crate::erasure::erase(&mut work, user(1)).await.unwrap().1 > 0);
    assert!(work.is_erased(image(1).0).await.unwrap());
    assert_eq!(
        crate::erasure::erase(&mut work, user(1)).await.unwrap().1,
        0
    );
}

#[tokio::test]
async fn of_what_is_told_of_somebodys_wish_the_newest_stands() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = open(&folder).await.begin().await.unwrap();
    apply(&mut work, Happening::LoggedIn { id: 1, user: 1 }).await;
    for (wish, at, users) in [
        (NO_FIGURE, 10, 0),
        (Wish::default(), 30, 1),
        (NO_FIGURE, 20, 1),
        (NO_FIGURE, 40, 0),
    ] {
        limit(&mut work, 1, wish, at).await;
        let figures = figures::totals(&mut work).await.unwrap();
        assert_eq!((figures.users, figures.logins), (users, users), "{at}");
    }
}

#[tokio::test]
async fn a_day_is_sealed_without_those_who_want_to_be_in_no_figure() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = open(&folder).await.begin().await.unwrap();
    for person in 0..11 {
        let (id, user) = (person, person);
        apply(&mut work, Happening::LoggedIn { id, user }).await;
    }
    limit(&mut work, 0, NO_FIGURE, 1).await;
    seal(&mut work, 2).await;
    let shown = series::by_day(&mut work, LOGINS, TEN_DAYS, 1)
        .await
        .unwrap();
    assert_eq!(shown, [(1, 10)]);
    limit(&mut work, 0, Wish::default(), 2).await;
    let logins = figures::totals(&mut work).await.unwrap().logins;
    assert_eq!(logins, 10, "what was sealed meanwhile does not come back");
}

#[tokio::test]
async fn of_a_tick_the_newest_that_was_said_stands_in_whatever_order_it_came() {
    const SAID: &str = "SELECT species_id, revision FROM tick WHERE stands = true";
    let said = [0_u32, 1, 2];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 2, 1]] {
        let folder = tempfile::tempdir().unwrap();
        let mut work = open(&folder).await.begin().await.unwrap();
        for revision in order.map(|place: usize| said[place]) {
            let species = species(u8::try_from(revision).unwrap());
            let ticked = Ticked {
                id: TickId(id(3, 1)),
                user: user(1),
                image: image(1),
                species: Some(&species).filter(|_| revision < 2),
                revision,
                at: DAY_MICROS,
            };
            ticks::insert(&mut work, [ticked].into_iter())
                .await
                .unwrap();
        }
        let rows: Vec<(Option<String>, i64)> =
            chassis::sql!(work, c => sqlx::query_as(SAID).fetch_all(c).await).unwrap();
        assert_eq!(rows, [(None, 2)], "{order:?}");
    }
}
