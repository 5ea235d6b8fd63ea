//! Arrivals that were recorded: a file with one a line.
//!
//! ```text
//! # seconds, and what was asked for
//! 0      first_page
//! 0.153  first_page
//! 0.160  page_100
//! ```
//!
//! Instead of seconds there may be RFC 3339 timestamps, as a server's log has them. What counts is the distance from the
//! first line, so that seconds may also be those since 1970. Lines have to be in order: a file that is not was put
//! together from several logs or has seen a clock jump, and sorting it would hide that.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::moment::Moment;
use crate::error::Error;

/// The greatest distance between the first arrival of a file and its last.
pub const LONGEST_REPLAY: Duration = Duration::from_hours(24 * 366);

/// A line that is longer is none of ours: somebody has named another file.
const LONGEST_LINE: u64 = 1024;

/// Recorded arrivals, in order. A million of them take 16 MB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    name: String,
    sha256: String,
    scenarios: Vec<String>,
    recorded: Vec<Recorded>,
}

/// One line. Nanoseconds reach 584 years, and are half the size of a `Duration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Recorded {
    after_ns: u64,
    scenario: Option<u16>,
}

impl Replay {
    /// Reads a file, which has to hold an arrival.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |source| Error::ReplayUnreadable { file: path.display().to_string(), source };
        let file = File::open(path).map_err(unreadable)?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Self::read(name, BufReader::new(file))
    }

    /// Reads lines; `name` is what the file is called in the result and in errors.
    pub fn read(name: String, mut lines: impl BufRead) -> Result<Self, Error> {
        let wrong = |line: usize, what: String| Error::Replay { file: name.clone(), line, what };
        let mut checksum = Sha256::new();
        let mut reader = Reader::default();
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            let read = lines.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut bytes);
            let length = read.map_err(|source| Error::ReplayUnreadable { file: name.clone(), source })?;
            if length == 0 {
                break;
            }
            if length as u64 > LONGEST_LINE {
                return Err(wrong(number, format!("it is longer than {LONGEST_LINE} bytes")));
            }
            checksum.update(&bytes);
            let line =
                str::from_utf8(&bytes).map_err(|_| wrong(number, "it is not UTF-8 text".to_owned()))?;
            reader.line(line).map_err(|what| wrong(number, what))?;
        }
        if reader.recorded.is_empty() {
            return Err(Error::ReplayEmpty { file: name });
        }
        let sha256 = checksum.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        Ok(Self { name, sha256, scenarios: reader.scenarios, recorded: reader.recorded })
    }

    /// The name of the file, without its folder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the file, in hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The scenarios that are named in it, each once, in the order in which they come up.
    #[must_use]
    pub fn scenarios(&self) -> &[String] {
        &self.scenarios
    }

    /// How many arrivals it holds.
    #[must_use]
    pub fn arrivals(&self) -> usize {
        self.recorded.len()
    }

    /// How long it takes: to the last arrival and, so that the rate is right, one mean gap more; 1 s where all come at
    /// once.
    #[must_use]
    pub fn length(&self) -> Duration {
        let last = self.recorded.last().map_or(Duration::ZERO, |last| Duration::from_nanos(last.after_ns));
        let gaps = (self.recorded.len().max(2) - 1) as f64;
        if last.is_zero() { Duration::from_secs(1) } else { last + last.div_f64(gaps) }
    }

    /// The arrivals that ask for this scenario, and those that leave it open. There may be none.
    #[must_use]
    pub fn only(&self, scenario: &str) -> Self {
        let place = self.scenarios.iter().position(|known| known == scenario);
        let kept =
            |recorded: &&Recorded| recorded.scenario.is_none_or(|named| Some(usize::from(named)) == place);
        Self { recorded: self.recorded.iter().filter(kept).copied().collect(), ..self.clone() }
    }

    /// How many arrivals come before `offset`.
    pub(super) fn within(&self, offset: Duration) -> usize {
        self.recorded.partition_point(|recorded| Duration::from_nanos(recorded.after_ns) < offset)
    }

    /// Arrival `number`: how long after the first, and what it asks for.
    pub(super) fn arrival(&self, number: usize) -> Option<(Duration, Option<usize>)> {
        let Recorded { after_ns, scenario } = *self.recorded.get(number)?;
        Some((Duration::from_nanos(after_ns), scenario.map(usize::from)))
    }

    #[cfg(test)]
    pub(super) fn of_offsets(offsets: &[Duration]) -> Self {
        let lines: Vec<_> = offsets.iter().map(|offset| format!("{}\n", offset.as_secs_f64())).collect();
        Self::read("test".to_owned(), lines.concat().as_bytes()).unwrap()
    }
}

