//! Questions about photos that somebody reported, which TickAPI answers. None of them says who reported.

use std::collections::BTreeMap;

use chassis::rpc::Question;
use chrono::{DateTime, Utc};
use envelope::{ImageId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What is wrong with a photo.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ReportCategory)]
pub enum Category {
    /// It shows no bird, nor traces of one.
    NotABird,
    /// It shows people or places that should not be seen.
    Privacy,
    /// It insults, threatens or disgusts.
    Offensive,
    /// It is somebody else's work.
    Copyright,
    /// Something else.
    Other,
}

impl Category {
    /// As it is written in databases.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotABird => "not-a-bird",
            Self::Privacy => "privacy",
            Self::Offensive => "offensive",
            Self::Copyright => "copyright",
            Self::Other => "other",
        }
    }
}

impl std::str::FromStr for Category {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "not-a-bird" => Ok(Self::NotABird),
            "privacy" => Ok(Self::Privacy),
            "offensive" => Ok(Self::Offensive),
            "copyright" => Ok(Self::Copyright),
            "other" => Ok(Self::Other),
            _ => Err("must be not-a-bird, privacy, offensive, copyright or other".to_owned()),
        }
    }
}

/// Whether a moderator has to look at a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CaseState {
    /// A report or an appeal waits for a decision.
    #[default]
    Open,
    /// Nothing waits.
    Decided,
}

/// A part of the cases in one state: the open ones from the oldest on, the decided ones from the newest on.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct ListCases {
    /// Which.
    pub state: CaseState,
    /// Those behind this one: since when it is in its state, in microseconds since 1970, and its id.
    pub after: Option<(i64, Uuid)>,
    /// At most so many.
    pub limit: i64,
}

/// A photo that was reported.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Case {
    /// The case's id, which says nothing once the photo is gone.
    pub id: Uuid,
    /// The photo.
    pub image: ImageId,
    /// Whose it is.
    pub owner: UserId,
    /// Whether a moderator has to look at it.
    pub state: CaseState,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why only its owner and moderators see it, if it is hidden.
    pub hidden_for: Option<Category>,
    /// How many people reported what.
    pub reports: BTreeMap<Category, i64>,
    /// The newest reports.
    pub newest: Vec<Report>,
    /// What its owner says against the hiding.
    pub appeal: Option<Appeal>,
}

/// What somebody reported.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// What is wrong.
    pub category: Category,
    /// In their words.
    pub note: Option<String>,
    /// When.
    pub reported_at: DateTime<Utc>,
}

/// What an owner says against the hiding of their photo.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Appeal {
    /// In their words.
    pub note: String,
    /// When.
    pub appealed_at: DateTime<Utc>,
}

impl Question for ListCases {
    const SUBJECT: &'static str = "svc.tick-api.list-cases";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = Vec<Case>;
}

/// What a moderator decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Only its owner and moderators see the photo from now on.
    Hide(Category),
    /// Everybody sees it again.
    Unhide,
    /// Everything stays as it is.
    Dismiss,
}

/// Decides a case. Refused with `unknown-case`, and with `no-change` when somebody was faster.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct DecideCase {
    /// Which.
    pub case: Uuid,
    /// How.
    pub verdict: Verdict,
}

impl Question for DecideCase {
    const SUBJECT: &'static str = "svc.tick-api.decide-case";
    const ASKED_BY: &'static [&'static str] = &["admin-api"];
    type Answer = ();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_written_in_one_way() {
        for category in [
            Category::NotABird,
            Category::Privacy,
            Category::Offensive,
            Category::Copyright,
            Category::Other,
        ] {
            assert_eq!(category.as_str().parse(), Ok(category));
            assert_eq!(serde_json::to_value(category).unwrap(), category.as_str());
        }
    }
}
