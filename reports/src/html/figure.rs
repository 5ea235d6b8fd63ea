//! A figure: the sentence that says what it shows, the chart, and its data as a table.

use maud::{Markup, html};

/// The width of a chart over the whole page, in the units of its drawing.
const FULL: f64 = 920.0;
/// The width of one of two charts beside each other.
const HALF: f64 = 448.0;
/// The width of a chart on a phone.
const NARROW: f64 = 348.0;

/// How much of the page a chart takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Full,
    Half,
}

/// A figure. The chart is drawn twice, since text that is scaled down to a phone can't be read; the style sheet shows
/// one of the two.
pub(crate) fn figure(size: Size, finding: &str, chart: impl Fn(f64) -> Markup, data: &Markup) -> Markup {
    let wide = if size == Size::Full { FULL } else { HALF };
    html! {
        figure {
            figcaption { (finding) }
            div class="wide" { (chart(wide)) }
            div class="narrow" { (chart(NARROW)) }
            details { summary { "Data" } (scrolled(data)) }
        }
    }
}

/// A table in a container of its own, which scrolls on narrow pages instead of the page.
pub(crate) fn scrolled(table: &Markup) -> Markup {
    html! { div class="scroll" tabindex="0" { (table) } }
}

/// A plain table; columns from the second on hold numbers.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> Markup {
    html! {
        table {
            thead { tr { @for (column, heading) in headings.iter().enumerate() { th class=[(column > 0).then_some("n")] scope="col" { (heading) } } } }
            tbody {
                @for row in rows {
                    tr {
                        @for (column, cell) in row.iter().enumerate() {
                            @if column == 0 { th scope="row" { (cell) } } @else { td class="n" { (cell) } }
                        }
                    }
                }
            }
        }
    }
}
