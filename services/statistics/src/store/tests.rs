//! The laws of counting: the order of events does not matter, and who is erased never was.

mod days;
mod examples;
mod leaving;

use chassis::clock::Clock;
use chassis::database::{Database, DatabaseUrl};
use chassis::keys::Keys;
use chassis::unit_of_work::Work;
use clients::statistics::Figures;
use envelope::{EventId, ImageId, TickId, UserId, tick};
use proptest::prelude::*;
use uuid::Uuid;

use super::facts::{Fact, Kind};
use super::limits::Wish;
use super::people::Source;
use super::ratings::Word;
use super::scores::Scored;
use super::ticks::Ticked;
use super::{
    erasure, facts, figures, held, limits, people, ratings, retention, scores, series, ticks,
};
use crate::period::{DAY_MICROS, Period};
use crate::store::series::Counted;
use crate::{MIGRATIONS, NAME};

/// What may happen, among few people, so that things often meet. A person's image has their number.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Tick {
        id: u8,
        user: u8,
    },
    TickDeleted {
        id: u8,
        user: u8,
    },
    Rated {
        id: u8,
        user: u8,
        image: u8,
        value: i64,
        at: i64,
    },
    Withdrawn {
        id: u8,
        user: u8,
        image: u8,
        at: i64,
    },
    Scored {
        id: u8,
        image: u8,
    },
    Mailed {
        id: u8,
        user: u8,
    },
    LoggedIn {
        id: u8,
        user: u8,
    },
}

impl Happening {
    fn names(self, person: u8) -> bool {
        match self {
            Self::Tick { user, .. }
            | Self::TickDeleted { user, .. }
            | Self::Mailed { user, .. }
            | Self::LoggedIn { user, .. } => user == person,
            Self::Rated { user, image, .. } | Self::Withdrawn { user, image, .. } => {
                user == person || image == person
            }
            Self::Scored { image, .. } => image == person,
        }
    }
}

/// Ids of one kind of thing.
fn id(kind: u128, number: u8) -> Uuid {
    Uuid::from_u128((kind << 64) | u128::from(number))
}

fn user(number: u8) -> UserId {
    UserId(id(1, number))
}

fn image(number: u8) -> ImageId {
    ImageId(id(2, number))
}

async fn open(folder: &tempfile::TempDir) -> Database {
    let url = DatabaseUrl::Sqlite(folder.path().to_owned());
    let key = Keys::from_secret("0123456789abcdef0123456789abcdef")
        .unwrap()
        .purpose("fence");
    Database::open(&url, NAME, &MIGRATIONS, Clock::default(), key)
        .await
        .unwrap()
}

fn species(number: u8) -> tick::Species {
    tick::Species {
        id: format!("s{number}"),
        scientific: "Parus major".to_owned(),
        english: "Great Tit".to_owned(),
    }
}

/// The species that ticks are of unless a test says otherwise.
const SPECIES: &str = "s1";

async fn tick(work: &mut Work, number: u8, owner: u8) {
    tick_at(work, number, owner, DAY_MICROS).await;
}

async fn tick_at(work: &mut Work, number: u8, owner: u8, at: i64) {
    let species = species(1);
    let ticked = Ticked {
        id: TickId(id(3, number)),
        user: user(owner),
        image: image(owner),
        species: Some(&species),
        revision: 0,
        at,
    };
    ticks::insert(work, [ticked].into_iter()).await.unwrap();
    seen(work, owner, Source::Tick).await;
}

async fn seen(work: &mut Work, number: u8, source: Source) {
    let users = [user(number)].into_iter();
    people::insert(work, users, source).await.unwrap();
}

async fn fact(work: &mut Work, kind: Kind, number: u8, of: (Option<UserId>, Option<ImageId>)) {
    let fact = Fact {
        event: EventId(id(4 + kind as u128, number)),
        kind,
        user: of.0,
        image: of.1,
        at: DAY_MICROS,
    };
    facts::insert(work, [fact].into_iter()).await.unwrap();
}

async fn rate(work: &mut Work, number: u8, of: (u8, u8), value: Option<i64>, at: i64) {
    let said = Word {
        user: user(of.0),
        image: image(of.1),
        owner: None,
        value,
        at,
        event: EventId(id(9, number)),
    };
    ratings::record(work, [said].into_iter()).await.unwrap();
    if value.is_some() {
        seen(work, of.0, Source::Rate).await;
    }
}

async fn score(work: &mut Work, number: u8, of: u8, score: f64) {
    let scored = Scored {
        image: image(of),
        score,
        at: DAY_MICROS,
        event: EventId(id(8, number)),
    };
    scores::record(work, [scored].into_iter()).await.unwrap();
}

async fn apply(work: &mut Work, happening: Happening) {
    match happening {
        Happening::Tick { id, user } => tick(work, id, user).await,
        Happening::TickDeleted {
            id: number,
            user: of,
        } => {
            ticks::take_back(work, TickId(id(3, number)), user(of))
                .await
                .unwrap();
        }
        Happening::Rated {
            id,
            user,
            image,
            value,
            at,
        } => {
            rate(work, id, (user, image), Some(value), at).await;
        }
        Happening::Withdrawn {
            id,
            user,
            image,
            at,
        } => {
            // Events of different kinds have different ids.
            rate(work, id + 100, (user, image), None, at).await;
        }
        Happening::Scored { id, image: of } => {
            fact(work, Kind::Score, id, (None, Some(image(of)))).await;
            score(work, id, of, 1.0 + f64::from(id % 5)).await;
        }
        Happening::Mailed { id, user: of } => {
            fact(work, Kind::Notification, id, (Some(user(of)), None)).await;
        }
        Happening::LoggedIn { id, user: of } => {
            fact(work, Kind::Login, id, (Some(user(of)), None)).await;
            seen(work, of, Source::User).await;
        }
    }
}

