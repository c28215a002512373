//! What is to be done so that a person is here as they were there.

use anyhow::{Context as _, ensure};
use archive::{Document, Row};
use chrono::{DateTime, Utc};
use clients::auth::Role;
use clients::import::{AnyKnown, BeginImport, RatingGiven, ReturnCredential, ReturnIdentity};
use data_map::{IMPORTS, Import, Table};
use envelope::{EventId, ImageId, Rating, TickId, UserId};
use uuid::Uuid;

use super::check::{self, Checked, Person, id, only_row, value};
use super::others::{self, Others};

/// Where ratings are kept: those that somebody gave are taken in another way than those that they were given.
pub(super) const RATINGS: (&str, &str) = ("tick-api", "rating");

/// How the person logs in from now on, and as what.
pub(super) struct Account {
    pub password: Option<String>,
    pub role: Role,
}

/// What an archive holds, checked and sorted by who takes it.
pub(super) struct Plan {
    pub identity: ReturnIdentity,
    /// Rows by service and table, in the order in which they can be taken.
    pub rows: Vec<(&'static Table, Vec<Row>)>,
    pub given: Vec<RatingGiven>,
    person: Person,
    now: DateTime<Utc>,
    /// When there was a password first.
    created_at: DateTime<Utc>,
    confirmed_at: DateTime<Utc>,
    ticks: Vec<TickId>,
    old_majors: Vec<String>,
}

impl Plan {
    /// Refuses what is not the export of one person.
    pub(super) fn new(document: &Document, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let person = check::person(document)?;
        let checked = check::tables(document, &person)?;
        let identity = identity(document, &person)?;
        let credential = only_row(document, "auth-api", "credential")?;
        // What is made from the secret is checked before anybody is asked for one.
        let others = others::complete(document, &person, Uuid::nil(), now)?;
        Ok(Self {
            old_majors: others.old_majors(),
            // Whoever was made an account by an operator before they confirmed it.
            confirmed_at: value(credential, "confirmed_at").unwrap_or(identity.created_at),
            created_at: value(credential, "created_at").unwrap_or(identity.created_at),
            rows: rows(checked),
            given: given(document, &person)?,
            ticks: ticks(document, &person)?,
            identity,
            person,
            now,
        })
    }

    /// The first question.
    pub(super) fn beginning(&self, hash: &str) -> BeginImport {
        BeginImport {
            user: self.identity.user,
            archive: hash.to_owned(),
            email: self.identity.email.clone(),
            name: self.identity.name.clone(),
            old_majors: self.old_majors.clone(),
        }
    }

    /// What must not be here yet.
    pub(super) fn unknown(&self) -> AnyKnown {
        AnyKnown {
            user: self.identity.user,
            photos: self.person.photos.iter().copied().map(ImageId).collect(),
            rated: self.given.iter().map(|given| given.image).collect(),
            ticks: self.ticks.clone(),
        }
    }

    /// Events, and ratings that the person was given, with ids for those whom the archive does not name.
    pub(super) fn others(&self, document: &Document, secret: Uuid) -> anyhow::Result<Others> {
        others::complete(document, &self.person, secret, self.now)
    }

    /// The last question but one.
    pub(super) fn credential(&self, account: Account) -> ReturnCredential {
        ReturnCredential {
            user: self.identity.user,
            password: account.password,
            role: account.role,
            created_at: self.created_at,
            confirmed_at: self.confirmed_at,
        }
    }
}

/// Rows of tables whose services take them as they are, but ratings.
fn rows(checked: Vec<Checked<'_>>) -> Vec<(&'static Table, Vec<Row>)> {
    let place = |table: &Table| {
        let mut all = IMPORTS.iter();
        all.position(|(service, name, _)| (*service, *name) == (table.service, table.name))
    };
    let taken = checked
        .into_iter()
        .filter(|one| one.import == Import::Rows && (one.table.service, one.table.name) != RATINGS);
    let mut taken: Vec<Checked<'_>> = taken.collect();
    taken.sort_by_key(|one| place(one.table));
    let rows = taken.into_iter();
    rows.map(|one| (one.table, one.rows.to_vec())).collect()
}

fn ticks(document: &Document, person: &Person) -> anyhow::Result<Vec<TickId>> {
    for tick in document.rows("tick-api", "tick") {
        let image = id(tick, "image");
        ensure!(
            image.is_some_and(|image| person.photos.contains(&image)),
            "a tick in the archive has a photo that is not in it"
        );
    }
    let ticks = ["tick", "deleted_tick"].into_iter();
    let ticks = ticks.flat_map(|table| document.rows("tick-api", table));
    let ticks: Option<Vec<TickId>> = ticks.map(|row| id(row, "id").map(TickId)).collect();
    ticks.context("a tick in the archive has no id")
}

/// The ratings that the person gave.
fn given(document: &Document, person: &Person) -> anyhow::Result<Vec<RatingGiven>> {
    let rows = document.rows(RATINGS.0, RATINGS.1);
    let own = rows.filter(|row| id(row, "rater") == Some(person.id));
    let given = own.map(|row| {
        let image = id(row, "image").filter(|image| !person.photos.contains(image));
        Some(RatingGiven {
            image: ImageId(image?),
            rating: value::<Option<Rating>>(row, "rating")?,
            event: EventId(id(row, "event_id")?),
            at: value(row, "rated_at")?,
        })
    });
    let given: Option<Vec<RatingGiven>> = given.collect();
    given.context("a rating in the archive, given by its person, is none")
}

fn identity(document: &Document, person: &Person) -> anyhow::Result<ReturnIdentity> {
    let row = only_row(document, "user-api", "identity")?;
    let lacks =
        |column: &str| format!("holdings: user-api: identity in the archive has no {column}");
    Ok(ReturnIdentity {
        user: UserId(person.id),
        account: id(row, "account_id").with_context(|| lacks("account_id"))?,
        email: value(row, "email_sealed").with_context(|| lacks("email_sealed"))?,
        name: value(row, "name_sealed").with_context(|| lacks("name_sealed"))?,
        notifications: value(row, "notifications").with_context(|| lacks("notifications"))?,
        locale: value(row, "locale").with_context(|| lacks("locale"))?,
        created_at: value(row, "created_at").with_context(|| lacks("created_at"))?,
    })
}
