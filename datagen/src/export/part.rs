//! How the rows of a table are cut into files, and how one of them is written.

use super::csv;
use super::error::Error;
use super::folder::{Folder, Unfinished};
use super::manifest::Part;
use super::{Format, Options};
use crate::encode::{Writer, Written};
use crate::entities::Table;
use crate::population::Population;
use crate::progress::Progress;
use crate::wire::Rows;

/// Bytes of rows that are encoded before they are written.
const PIECE_BYTES: usize = 512 * 1024;

/// A file that is to be written: a run of whole chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) table: Table,
    /// The first chunk, and the first after it.
    pub(super) chunks: [u64; 2],
    pub(super) file: String,
}

impl Cut {
    /// The files of a table with so many chunks and about so many bytes of rows, all about equally long. A function of
    /// the specification, never of the number of threads. A table without rows has one file without rows.
    pub(super) fn all(
        table: Table,
        chunks: u64,
        copy_bytes: u64,
        part_bytes: u64,
        format: Format,
    ) -> Vec<Self> {
        let parts = copy_bytes.div_ceil(part_bytes.max(1)).clamp(1, chunks.max(1));
        let edge = |part: u64| {
            let chunk = u128::from(chunks) * u128::from(part) / u128::from(parts);
            u64::try_from(chunk).expect("at most the number of chunks")
        };
        let cut = |part| Self {
            table,
            chunks: [edge(part), edge(part + 1)],
            file: format!("{table}.{:04}.{}", part + 1, format.ending()),
        };
        (0..parts).map(cut).collect()
    }

    /// Writes the file.
    pub(super) fn write(
        &self,
        population: &Population,
        folder: &Folder,
        options: &Options,
        has_failed: &dyn Fn() -> bool,
        progress: &dyn Progress,
    ) -> Result<Part, Error> {
        let mut sink = Sink::new(self.table, options.format, folder.create(&self.file)?);
        let mut outcome = sink.begin();
        let mut hand_over = |piece: Vec<u8>| {
            if outcome.is_ok() {
                outcome = sink.take(&piece);
            }
            outcome.is_ok().then_some(piece)
        };
        let mut writer = Writer::new(Vec::new(), PIECE_BYTES, &mut hand_over);
        let mut told = Written::default();
        let phase = format!("export {}", self.table);
        for chunk in self.chunks[0]..self.chunks[1] {
            if options.stop.is_cancelled() || has_failed() {
                return Err(Error::Interrupted);
            }
            if self.table.write_chunk(population, chunk, &mut writer).is_break() {
                break;
            }
            let written = writer.written();
            progress.advanced(&phase, written.rows - told.rows, written.bytes - told.bytes);
            told = written;
        }
        let written = writer.end();
        outcome?;
        let (written, _) = written.expect("every piece was taken");
        Ok(Part::new(self.file.clone(), self.chunks, written, sink.file.finish()?))
    }
}

/// Takes the pieces of a stream in binary form, and writes them in the format of the export.
struct Sink<'a> {
    table: Table,
    format: Format,
    file: Unfinished<'a>,
    rows: Rows,
    lines: Vec<u8>,
}

impl<'a> Sink<'a> {
    fn new(table: Table, format: Format, file: Unfinished<'a>) -> Self {
        Self { table, format, file, rows: Rows::new(), lines: Vec::new() }
    }

    fn begin(&mut self) -> Result<(), Error> {
        match self.format {
            Format::Binary => Ok(()),
            Format::Csv => {
                csv::header(self.table.columns(), &mut self.lines);
                self.file.write(&self.lines)
            }
        }
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), Error> {
        match self.format {
            Format::Binary => self.file.write(piece),
            Format::Csv => {
                self.lines.clear();
                let columns = self.table.columns();
                self.rows
                    .push(piece, |row| csv::line(columns, row, &mut self.lines))
                    .expect("what was just encoded can be decoded");
                self.file.write(&self.lines)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_hold_every_chunk_once_and_none_is_much_longer_than_the_others(
            chunks in 0_u64..3_000,
            copy_bytes in 0_u64..1_000_000_000_000,
        ) {
            let cuts = Cut::all(Table::Call, chunks, copy_bytes, 256 << 20, Format::Binary);
            prop_assert!(!cuts.is_empty());
            prop_assert_eq!((cuts[0].chunks[0], cuts[cuts.len() - 1].chunks[1]), (0, chunks));
            prop_assert!(cuts.windows(2).all(|two| two[0].chunks[1] == two[1].chunks[0]));
            let lengths: Vec<u64> = cuts.iter().map(|cut| cut.chunks[1] - cut.chunks[0]).collect();
            prop_assert!(lengths.iter().max().unwrap() - lengths.iter().min().unwrap() <= 1);
        }
    }

    #[test]
    fn files_are_named_by_table_number_and_format() {
        let cuts = Cut::all(Table::Enrolment, 10, 2_500, 1_000, Format::Csv);
        let files: Vec<&str> = cuts.iter().map(|cut| cut.file.as_str()).collect();
        assert_eq!(
            files,
            [
                "call_campaign_customer.0001.csv",
                "call_campaign_customer.0002.csv",
                "call_campaign_customer.0003.csv"
            ]
        );
    }
}
