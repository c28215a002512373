//! Streams, folders and files: where bytes lie, and so what a scan has to look through.

use std::time::Duration;

use envelope::catalogue::{ADMIN, DEAD, GDPR, NOTIFICATION, RATE, SCORE, TICK, USER};

use crate::activities::{
    ACCOUNTABILITY, ACCOUNTS, Activity, BACKUP, DELIVERY, ERASURE, MAIL, RATING_MAIL, RATINGS,
    SCORING, STATISTICS, TICKS,
};
use crate::model::{Category, Erasure, Item, Place, Retention, Whose};

/// How long a caught mail is kept.
pub const CAUGHT_MAIL: Duration = Duration::from_hours(30 * 24);

/// How long a backup lives, if nothing else is set.
pub const BACKUP_LIFE: Duration = Duration::from_hours(30 * 24);

/// What a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A stream of the broker.
    Stream,
    /// A folder or file in the data folder, by its path there.
    Path,
    /// What a process says or serves, and whoever runs it may keep.
    Output,
}

/// A stream, folder or file.
#[derive(Clone, Copy, Debug)]
pub struct Store {
    /// Its name, or its path below the data folder.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    whose: Whose,
    category: Category,
    activity: &'static Activity,
    retention: Retention,
    erasure: Erasure,
    means: &'static str,
}

impl Store {
    /// For how long what is in it is kept.
    pub const fn retention(&self) -> Retention {
        self.retention
    }
}

const fn stream(
    stream: &'static envelope::Stream,
    whose: Whose,
    activity: &'static Activity,
) -> Store {
    Store {
        name: stream.name,
        kind: Kind::Stream,
        whose,
        category: Category::Event,
        activity,
        retention: Retention::Stream(stream),
        erasure: Erasure::EventGoes,
        means: stream.description,
    }
}

const fn path(name: &'static str, means: &'static str) -> Store {
    Store {
        name,
        kind: Kind::Path,
        whose: Whose::Nobody,
        category: Category::Technical,
        activity: &DELIVERY,
        retention: Retention::Unlimited,
        erasure: Erasure::Stays("it names nobody"),
        means,
    }
}

const fn output(name: &'static str, means: &'static str) -> Store {
    Store {
        kind: Kind::Output,
        retention: Retention::UntilDeleted,
        ..path(name, means)
    }
}

/// Every stream of the broker, everything in the data folder, and what is said outside of it.
pub static STORES: &[Store] = &[
    stream(&TICK, Whose::AccountHolder, &TICKS),
    stream(&RATE, Whose::Rater, &RATINGS),
    stream(&SCORE, Whose::ImageOwner, &SCORING),
    stream(&NOTIFICATION, Whose::Recipient, &RATING_MAIL),
    Store {
        erasure: Erasure::Stays(
            "the request names the person until the erasure is done, then a keyed hash does",
        ),
        retention: Retention::Unlimited,
        ..stream(&GDPR, Whose::AccountHolder, &ERASURE)
    },
    stream(&USER, Whose::AccountHolder, &ACCOUNTS),
    stream(&ADMIN, Whose::Admin, &ACCOUNTABILITY),
    stream(&DEAD, Whose::Named, &DELIVERY),
    Store {
        whose: Whose::Named,
        category: Category::Event,
        retention: Retention::EachStream,
        erasure: Erasure::EventGoes,
        ..path(
            "nats/store",
            "the streams' own files, and what the broker knows of its readers",
        )
    },
    path("nats/nats.conf", "the broker's settings"),
    Store {
        category: Category::Credential,
        ..path(
            "nats/credentials.json",
            "the services' logins at the broker",
        )
    },
    path("nats/nats-server.pid", "which process the broker is"),
    Store {
        retention: Retention::UntilDeleted,
        ..path(
            "nats/nats-server.log",
            "what the broker says: no subjects, no contents",
        )
    },
    Store {
        whose: Whose::Named,
        category: Category::Event,
        activity: &TICKS,
        retention: Retention::Account,
        erasure: Erasure::RowGoes,
        ..path("db", "the services' databases: see their columns")
    },
    Store {
        whose: Whose::AccountHolder,
        category: Category::Photo,
        activity: &TICKS,
        retention: Retention::Account,
        erasure: Erasure::FileGoes,
        ..path(
            "objects",
            "photos, in folders named by random ids, without anything that cameras write beside the pixels",
        )
    },
    Store {
        activity: &STATISTICS,
        ..path(
            "objects/facts",
            "how much there was of what on each day, for analysis: every figure is about at least ten people and names nobody",
        )
    },
    Store {
        whose: Whose::AccountHolder,
        category: Category::Event,
        activity: &ERASURE,
        retention: Retention::For(Duration::from_hours(7 * 24)),
        erasure: Erasure::FileGoes,
        ..path(
            "exports",
            "archives of people's own data, in files named by random ids, each sealed with a key of its own",
        )
    },
    Store {
        whose: Whose::Recipient,
        category: Category::Contact,
        activity: &MAIL,
        retention: Retention::For(CAUGHT_MAIL),
        erasure: Erasure::FileGoes,
        ..path(
            "mail",
            "mails that were caught instead of sent, to try the program out",
        )
    },
    Store {
        category: Category::Credential,
        activity: &ACCOUNTS,
        ..path(
            "keys",
            "the deployment's keys: they open what is sealed, and name nobody",
        )
    },
    Store {
        category: Category::Pseudonym,
        activity: &ERASURE,
        retention: Retention::For(BACKUP_LIFE),
        erasure: Erasure::Stays("it is what keeps a person erased when a backup is restored"),
        ..path(
            "ledger",
            "who was erased, as keyed hashes, until the last backup that may hold them is gone",
        )
    },
    path("lock", "which process works in this folder"),
    Store {
        whose: Whose::Named,
        category: Category::Event,
        activity: &BACKUP,
        retention: Retention::For(BACKUP_LIFE),
        erasure: Erasure::Expires,
        ..output(
            "backups",
            "copies of databases, streams and photos, sealed with a key that is not in them; whoever was erased since is erased again before a restored one serves",
        )
    },
    output(
        "log",
        "what a process says on its standard output: no names, addresses, tokens or ids of people",
    ),
    output(
        "metrics",
        "numbers by service, stream, consumer and route: no names, addresses or ids of people",
    ),
];

pub(crate) fn items() -> Vec<Item> {
    let item = |store: &Store| Item {
        place: Place::Store(store.name),
        whose: store.whose,
        category: store.category,
        activity: store.activity,
        retention: store.retention,
        erasure: store.erasure,
        means: store.means,
    };
    STORES.iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_stream_of_the_catalogue_is_in_the_map() {
        let known: BTreeSet<&str> = STORES
            .iter()
            .filter(|store| store.kind == Kind::Stream)
            .map(|store| store.name)
            .collect();
        let declared: BTreeSet<&str> = envelope::STREAMS.iter().map(|stream| stream.name).collect();
        assert_eq!(known, declared);
    }
}
