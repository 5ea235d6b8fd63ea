//! Histogram logs: the raw evidence, in the interval log format of `HdrHistogram` (version 1.3), which its viewers and
//! merge tools read.
//!
//! Each window is one interval with three tagged histograms in microseconds: `response`, `lag` and `service`. The
//! second look at the control subject is tagged apart (`response-aa`, …), so that the sum of one tag is what the
//! report shows.

use std::io;
use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, IntervalLogWriterError, Tag};

use crate::run::Run;
use crate::summary::{self, Case};

/// The log of one case.
pub(super) fn log(run: &Run, case: Case<'_>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let started = SystemTime::from(run.started_at);
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment(&format!("[callbench run {}: {} under {}]", run.name, case.subject, case.operation))
        .add_comment("[Values are microseconds]")
        .with_start_time(started)
        .with_base_time(started)
        .begin_log_with(&mut bytes, &mut serializer)?;
    let mut windows = [summary::windows(run, case, 1), summary::windows(run, case, 2)].concat();
    windows.sort_by(|a, b| a.opened_s.total_cmp(&b.opened_s));
    for window in windows {
        log.write_comment(&format!("[Round {}, pass {}]", window.round, window.pass))?;
        let timings = &window.timings;
        for (tag, latency) in
            [("response", &timings.response), ("lag", &timings.lag), ("service", &timings.service)]
        {
            let tag = if window.pass == 1 { tag.to_owned() } else { format!("{tag}-aa") };
            let (start, length) = (seconds(window.opened_s), seconds(window.drained_s));
            log.write_histogram(latency.histogram(), start, length, Tag::new(&tag)).map_err(|error| {
                match error {
                    IntervalLogWriterError::IoError(error) => error,
                    IntervalLogWriterError::SerializeError(error) => io::Error::other(error),
                }
            })?;
        }
    }
    Ok(bytes)
}

/// Seconds as a duration; what is not a time at all counts as none.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
