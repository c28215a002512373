//! Photos that somebody reported, and what moderators decide about them.

use axum::extract::State;
use axum::http::StatusCode;
use chassis::http::{Cursor, Json, List, PageRequest, Path, Problem, Query};
use chassis::rpc::{AskError, ask};
use chrono::{DateTime, Utc};
use clients::moderation::{
    Appeal, Case, CaseState, Category, DecideCase, ListCases, Report, Verdict,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::roles::UserView;
use crate::App;
use crate::audit::{self, IMAGE_DISMISSED, IMAGE_HIDDEN, IMAGE_SHOWN, Reason};
use crate::error::Error;
use crate::guard::Moderator;

/// Which cases are wanted, and which part of them.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct CasesQuery {
    /// `open`, the oldest first, or `decided`, the newest first; `open` if it is missing.
    #[serde(default)]
    #[param(inline)]
    state: CaseState,
    /// At most so many, 1 to 100; 20 if it is missing.
    limit: Option<i64>,
    /// From the answer before, with the same state.
    cursor: Option<String>,
}

/// A photo that was reported. Who reported it, moderators need not know.
#[derive(Serialize, ToSchema)]
pub(crate) struct CaseView {
    /// The case's id.
    id: Uuid,
    /// The photo, at `/images/{id}/1024.jpg`.
    image: ReportedImage,
    /// Whose it is.
    owner: UserView,
    /// Whether it waits for a decision.
    state: CaseState,
    /// Since when.
    since: DateTime<Utc>,
    /// Why only its owner and moderators see it; null if everybody does.
    #[schema(required)]
    hidden_for: Option<Category>,
    /// How many people reported what.
    reports: Vec<ReportCount>,
    /// The newest three reports.
    newest: Vec<Report>,
    /// What its owner says against the hiding.
    #[schema(required)]
    appeal: Option<Appeal>,
}

/// A reported photo.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReportedImage {
    /// Its id.
    id: Uuid,
}

/// How many people reported the same.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReportCount {
    /// What.
    category: Category,
    /// How many.
    count: i64,
}

/// What is to be done about a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CaseAction {
    /// Only its owner and moderators see it from now on.
    Hide,
    /// Everybody sees it again.
    Unhide,
    /// It stays as it is.
    Dismiss,
}

/// A decision about a photo, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCaseDecision {
    /// What.
    action: CaseAction,
    /// For what it is hidden, as its owner is told: with `hide` only.
    category: Option<Category>,
    /// Why; it is kept in the audit log. Name nobody in it.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Photos that were reported.
#[utoipa::path(
    get, path = "/api/v1/admin/reports", operation_id = "list_reports", tag = "admin", security(("bearer" = [])), params(CasesQuery),
    responses(
        (status = 200, description = "A part of the cases", body = List<CaseView>),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not a moderator", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A bad state, limit or cursor", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "TickAPI does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    _: Moderator,
    State(app): State<App>,
    Query(query): Query<CasesQuery>,
) -> Result<Json<List<CaseView>>, Error> {
    let page = PageRequest::<Cursor<i64>>::new(query.limit, query.cursor.as_deref())?;
    let question = ListCases {
        state: query.state,
        after: page.after.as_ref().map(|after| (after.key, after.id)),
        limit: page.rows_to_read(),
    };
    let cases = ask(&app.bus, &question).await?;
    let views = cases.into_iter().map(CaseView::from).collect();
    Ok(Json(page.list(views, cursor)))
}

/// Decide about a reported photo: hide it, show it again, or leave it as it is.
#[utoipa::path(
    post, path = "/api/v1/admin/reports/{id}/decisions", operation_id = "decide_report", tag = "admin", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The case")), request_body = NewCaseDecision,
    responses(
        (status = 204, description = "It is decided"),
        (status = 401, description = "Not logged in", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not a moderator, or no such case", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is so already: somebody else was faster", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "TickAPI does not answer", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn decide(
    by: Moderator,
    State(app): State<App>,
    Path(case): Path<Uuid>,
    Json(new): Json<NewCaseDecision>,
) -> Result<StatusCode, Error> {
    let reason = Reason::parse(&new.reason).map_err(|detail| Problem::field("/reason", detail))?;
    let (verdict, action) = new.verdict()?;
    let question = DecideCase { case, verdict };
    ask(&app.bus, &question).await.map_err(refused)?;
    let target = format!("case/{case}");
    audit::tell(&app, by.user, (action, target), reason.into_string()).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl NewCaseDecision {
    /// What TickAPI is to do, and what the audit log calls it.
    fn verdict(&self) -> Result<(Verdict, &'static str), Problem> {
        match (self.action, self.category) {
            (CaseAction::Hide, Some(category)) => Ok((Verdict::Hide(category), IMAGE_HIDDEN)),
            (CaseAction::Hide, None) => Err(Problem::field("/category", "says why it is hidden")),
            (CaseAction::Unhide, None) => Ok((Verdict::Unhide, IMAGE_SHOWN)),
            (CaseAction::Dismiss, None) => Ok((Verdict::Dismiss, IMAGE_DISMISSED)),
            (_, Some(_)) => Err(Problem::field("/category", "goes with hide only")),
        }
    }
}

impl From<Case> for CaseView {
    fn from(case: Case) -> Self {
        let counts = case.reports.into_iter();
        Self {
            id: case.id,
            image: ReportedImage { id: case.image.0 },
            owner: UserView::new(case.owner),
            state: case.state,
            since: case.since,
            hidden_for: case.hidden_for,
            reports: counts
                .map(|(category, count)| ReportCount { category, count })
                .collect(),
            newest: case.newest,
            appeal: case.appeal,
        }
    }
}

fn cursor(view: &CaseView) -> String {
    let (key, id) = (view.since.timestamp_micros(), view.id);
    Cursor { key, id }.to_string()
}

fn refused(error: AskError) -> Error {
    match error.refusal() {
        Some("unknown-case") => Error::NoSuchCase,
        Some("no-change") => Error::DecidedAlready,
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_goes_with_hiding_and_with_nothing_else() {
        for (action, category, is_fine) in [
            (CaseAction::Hide, Some(Category::Privacy), true),
            (CaseAction::Hide, None, false),
            (CaseAction::Unhide, None, true),
            (CaseAction::Unhide, Some(Category::Other), false),
            (CaseAction::Dismiss, None, true),
            (CaseAction::Dismiss, Some(Category::Other), false),
        ] {
            let new = NewCaseDecision {
                action,
                category,
                reason: "Looked at it.".to_owned(),
            };
            assert_eq!(new.verdict().is_ok(), is_fine, "{action:?} {category:?}");
        }
    }
}
