//! What was sampled while windows ran: a row for each figure, a column for each subject.

use super::WIDTH;
use super::grid::{self, Align, Grid};
use crate::meanwhile::{Meanwhile, words};
use crate::run::Run;

pub(super) fn section(run: &Run) -> Option<String> {
    let all = Meanwhile::all(run);
    if all.is_empty() {
        return None;
    }
    let mut columns = vec![("", Align::Left)];
    columns.extend(all.iter().map(|of| (of.probes.subject.as_str(), Align::Right)));
    let mut grid = Grid::new(&columns);
    for row in words::rows(&all) {
        grid.row(std::iter::once(row.label.to_owned()).chain(row.cells));
    }
    let costs: String =
        all.iter().map(|of| grid::wrapped(&format!("({})", words::cost(of)), WIDTH, "  ")).collect();
    Some(format!("The database and the machine meanwhile\n{}{costs}", grid.text()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn every_subject_has_a_column_and_a_line_of_costs() {
        let text = section(&sample::unjudged()).unwrap();
        let heading = text.lines().nth(1).unwrap();
        assert!(heading.contains("naive") && heading.contains("live"), "{text}");
        assert_eq!(text.matches("the probes of ").count(), 2, "{text}");
        assert!(text.contains("deadlocks") && text.contains("CPU: client, server, database"), "{text}");
    }

    #[test]
    fn a_run_without_samples_has_no_such_section() {
        let mut run = sample::unjudged();
        run.probes.clear();
        assert_eq!(section(&run), None);
    }
}