/// What was read so far.
#[derive(Debug, Default)]
struct Reader {
    first: Option<Moment>,
    last: Duration,
    scenarios: Vec<String>,
    recorded: Vec<Recorded>,
}

impl Reader {
    /// Takes one line; the error is a sentence without a subject.
    fn line(&mut self, line: &str) -> Result<(), String> {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            return Ok(());
        }
        let (moment, rest) = line.split_once(|c: char| c == ',' || c.is_whitespace()).unwrap_or((line, ""));
        let scenario = rest.trim().trim_start_matches(',').trim();
        if scenario.contains(|c: char| c == ',' || c.is_whitespace()) {
            return Err(format!("`{scenario}` after the time is more than the name of a scenario"));
        }
        let moment = Moment::parse(moment)?;
        let after = moment.since(*self.first.get_or_insert(moment))?;
        if let Some(back) = self.last.checked_sub(after).filter(|back| !back.is_zero()) {
            let back = back.as_secs_f64();
            return Err(format!("it is due {back} s before the line above; sort the lines by time"));
        }
        if after > LONGEST_REPLAY {
            let days = LONGEST_REPLAY.as_secs() / 86_400;
            return Err(format!("`{}` s after the first line are more than {days} days", after.as_secs()));
        }
        let after_ns = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
        let scenario = if scenario.is_empty() { None } else { Some(self.place_of(scenario)?) };
        self.last = after;
        self.recorded.push(Recorded { after_ns, scenario });
        Ok(())
    }

    fn place_of(&mut self, scenario: &str) -> Result<u16, String> {
        let known = self.scenarios.iter().position(|known| known == scenario);
        let place = known.unwrap_or(self.scenarios.len());
        let place = u16::try_from(place).map_err(|_| "there are too many different scenarios".to_owned())?;
        if known.is_none() {
            self.scenarios.push(scenario.to_owned());
        }
        Ok(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Replay, Error> {
        Replay::read("access.txt".to_owned(), text.as_bytes())
    }

    fn all(replay: &Replay) -> Vec<(u128, Option<&str>)> {
        let arrivals = (0..replay.arrivals()).map(|number| replay.arrival(number).unwrap());
        arrivals
            .map(|(after, scenario)| {
                (after.as_micros(), scenario.map(|place| replay.scenarios()[place].as_str()))
            })
            .collect()
    }

    #[test]
    fn seconds_comments_blank_lines_and_scenarios_are_read() {
        let replay =
            read("# head\n0\n\n0.153 page_100\r\n0.2,first_page # note\n 0.2\t,page_100 \n7e0").unwrap();
        let expected = [
            (0, None),
            (153_000, Some("page_100")),
            (200_000, Some("first_page")),
            (200_000, Some("page_100")),
            (7_000_000, None),
        ];
        assert_eq!(all(&replay), expected);
        assert_eq!(replay.scenarios(), ["page_100", "first_page"]);
    }

    #[test]
    fn timestamps_count_from_the_first_one_across_time_zones() {
        let replay = read("2026-07-01T12:00:00.5Z\n2026-07-01T14:00:00.753+02:00 first_page\n").unwrap();
        assert_eq!(all(&replay), [(0, None), (253_000, Some("first_page"))]);
    }

    #[test]
    fn seconds_may_be_those_since_1970() {
        assert_eq!(all(&read("1782907200.25\n1782907201.5\n").unwrap()), [(0, None), (1_250_000, None)]);
    }

    #[test]
    fn the_checksum_is_that_of_the_file() {
        // printf '0\n1\n' | sha256sum
        let expected = "82c1315e6c757f33c4a77ca58b2a184f5a88614470c05ec77f3d28918db6b8ae";
        assert_eq!(read("0\n1\n").unwrap().sha256(), expected);
        assert_ne!(read("0\n1\n#\n").unwrap().sha256(), expected);
    }

    #[test]
    fn mistakes_are_named_with_file_and_line() {
        for (text, line, words) in [
            ("0\n1\n0.5\n", 3, "0.5 s before the line above"),
            ("5\n1\n", 2, "before the first line"),
            ("# x\n\nsoon\n", 3, "`soon` is not a time"),
            ("0\n-1\n", 2, "`-1` is not a time"),
            ("NaN\n", 1, "`NaN` is not a time"),
            ("0\n1e300\n", 2, "too many"),
            ("0\n1e9\n", 2, "366 days"),
            ("0 first_page page_100\n", 1, "`first_page page_100`"),
            ("0\n2026-07-01T12:00:00Z\n", 2, "a timestamp where the first line has seconds"),
            ("2026-07-01T12:00:00Z\n3\n", 2, "seconds where the first line has a timestamp"),
            ("2026-07-01T12:00:00Z\n2026-07-01T11:00:00Z\n", 2, "before the first line"),
        ] {
            let said = read(text).unwrap_err().to_string();
            assert!(said.contains("access.txt") && said.contains(&format!("line {line}")), "{said}");
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn a_file_without_arrivals_or_of_another_kind_is_refused() {
        assert!(matches!(read("# nothing\n\n"), Err(Error::ReplayEmpty { .. })));
        let endless = Replay::read("zero".to_owned(), BufReader::new(std::io::repeat(b'0')));
        assert!(endless.unwrap_err().to_string().contains("longer than 1024 bytes"));
        let binary = Replay::read("tar".to_owned(), &[0xff, 0xfe, b'\n'][..]).unwrap_err().to_string();
        assert!(binary.contains("not UTF-8"), "{binary}");
        let missing = Replay::open(Path::new("/no/such/file")).unwrap_err().to_string();
        assert!(missing.contains("/no/such/file"), "{missing}");
    }

    #[test]
    fn a_million_lines_are_read_and_kept_small() {
        let lines: Vec<_> =
            (0..1_000_000).map(|ms| format!("{}.{:03} first_page\n", ms / 1000, ms % 1000)).collect();
        let replay = read(&lines.concat()).unwrap();
        assert_eq!(replay.arrivals(), 1_000_000);
        assert_eq!(replay.arrival(999_999), Some((Duration::from_millis(999_999), Some(0))));
        assert_eq!(replay.scenarios(), ["first_page"]);
        assert_eq!(size_of::<Recorded>(), 16);
    }

    #[test]
    fn a_scenario_gets_the_arrivals_that_name_it_and_those_that_name_none() {
        let replay = read("0 a\n1 b\n2\n3 a\n").unwrap();
        assert_eq!(all(&replay.only("a")), [(0, Some("a")), (2_000_000, None), (3_000_000, Some("a"))]);
        assert_eq!(all(&replay.only("c")), [(2_000_000, None)]);
        assert_eq!(read("0 a\n").unwrap().only("b").arrivals(), 0);
    }

    #[test]
    fn arrivals_that_all_come_at_once_have_a_second() {
        assert_eq!(read("3\n3\n").unwrap().length(), Duration::from_secs(1));
        assert_eq!(read("0\n1\n2\n").unwrap().length(), Duration::from_secs(3));
    }
}
