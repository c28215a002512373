//! Whose a table's rows are, and what of a row its owner is given in an export.

use crate::model::{Category, Whose};

/// How a table's rows belong to people.
#[derive(Clone, Copy, Debug)]
pub enum Belongs {
    /// They name nobody.
    ToNobody,
    /// To everybody whom one of these columns names.
    To(&'static [Owner]),
    /// They repeat, as this says, what is exported from elsewhere.
    Copies(&'static str),
}

/// A column that says whose a row is.
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    /// The column.
    pub column: &'static str,
    /// As what the row is theirs.
    pub whose: Whose,
    /// How it names them.
    pub way: Way,
}

/// How a column names somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It holds their id.
    Person,
    /// It holds the id of a photo that is theirs, as a table of the same service says.
    Photo {
        /// The table.
        table: &'static str,
        /// Its column of photos.
        photo: &'static str,
        /// Its column of people.
        owner: &'static str,
        /// Asked only where this column of the row is null, if there is one that would say it too.
        unless: Option<&'static str>,
    },
    /// It is a text in which their id stands.
    Text,
}

/// A column with the id of whom a row is about.
pub(crate) const fn person(column: &'static str, whose: Whose) -> Owner {
    Owner {
        column,
        whose,
        way: Way::Person,
    }
}

/// A column with the id of a photo, whose owner another table knows: its name and the columns there.
pub(crate) const fn photo(
    column: &'static str,
    (table, photo, owner): (&'static str, &'static str, &'static str),
) -> Owner {
    Owner {
        column,
        whose: Whose::ImageOwner,
        way: Way::Photo {
            table,
            photo,
            owner,
            unless: None,
        },
    }
}

impl Owner {
    /// Another column says it too, where it is not null.
    pub(crate) const fn unless(mut self, column: &'static str) -> Self {
        if let Way::Photo { unless, .. } = &mut self.way {
            *unless = Some(column);
        }
        self
    }
}

/// A text that may hold somebody's id.
pub(crate) const fn text(column: &'static str, whose: Whose) -> Owner {
    Owner {
        column,
        whose,
        way: Way::Text,
    }
}

/// What an export holds of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// Its value.
    Value,
    /// What it seals, opened by the service that has the key.
    Opened,
    /// That it is there, and this reason why its value is not.
    LeftOut(&'static str),
}

impl Export {
    /// What proves who somebody is, is of no use to its owner, and of much to a thief of the export.
    pub(crate) const fn of(category: Category) -> Self {
        match category {
            Category::Credential => {
                Self::LeftOut("it proves who you are: in an export it could be stolen")
            }
            _ => Self::Value,
        }
    }
}
