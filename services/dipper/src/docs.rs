//! The documents about the interfaces, generated from the routes and the catalogue.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use chassis::http::{LIMITS, Path, Problem};
use clients::cookie::SessionCookie;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
    ResponseBuilder,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::Config;

use crate::privacy;

const BEARER: &str = "bearer";
const COOKIE: &str = "cookie";

/// The frame of the OpenAPI document, which the routes fill.
pub(crate) fn describe() -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The token that POST /api/v1/auth/login answers."))
        .build();
    let cookie = ApiKeyValue::with_description(
        SessionCookie::Locked.name(),
        "The same token in a browser, from a log-in with `token_in: cookie`; taken from pages of this origin only. Without TLS, except on the machine itself, it is called `session`.",
    );
    let info = InfoBuilder::new()
        .title("Dipper")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Tick birds, rate photos. Errors are problem documents (RFC 9457).",
        ))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(
            ComponentsBuilder::new()
                .security_scheme(BEARER, SecurityScheme::Http(bearer))
                .security_scheme(COOKIE, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)))
                .build(),
        ))
        .build()
}

#[derive(Clone)]
struct Docs {
    openapi: Arc<OnceLock<Bytes>>,
    viewer: Arc<Config<'static>>,
}

/// Adds the documents' own routes and takes the router apart: the document holds every route and
/// no other.
pub(crate) fn serve(router: OpenApiRouter) -> Router {
    let docs = Docs {
        openapi: Arc::default(),
        viewer: Arc::new(Config::from("/api/openapi.json")),
    };
    let own = OpenApiRouter::new()
        .routes(routes!(openapi))
        .routes(routes!(asyncapi))
        .routes(routes!(catalogue))
        .routes(routes!(viewer))
        .routes(routes!(viewer_page))
        .routes(routes!(viewer_file))
        .with_state(docs.clone())
        .merge(privacy::routes());
    let (router, mut document) = router.merge(own).split_for_parts();
    complete(&mut document);
    // Nobody else sets it.
    let _ = docs
        .openapi
        .set(serde_json::to_vec(&document).unwrap_or_default().into());
    router
}

/// Adds what is the same for all operations and would only be repeated at each.
fn complete(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                operation.operation_id = Some(name(method, path));
                take_cookies(operation, method);
                add_common_answers(operation, is_limited(method, path));
            }
        }
    }
}

/// Handlers of all services are called `list` and `show`; in the one document each operation has a
/// name of its own, made from method and path: `get_api_v1_ticks_id`.
fn name(method: &str, path: &str) -> String {
    let mut words = vec![method];
    words.extend(
        path.split(|letter: char| !letter.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty()),
    );
    if path.ends_with('/') {
        words.push("index");
    }
    words.join("_")
}

/// Where a token is taken, so is a browser's cookie; what changes something, from our own pages only.
fn take_cookies(operation: &mut Operation, method: &str) {
    let bearer = SecurityRequirement::new(BEARER, Vec::<String>::new());
    let Some(ways) = &mut operation.security else {
        return;
    };
    if !ways.contains(&bearer) {
        return;
    }
    ways.push(SecurityRequirement::new(COOKIE, Vec::<String>::new()));
    if method != "get" {
        let answers = &mut operation.responses.responses;
        let refused = || problem("A page of another origin sent the cookie.").into();
        answers.entry("403".to_owned()).or_insert_with(refused);
    }
}

fn is_limited(method: &str, path: &str) -> bool {
    let mut routes = LIMITS.iter().flat_map(|limit| limit.routes);
    routes.any(|(of, route)| of.as_str().eq_ignore_ascii_case(method) && *route == path)
}

