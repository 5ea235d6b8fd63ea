//! How a request says which page it wants.

use crate::customers::cursor::Cursor;
use crate::query::Query;
use crate::refusal::Refusal;

/// Rows of a page when nobody says otherwise.
const DEFAULT_PAGE_SIZE: u32 = 50;

/// The most rows of a page.
const MAX_PAGE_SIZE: u32 = 200;

/// How deep `page`, `limit` and `offset` reach. Rows before an offset must be walked, so there is an end to it; a
/// cursor has none.
const MAX_DEPTH: u64 = 10_000;

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Start {
    /// At the newest customer.
    Top,
    /// At the place that a cursor names.
    Cursor(Cursor),
    /// After so many rows: how clients of the old API ask.
    Offset {
        /// Rows to leave out.
        rows: u64,
        /// Whether the page was asked for by its number, and must therefore exist.
        is_page: bool,
    },
}

/// A page: where it begins, and how many rows it has at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Page {
    pub(crate) start: Start,
    pub(crate) size: u32,
}

impl Page {
    /// Reads `cursor` and `page_size`, and what old clients send instead: `page`, or `limit` and `offset`.
    pub(crate) fn read(query: &Query) -> Result<Self, Refusal> {
        let cursor = query.given("cursor");
        let (page, limit, offset) = (query.given("page"), query.given("limit"), query.given("offset"));
        let by_row = limit.is_some() || offset.is_some();
        if page.is_none() && !by_row {
            let start = match cursor {
                Some(text) => Start::Cursor(Cursor::decode(text).ok_or(Refusal::InvalidCursor)?),
                None => Start::Top,
            };
            return Ok(Self { start, size: page_size(query) });
        }

        if cursor.is_some() {
            return Err(Refusal::Unusable(
                "`cursor` can't be combined with `page`, `limit` or `offset`; follow `next` as it is.",
            ));
        }
        if page.is_some() && by_row {
            return Err(Refusal::Unusable(
                "`page` can't be combined with `limit` or `offset`; send one of them.",
            ));
        }
        let (rows, size) = match page {
            Some(text) => {
                let number = positive(text).ok_or(Refusal::InvalidPage)?;
                let size = page_size(query);
                ((number - 1).saturating_mul(size.into()), size)
            }
            None => (offset.and_then(natural).unwrap_or(0), limit.map_or_else(|| page_size(query), size)),
        };
        if rows.saturating_add(size.into()) > MAX_DEPTH {
            return Err(Refusal::Unusable(
                "`page`, `limit` and `offset` reach no deeper than row 10,000; follow `next`, whose cost does not grow.",
            ));
        }
        Ok(Self { start: Start::Offset { rows, is_page: page.is_some() }, size })
    }
}

/// The number of rows that `page_size` asks for.
pub(crate) fn page_size(query: &Query) -> u32 {
    query.given("page_size").map_or(DEFAULT_PAGE_SIZE, size)
}

/// What isn't a positive integer is the default, what is too much is the maximum.
fn size(text: &str) -> u32 {
    positive(text)
        .map_or(DEFAULT_PAGE_SIZE, |rows| u32::try_from(rows).unwrap_or(MAX_PAGE_SIZE).min(MAX_PAGE_SIZE))
}

/// A positive integer, however long it is.
pub(crate) fn positive(text: &str) -> Option<u64> {
    natural(text).filter(|number| *number > 0)
}

/// An integer that is not negative; what is too large for the type is its greatest value.
fn natural(text: &str) -> Option<u64> {
    let digits = text.trim();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Result<Page, Refusal> {
        Page::read(&Query::parse(raw))
    }

    #[test]
    fn page_size_falls_back_and_is_limited() {
        for (raw, size) in [
            ("", 50),
            ("page_size=", 50),
            ("page_size=0", 50),
            ("page_size=-5", 50),
            ("page_size=2.5", 50),
            ("page_size=ten", 50),
            ("page_size=1", 1),
            ("page_size=200", 200),
            ("page_size=201", 200),
            ("page_size=99999999999999999999999", 200),
            ("page_size=5&page_size=7", 7),
        ] {
            assert_eq!(read(raw), Ok(Page { start: Start::Top, size }), "{raw}");
        }
    }

    #[test]
    fn an_empty_cursor_is_the_first_page_and_any_other_text_an_error() {
        assert_eq!(read("cursor=").unwrap().start, Start::Top);
        assert_eq!(read("cursor=nonsense"), Err(Refusal::InvalidCursor));
    }

    #[test]
    fn old_clients_reach_row_ten_thousand_and_are_told_what_to_do_beyond() {
        let at = |rows, is_page, size| Ok(Page { start: Start::Offset { rows, is_page }, size });
        assert_eq!(read("page=1"), at(0, true, 50));
        assert_eq!(read("page=200"), at(9_950, true, 50));
        assert_eq!(read("page=3&page_size=7"), at(14, true, 7));
        assert_eq!(read("limit=10&offset=9990"), at(9_990, false, 10));
        assert_eq!(read("limit=1000"), at(0, false, 200));
        assert_eq!(read("limit=none&offset=-1"), at(0, false, 50));
        assert_eq!(read("offset=20&page_size=5"), at(20, false, 5));
        for page in ["0", "-1", "last", "1.0"] {
            assert_eq!(read(&format!("page={page}")), Err(Refusal::InvalidPage), "{page}");
        }
        for raw in [
            "page=201",
            "page=18446744073709551615",
            "limit=11&offset=9990",
            "offset=99999999999999999999",
            "page=2&limit=5",
            "page=2&offset=5",
            "page=2&cursor=x",
            "offset=0&cursor=x",
        ] {
            assert!(matches!(read(raw), Err(Refusal::Unusable(_))), "{raw}");
        }
    }
}
