//! A birder's lists of species.

use axum::extract::State;
use chassis::http::{Cursor, Json, List, ListQuery, PageRequest, Path, Problem, Query};
use chrono::{Datelike as _, NaiveDate};
use clients::Caller;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ImageRef;
use crate::App;
use crate::error::Error;
use crate::species::{CHECKLIST, Species};
use crate::store::lists::{self, Days, FirstTick};

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// All species ever.
    Life,
    /// Those of this year.
    Year,
}

impl Kind {
    /// The days that the list is about. Both ends are in range, so there is always such a day.
    fn days(self, today: NaiveDate) -> Days {
        let first = match self {
            Self::Life => 1,
            Self::Year => today.year(),
        };
        let last = match self {
            Self::Life => 9999,
            Self::Year => today.year(),
        };
        Days {
            first: NaiveDate::from_ymd_opt(first, 1, 1).unwrap_or(today),
            last: NaiveDate::from_ymd_opt(last, 12, 31).unwrap_or(today),
        }
    }
}

/// A species on a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ListedSpecies)]
pub(crate) struct Listed {
    species: Species,
    /// The day of the first tick.
    date: NaiveDate,
    /// The first tick's image.
    image: ImageRef,
}

/// The caller's life list, or the list of this year: each species with its first tick, the latest addition first.
#[utoipa::path(
    get, path = "/api/v1/users/me/lists/{kind}", operation_id = "show_list", tag = "lists", security(("bearer" = [])),
    params(("kind" = inline(Kind), Path, description = "`life` or `year`."), ListQuery),
    responses(
        (status = 200, body = List<Listed>),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such list.", body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(kind): Path<Kind>,
    Query(query): Query<ListQuery>,
) -> Result<Json<List<Listed>>, Error> {
    let page = PageRequest::<Cursor<NaiveDate>>::new(query.limit, query.cursor.as_deref())?;
    let days = kind.days(app.clock.now().date_naive());
    let after = page.after.unwrap_or(Cursor::before_all(days.last));
    let mut session = app.database.read().await?;
    let rows = page.rows_to_read();
    let firsts = lists::first_ticks(&mut session, caller.user, days, after, rows).await?;
    let firsts = page.list(firsts, |first: &FirstTick| {
        let (key, id) = (first.day, first.id);
        Cursor { key, id }.to_string()
    });
    let items = firsts.items.iter().filter_map(|first| {
        Some(Listed {
            species: CHECKLIST.find(&first.species)?,
            date: first.day,
            image: ImageRef::new(&app, first.image),
        })
    });
    Ok(Json(List {
        items: items.collect(),
        next_cursor: firsts.next_cursor,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_year_list_is_about_this_year_and_the_life_list_about_all() {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
        let today = day(2026, 5, 3);
        let year = Kind::Year.days(today);
        assert_eq!(
            (year.first, year.last),
            (day(2026, 1, 1), day(2026, 12, 31))
        );
        let life = Kind::Life.days(today);
        assert!(life.first < day(1900, 1, 1) && life.last > day(2500, 1, 1));
    }
}