/// What extractors and layers answer, and in words what each status means.
fn add_common_answers(operation: &mut Operation, is_limited: bool) {
    let body = operation.request_body.as_ref().and_then(|body| match body {
        RefOr::T(body) => Some(body),
        RefOr::Ref(_) => None,
    });
    let takes_json = body.is_some_and(|body| body.content.contains_key("application/json"));
    let mut common = Vec::new();
    if body.is_some() {
        common.extend([
            (408, "The body did not come in time."),
            (413, "The body is too large."),
        ]);
    }
    if takes_json {
        common.extend([
            (400, "The body is no JSON."),
            (415, "The body is not sent as JSON."),
        ]);
    }
    if operation.security.is_some() {
        common.push((
            503,
            "A part of the system is not available; try again soon.",
        ));
    }
    if is_limited {
        common.push((429, "This was done too often; see Retry-After."));
    }
    let answers = &mut operation.responses.responses;
    for (status, description) in common {
        let answer = answers.entry(status.to_string());
        answer.or_insert_with(|| problem(description).into());
    }
    for (status, answer) in answers {
        if let RefOr::T(answer) = answer
            && answer.description.is_empty()
        {
            let status = StatusCode::from_bytes(status.as_bytes()).ok();
            let reason = status.and_then(|status| status.canonical_reason());
            reason
                .unwrap_or("The answer")
                .clone_into(&mut answer.description);
        }
    }
}

fn problem(description: &str) -> utoipa::openapi::Response {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .build()
}

pub(crate) fn json(bytes: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], bytes).into_response()
}

/// The OpenAPI document of this process's routes.
#[utoipa::path(get, path = "/api/openapi.json", tag = "documents", responses((status = 200, description = "OpenAPI 3.1")))]
async fn openapi(State(docs): State<Docs>) -> Response {
    json(docs.openapi.get().cloned().unwrap_or_default())
}

/// The `AsyncAPI` document of all events.
#[utoipa::path(get, path = "/api/asyncapi.json", tag = "documents", responses((status = 200, description = "AsyncAPI 3.0")))]
async fn asyncapi() -> Response {
    json(envelope::asyncapi::document().to_string().into())
}

/// What a page may do that is one file without scripts.
pub(crate) const PAGE_POLICY: [(header::HeaderName, &str); 1] = [(
    header::CONTENT_SECURITY_POLICY,
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)];

/// The event catalogue as a page.
#[utoipa::path(get, path = "/docs/events", tag = "documents", responses((status = 200, description = "A page", content_type = "text/html")))]
async fn catalogue() -> Response {
    (PAGE_POLICY, Html(envelope::page::html())).into_response()
}

/// The OpenAPI document as a page.
#[utoipa::path(get, path = "/docs", tag = "documents", responses((status = 308, description = "To the page")))]
async fn viewer() -> Redirect {
    Redirect::permanent("/docs/")
}

/// The page.
#[utoipa::path(get, path = "/docs/", tag = "documents", responses((status = 200, description = "A page", content_type = "text/html")))]
async fn viewer_page(State(docs): State<Docs>) -> Result<Response, Problem> {
    file_of_viewer("index.html", docs)
}

/// A file of the page.
#[utoipa::path(
    get, path = "/docs/{file}", tag = "documents", params(("file" = String, Path, description = "Its name")),
    responses((status = 200, description = "The file"), (status = 404, description = "No such file", body = Problem, content_type = "application/problem+json"))
)]
async fn viewer_file(
    Path(file): Path<String>,
    State(docs): State<Docs>,
) -> Result<Response, Problem> {
    file_of_viewer(&file, docs)
}

fn file_of_viewer(name: &str, docs: Docs) -> Result<Response, Problem> {
    let file = utoipa_swagger_ui::serve(name, docs.viewer)
        .map_err(|error| Problem::internal(&error))?
        .ok_or_else(Problem::not_found)?;
    // The viewer draws with style attributes and pictures inside its style sheet.
    let policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_TYPE, file.content_type),
        (header::CONTENT_SECURITY_POLICY, policy.to_owned()),
    ];
    Ok((headers, file.bytes.into_owned()).into_response())
}