const NO_FIGURE: Wish = Wish {
    figures: true,
    scores: false,
};

async fn limit(work: &mut Work, number: u8, wish: Wish, at: i64) {
    limits::set(work, user(number), wish, at).await.unwrap();
}

/// Who is not to be in any figure, and why.
#[derive(Clone, Copy, Debug)]
enum Without {
    Nobody,
    Erased(u8),
    Limited(u8),
}

/// Everything that can be asked.
#[derive(Debug, PartialEq)]
struct Counts {
    figures: Figures,
    ratings: Vec<(i64, i64)>,
    ticks: Vec<(i64, i64)>,
    scores: Vec<(i64, i64)>,
    weeks: Vec<retention::Row>,
}

/// What is counted after these happenings and perhaps an erasure. Nothing is kept.
async fn counted(database: &Database, happenings: &[Happening], without: Without) -> Counts {
    let mut work = database.begin().await.unwrap();
    if let Without::Limited(person) = without {
        limit(&mut work, person, NO_FIGURE, 1).await;
    }
    for happening in happenings {
        apply(&mut work, *happening).await;
    }
    if let Without::Erased(person) = without {
        crate::erasure::erase(&mut work, user(person))
            .await
            .unwrap();
    }
    let period = Period {
        from: 0,
        until: 9 * DAY_MICROS,
    };
    let ticks = series::by_day(&mut work, Counted::Ticks, period, 1);
    Counts {
        ticks: ticks.await.unwrap(),
        figures: figures::totals(&mut work).await.unwrap(),
        ratings: figures::ratings_by_value(&mut work).await.unwrap(),
        scores: scores::spread(&mut work, SPECIES, 1).await.unwrap(),
        weeks: retention::by_week(&mut work, 0, 1).await.unwrap(),
    }
}

fn happening() -> impl Strategy<Value = Happening> {
    let (id, one) = (0_u8..6, 0_u8..4);
    prop_oneof![
        // A tick's id belongs to one person.
        id.clone()
            .prop_map(|id| Happening::Tick { id, user: id % 4 }),
        id.clone()
            .prop_map(|id| Happening::TickDeleted { id, user: id % 4 }),
        // An event is one thing only: everything follows from its number.
        (0_u8..60).prop_map(|id| Happening::Rated {
            id,
            user: id % 4,
            image: id / 4 % 4,
            value: i64::from(id % 5) + 1,
            at: i64::from(id) * 7 % 5,
        }),
        (0_u8..60).prop_map(|id| Happening::Withdrawn {
            id,
            user: id % 4,
            image: id / 4 % 4,
            at: i64::from(id) * 3 % 5,
        }),
        (id.clone(), one.clone()).prop_map(|(id, image)| Happening::Scored {
            id: id + 6 * image,
            image
        }),
        (id.clone(), one.clone()).prop_map(|(id, user)| Happening::Mailed {
            id: id + 6 * user,
            user
        }),
        (id, one).prop_map(|(id, user)| Happening::LoggedIn {
            id: id + 6 * user,
            user
        }),
    ]
}

fn history() -> impl Strategy<Value = (Vec<Happening>, Vec<Happening>)> {
    prop::collection::vec(happening(), 0..25)
        .prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle()))
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_events_does_not_matter((events, shuffled) in history()) {
        run(async {
            let folder = tempfile::tempdir().unwrap();
            let database = open(&folder).await;
            let first = counted(&database, &events, Without::Nobody).await;
            prop_assert_eq!(first, counted(&database, &shuffled, Without::Nobody).await);
            Ok(())
        })?;
    }

    #[test]
    fn who_is_erased_never_was((mut events, _) in history(), person in 0_u8..4) {
        // The person's image is known by a tick of theirs; the others are known by themselves.
        events.insert(0, Happening::Tick { id: person, user: person });
        events.extend((0..4).map(|user| Happening::LoggedIn { id: 90 + user, user }));
        run(async {
            let folder = tempfile::tempdir().unwrap();
            let database = open(&folder).await;
            let without: Vec<_> = events.iter().copied().filter(|event| !event.names(person)).collect();
            let erased = counted(&database, &events, Without::Erased(person)).await;
            prop_assert_eq!(erased, counted(&database, &without, Without::Nobody).await);
            Ok(())
        })?;
    }

    #[test]
    fn who_wants_to_be_in_no_figure_never_was((mut events, _) in history(), person in 0_u8..4) {
        // The person's image is known by a tick of theirs; the others are known by themselves.
        events.push(Happening::Tick { id: person, user: person });
        events.extend((0..4).map(|user| Happening::LoggedIn { id: 90 + user, user }));
        run(async {
            let folder = tempfile::tempdir().unwrap();
            let database = open(&folder).await;
            let without: Vec<_> = events.iter().copied().filter(|event| !event.names(person)).collect();
            let limited = counted(&database, &events, Without::Limited(person)).await;
            prop_assert_eq!(limited, counted(&database, &without, Without::Nobody).await);
            Ok(())
        })?;
    }
}
