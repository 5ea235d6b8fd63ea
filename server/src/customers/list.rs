//! `/api/v1/customers/`: from a request to an answer, in the order that the contract gives to refusals.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Variant;
use crate::answer;
use crate::app::App;
use crate::cache::Key;
use crate::customers::asked::{Asked, Count};
use crate::customers::create;
use crate::customers::cursor::{Cursor, Direction, Place};
use crate::customers::filters::Filters;
use crate::customers::links::{Links, link};
use crate::customers::paging::{self, Page, Start};
use crate::customers::parameters::ListParameters;
use crate::customers::row::Customer;
use crate::customers::{ALLOWED_METHODS, PATH};
use crate::database::Session;
use crate::entrance::{self, Member};
use crate::preferences::Handling;
use crate::profile::{self, Layer};
use crate::refusal::{Detail, Refusal};
use crate::variants::estimate::estimate;
use crate::variants::{Rows, keyset, naive};

/// Since when `page`, `limit` and `offset` are deprecated: 1 January 2026, as RFC 9745 writes it.
const DEPRECATION: (HeaderName, HeaderValue) =
    (HeaderName::from_static("deprecation"), HeaderValue::from_static("@1767225600"));

/// A page of customers, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerList)]
pub(crate) struct List {
    results: Vec<Customer>,
    /// Where the page after this one is; null exactly when no customer follows.
    #[schema(required, format = "uri")]
    next: Option<String>,
    /// Where the page before this one is; null exactly when no customer precedes.
    #[schema(required, format = "uri")]
    previous: Option<String>,
    /// How many customers there are under these filters: an estimate where it was asked for, else null.
    #[schema(required, minimum = 0)]
    count: Option<i64>,
}

/// Answers every method.
pub(crate) async fn answer(State(app): State<App>, request: Request) -> Result<Response, Refusal> {
    let member = entrance::enter(app, request).await?;
    match member.parts.method {
        Method::GET | Method::HEAD => {
            let handling = Handling::of(&member.parts.headers);
            Ok(handling.told(list(member, handling).await.unwrap_or_else(Refusal::into_response)))
        }
        Method::POST => create::one(member).await,
        _ => member.other_method(ALLOWED_METHODS),
    }
}

/// A page of the list.
#[utoipa::path(
    get,
    path = "/api/v1/customers/",
    tag = "customers",
    operation_id = "list_customers",
    summary = "Customers of a workspace, newest first",
    description = "A page costs the same wherever it lies. All filters hold at once; of a repeated parameter the last one \
        counts, and an empty value filters nothing. Employees see the customers assigned to them. `page`, `limit` and \
        `offset` still work down to row 10,000, and are deprecated.",
    params(ListParameters),
    responses(
        (status = 200, description = "A page.", body = List, headers(
            ("Link" = String, description = "`next` and `previous` of the body, as RFC 8288 writes them; absent when \
                there is neither."),
            ("Deprecation" = String, description = "Since when what the request used is deprecated (RFC 9745); only \
                with `page`, `limit` or `offset`."),
        )),
        (status = 404, description = "A cursor that is none, or a page past the end.", body = Detail),
    ),
)]
pub(crate) async fn list(mut member: Member, handling: Handling) -> Result<Response, Refusal> {
    let Asked { filters, count } = Asked::read(&member.query, handling)?;
    profile::enter(Layer::Queryset);
    // One connection for the whole request: its statements follow each other without waiting for the pool again.
    let mut session =
        if filters.is_empty() { member.session().await? } else { member.search_session().await? };
    let (mut list, is_deprecated) = match member.app.variant {
        Variant::Live | Variant::Rollup => by_cursor(&mut session, &member, &filters).await?,
        Variant::Naive => (by_number(&mut session, &member, &filters).await?, false),
    };
    // Writing the body needs no database: somebody else may have the connection.
    drop(session);
    profile::answers(list.results.len());
    if count == Count::Estimated && list.count.is_none() {
        profile::enter(Layer::Queryset);
        list.count = Some(counted(&mut member, &filters, &list).await?);
    }
    render(list, is_deprecated)
}

/// How long an estimate is kept.
const ESTIMATE_LIFE: Duration = Duration::from_mins(1);

