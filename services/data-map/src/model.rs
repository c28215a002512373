//! The words of the map.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::Activity;
use crate::belongs::Export;

/// Whom data is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// It names nobody, and leads to nobody.
    Nobody,
    /// Whoever has the account, ticked the bird or uploaded the photo.
    AccountHolder,
    /// Whoever rated somebody's photo.
    Rater,
    /// Whoever owns the photo that was rated or scored.
    ImageOwner,
    /// Whoever was mailed, or whom an admin's act was about.
    Recipient,
    /// An admin.
    Admin,
    /// All whom the event in it names.
    Named,
}

impl Whose {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::AccountHolder => "account holder",
            Self::Rater => "rater",
            Self::ImageOwner => "owner of the photo",
            Self::Recipient => "recipient",
            Self::Admin => "admin",
            Self::Named => "whoever the event names",
        }
    }
}

/// What kind of data it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// About the system, not about people.
    Technical,
    /// A random id that stands for a person, or for something of theirs.
    Pseudonym,
    /// An address for mail.
    Contact,
    /// A name that others see.
    Name,
    /// What proves who somebody is: hashes and keys.
    Credential,
    /// A photo.
    Photo,
    /// What was seen and when: species, day, number, note.
    Observation,
    /// Where it was seen.
    Location,
    /// What somebody thinks of a photo: 1 to 5.
    Rating,
    /// What the model thinks of a photo.
    Score,
    /// A choice: language, how often mail may come.
    Preference,
    /// That and when somebody did something.
    Activity,
    /// Free text that says why somebody did something.
    Reason,
    /// Whole events, of all their categories.
    Event,
}

impl Category {
    /// Whether one value of it may lead to a person: then a database must not gather statistics of it.
    pub const fn leads_to_somebody(self) -> bool {
        matches!(
            self,
            Self::Pseudonym
                | Self::Contact
                | Self::Name
                | Self::Credential
                | Self::Location
                | Self::Reason
                | Self::Event
        )
    }

    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Technical => "technical",
            Self::Pseudonym => "random id",
            Self::Contact => "e-mail address",
            Self::Name => "name",
            Self::Credential => "credential",
            Self::Photo => "photo",
            Self::Observation => "observation",
            Self::Location => "location",
            Self::Rating => "rating",
            Self::Score => "score",
            Self::Preference => "preference",
            Self::Activity => "times and acts",
            Self::Reason => "reason",
            Self::Event => "whole events",
        }
    }
}

/// How long it is kept if nobody is erased.
#[derive(Clone, Copy, Debug)]
pub enum Retention {
    /// As long as the account, or until its owner deletes it.
    Account,
    /// As long as its stream keeps events.
    Stream(&'static envelope::Stream),
    /// As long as each event's stream.
    EachStream,
    /// So long.
    For(Duration),
    /// Until it was dealt with: seconds as a rule.
    UntilDone,
    /// Until an admin has decided.
    UntilDecided,
    /// Until an operator deletes it.
    UntilDeleted,
    /// It has no end: it names nobody, or is what keeps somebody erased.
    Unlimited,
}

/// What ends the keeping of something, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// That its owner deletes it, or the account.
    Owner,
    /// The end of the account.
    Account,
    /// Its stream.
    Stream,
    /// Its age, in seconds.
    After(u64),
    /// That it was dealt with.
    Done,
    /// An admin's decision.
    Decision,
    /// An operator.
    Operator,
    /// Nothing.
    Never,
}

impl Retention {
    /// For programs.
    pub const fn end(self) -> End {
        match self {
            Self::Account => End::Owner,
            Self::Stream(stream) => match stream.retention {
                Some(life) => End::After(life.as_secs()),
                None => End::Account,
            },
            Self::EachStream => End::Stream,
            Self::For(life) => End::After(life.as_secs()),
            Self::UntilDone => End::Done,
            Self::UntilDecided => End::Decision,
            Self::UntilDeleted => End::Operator,
            Self::Unlimited => End::Never,
        }
    }

    /// In words.
    pub fn in_words(self) -> String {
        match self.end() {
            End::Owner => "as long as the account, or until its owner deletes it".to_owned(),
            End::Account => "as long as the account".to_owned(),
            End::Stream => "as long as its stream".to_owned(),
            End::After(seconds) => length(seconds),
            End::Done => "until it is dealt with".to_owned(),
            End::Decision => "until an admin has decided".to_owned(),
            End::Operator => "until an operator deletes it".to_owned(),
            End::Never => "without limit".to_owned(),
        }
    }
}

