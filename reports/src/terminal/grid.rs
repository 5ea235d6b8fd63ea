//! Columns of text, laid out by `comfy_table`.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::WIDTH;

/// On which side a column is flush.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table without lines, indented by two columns.
pub(crate) struct Grid(Table);

impl Grid {
    pub(crate) fn new(columns: &[(&str, Align)]) -> Self {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(WIDTH).unwrap_or(u16::MAX));
        table.set_header(columns.iter().map(|(heading, _)| *heading));
        for (column, (_, align)) in table.column_iter_mut().zip(columns) {
            column.set_padding((if column.index == 0 { 2 } else { 1 }, 1));
            if *align == Align::Right {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self(table)
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.add_row(cells.into_iter().collect::<Vec<_>>());
    }

    /// The lines, each with its end and without trailing spaces.
    pub(crate) fn text(&self) -> String {
        self.0.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}

/// A sentence in lines of at most `width` columns, `indent` before each.
pub(crate) fn wrapped(sentence: &str, width: usize, indent: &str) -> String {
    let mut text = String::new();
    let mut line = indent.to_owned();
    let mut empty = true;
    for word in sentence.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > width {
            text.push_str(line.trim_end());
            text.push('\n');
            line = format!("{indent}  ");
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    text.push_str(line.trim_end());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_flush_on_their_side() {
        let mut grid = Grid::new(&[("name", Align::Left), ("count", Align::Right)]);
        grid.row(["a".into(), "1".into()]);
        grid.row(["abcdef".into(), "1,000".into()]);
        assert_eq!(grid.text(), "  name    count\n  a           1\n  abcdef  1,000\n");
    }

    #[test]
    fn long_sentences_are_wrapped_and_indented() {
        assert_eq!(wrapped("one two three four", 12, "  "), "  one two\n    three\n    four\n");
    }
}