/// How many rows the list has. A page that is all of it is counted; otherwise it is estimated, and there are at least
/// those of the page and one beside it.
async fn counted(member: &mut Member, filters: &Filters, list: &List) -> Result<i64, Refusal> {
    let seen = i64::try_from(list.results.len()).unwrap_or(i64::MAX);
    if list.next.is_none() && list.previous.is_none() {
        return Ok(seen);
    }
    member.release();
    let Member { app, admission, .. } = &*member;
    let fetch = async {
        let mut session = app.database.search_session().await?;
        Ok(estimate(&mut session, admission, filters).await?)
    };
    // The filters as they were understood: two spellings of the same question share an estimate.
    let key = Key::new(admission, format!("estimate {filters:?}"));
    // On the heap: few requests come here, and all others would carry the room for it.
    let (estimate, _) = Box::pin(app.cache.get_or_fetch(key, ESTIMATE_LIFE, fetch)).await?;
    Ok(i64::try_from(estimate).unwrap_or(i64::MAX).max(seen + 1))
}

fn render(list: List, is_deprecated: bool) -> Result<Response, Refusal> {
    let mut response = answer::json(StatusCode::OK, &list)?;
    let headers = response.headers_mut();
    headers.extend(Links { next: list.next, previous: list.previous }.header());
    if is_deprecated {
        headers.extend([DEPRECATION]);
    }
    Ok(response)
}

/// Pages by cursor; old clients may begin at an offset, and go on by cursor if they follow the links.
async fn by_cursor(
    session: &mut Session,
    member: &Member,
    filters: &Filters,
) -> Result<(List, bool), Refusal> {
    let page = Page::read(&member.query)?;
    let rows = keyset::page(session, member.app.variant, &member.admission, filters, &page).await?;
    if let Start::Offset { rows: 1.., is_page: true } = page.start
        && rows.customers.is_empty()
    {
        return Err(Refusal::InvalidPage);
    }
    let (next, previous) = neighbours(&rows, page.start);
    let is_deprecated = matches!(page.start, Start::Offset { .. });
    let origin = member.app.origin.of(&member.parts.headers);
    let to = |cursor: Cursor| {
        let cursor = cursor.encode()?;
        let size = page.size.to_string();
        let mut added = vec![("cursor", cursor.as_str())];
        if is_deprecated {
            added.push(("page_size", size.as_str()));
        }
        Ok::<_, Refusal>(link(&origin, PATH, &member.query, &["page", "limit", "offset"], &added))
    };
    let list = List {
        next: next.map(to).transpose()?,
        previous: previous.map(to).transpose()?,
        results: rows.customers,
        count: None,
    };
    Ok((list, is_deprecated))
}

/// The cursors to the next and to the previous page, where there are such.
fn neighbours(rows: &Rows, start: Start) -> (Option<Cursor>, Option<Cursor>) {
    let (forward, way_back) = match start {
        Start::Top => (true, None),
        Start::Cursor(cursor) => (cursor.direction == Direction::Next, Some(cursor.turned())),
        // Past the end of the list, the way back begins below its last row.
        Start::Offset { .. } => (true, Some(Cursor::beyond(Place::BOTTOM, Direction::Previous))),
    };
    let (follows, precedes) = if forward { (rows.beyond, rows.behind) } else { (rows.behind, rows.beyond) };
    let (next, previous) = match (rows.customers.first(), rows.customers.last()) {
        (Some(first), Some(last)) => (
            Some(Cursor::beyond(last.place(), Direction::Next)),
            Some(Cursor::beyond(first.place(), Direction::Previous)),
        ),
        // Nothing was found in the direction of the walk, so the only neighbour is where it came from.
        _ => (way_back, way_back),
    };
    (next.filter(|_| follows), previous.filter(|_| precedes))
}

/// Pages by number, with the exact count.
async fn by_number(session: &mut Session, member: &Member, filters: &Filters) -> Result<List, Refusal> {
    let query = &member.query;
    if ["cursor", "limit", "offset"].into_iter().any(|name| query.given(name).is_some()) {
        return Err(Refusal::Unusable("This variant pages by `page` alone; follow `next`."));
    }
    let number = query.given("page").map_or(Some(1), paging::positive).ok_or(Refusal::InvalidPage)?;
    let size = paging::page_size(query);
    let rows =
        naive::page(session, &member.admission, filters, number, size).await?.ok_or(Refusal::InvalidPage)?;
    let origin = member.app.origin.of(&member.parts.headers);
    let to = |number: u64| link(&origin, PATH, query, &[], &[("page", &number.to_string())]);
    Ok(List {
        next: rows.beyond.then(|| to(number + 1)),
        previous: rows.behind.then(|| to(number - 1)),
        results: rows.customers,
        count: rows.count,
    })
}