fn length(seconds: u64) -> String {
    const HOUR: u64 = 60 * 60;
    let (number, unit) = match seconds {
        seconds if seconds % (24 * HOUR) == 0 => (seconds / (24 * HOUR), "day"),
        seconds if seconds % HOUR == 0 => (seconds / HOUR, "hour"),
        seconds if seconds % 60 == 0 => (seconds / 60, "minute"),
        seconds => (seconds, "second"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

/// What an erasure does to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// The row is deleted and its bytes are overwritten.
    RowGoes,
    /// The key is destroyed: nobody can read it any more, wherever copies are. The row goes too.
    KeyGoes,
    /// The row stays; what names the person is taken out of it.
    NamesGo,
    /// The event is overwritten in its stream.
    EventGoes,
    /// The file is overwritten and removed.
    FileGoes,
    /// It ends by its age.
    Expires,
    /// It stays, for this reason.
    Stays(&'static str),
}

impl Erasure {
    /// In words.
    pub fn in_words(self) -> String {
        match self {
            Self::RowGoes => "deleted, and its bytes overwritten".to_owned(),
            Self::KeyGoes => "made unreadable with its key, then deleted".to_owned(),
            Self::NamesGo => "what names the person is taken out".to_owned(),
            Self::EventGoes => "overwritten in the stream".to_owned(),
            Self::FileGoes => "overwritten, and removed".to_owned(),
            Self::Expires => "ends by its age".to_owned(),
            Self::Stays(why) => format!("stays: {why}"),
        }
    }
}

/// Where something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A field of an event: `tick.new`, `/data/user/id`. Of all events: `*`.
    Field {
        /// The event's name.
        event: &'static str,
        /// Where in the envelope.
        pointer: &'static str,
    },
    /// A column of a service's table. `*` is every service that has a database.
    Column {
        /// The service.
        service: &'static str,
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A stream, folder or file.
    Store(&'static str),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Field {
                event: "*",
                pointer,
            } => write!(f, "every event {pointer}"),
            Self::Field { event, pointer } => write!(f, "{event} {pointer}"),
            Self::Column {
                service: "*",
                table,
                column,
            } => write!(f, "every service: {table}.{column}"),
            Self::Column {
                service,
                table,
                column,
            } => write!(f, "{service}: {table}.{column}"),
            Self::Store(name) => f.write_str(name),
        }
    }
}

/// One thing that is kept.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    /// Where.
    pub place: Place,
    /// About whom.
    pub whose: Whose,
    /// Of which kind.
    pub category: Category,
    /// What for.
    pub activity: &'static Activity,
    /// For how long.
    pub retention: Retention,
    /// What an erasure does.
    pub erasure: Erasure,
    /// What it is.
    pub means: &'static str,
}

/// A field or column, in what is the same for all around it.
#[derive(Debug)]
pub struct Part {
    /// A column's name, or a field's pointer into the envelope.
    pub name: &'static str,
    /// About whom.
    pub whose: Whose,
    /// Of which kind.
    pub category: Category,
    /// What it is.
    pub means: &'static str,
    /// What an export holds of it.
    pub export: Export,
    /// What it is needed for, where that is not what all around it are needed for.
    pub activity: Option<&'static Activity>,
}

impl Part {
    /// Whether it is about anybody.
    pub fn names_somebody(&self) -> bool {
        self.whose != Whose::Nobody
    }

    /// An export holds what it seals.
    pub(crate) const fn opened(mut self) -> Self {
        self.export = Export::Opened;
        self
    }

    /// An export holds its value, whichever kind it is of.
    pub(crate) const fn shown(mut self) -> Self {
        self.export = Export::Value;
        self
    }

    /// It is needed for something else than all around it.
    pub(crate) const fn needed_for(mut self, activity: &'static Activity) -> Self {
        self.activity = Some(activity);
        self
    }

    /// An export does not hold its value, for a reason.
    pub(crate) const fn left_out(mut self, why: &'static str) -> Self {
        self.export = Export::LeftOut(why);
        self
    }
}

pub(crate) const fn part(
    name: &'static str,
    whose: Whose,
    category: Category,
    means: &'static str,
) -> Part {
    Part {
        name,
        whose,
        category,
        means,
        export: Export::of(category),
        activity: None,
    }
}

/// A part that is about nobody.
pub(crate) const fn technical(name: &'static str, means: &'static str) -> Part {
    part(name, Whose::Nobody, Category::Technical, means)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_in_the_largest_unit_that_fits() {
        let told = |seconds| Retention::For(Duration::from_secs(seconds)).in_words();
        assert_eq!(told(30 * 24 * 3600), "30 days");
        assert_eq!(told(24 * 3600), "1 day");
        assert_eq!(told(5 * 3600), "5 hours");
        assert_eq!(told(600), "10 minutes");
        assert_eq!(told(8), "8 seconds");
    }

    #[test]
    fn a_stream_without_a_limit_lasts_as_long_as_the_account() {
        let told = |stream| Retention::Stream(stream).in_words();
        assert_eq!(told(&envelope::catalogue::TICK), "as long as the account");
        assert_eq!(told(&envelope::catalogue::USER), "30 days");
    }
}
