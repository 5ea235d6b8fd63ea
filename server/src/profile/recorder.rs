//! What a request did, noted while it runs.

use std::fmt;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use allocations::Counts;
use sqlx::postgres::PgArguments;

use crate::database::Reads;
use crate::permission::Admission;

/// The parts of the way from a request to its answer. At each moment a request is in one of them, so their times sum to
/// the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Layer {
    /// Everything around the others: names, logs, CORS, the reading of parameters.
    Middleware,
    /// Whether the request may do what it wants.
    Permission,
    /// Waiting for the rows.
    Queryset,
    /// From rows to the bytes of the answer, with everything that is loaded on the way.
    Serializer,
}

impl Layer {
    /// All of them, in the order of a request.
    pub(crate) const ALL: [Self; 4] = [Self::Middleware, Self::Permission, Self::Queryset, Self::Serializer];

    /// The layer's name in a profile.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Middleware => "middleware",
            Self::Permission => "permission",
            Self::Queryset => "queryset",
            Self::Serializer => "serializer",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was waited for connections of one pool.
#[derive(Debug, Clone)]
pub(crate) struct Wait {
    pub(crate) pool: &'static str,
    /// The most connections that it may have.
    pub(crate) size: usize,
    pub(crate) time: Duration,
    /// The part of it in which all connections were in use; the rest is making new ones, and looking at old ones.
    pub(crate) full: Duration,
}

/// A statement that was sent to the database.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    /// Of the values that were bound; equal values have equal ones. None when the statement has no values.
    pub(crate) fingerprint: Option<u64>,
    /// The values, to send it again.
    pub(crate) arguments: Option<PgArguments>,
    /// Whose connection it was.
    pub(crate) pool: &'static str,
    pub(crate) layer: Layer,
    /// When it was sent, since the request began.
    pub(crate) start: Duration,
    /// Until its last row was read.
    pub(crate) time: Duration,
    pub(crate) rows: u64,
    /// What is read of its rows; none where nobody looks.
    pub(crate) brought: Option<Reads>,
}

/// Everything that was noted.
#[derive(Debug)]
pub(crate) struct Notes {
    pub(crate) statements: Vec<Statement>,
    /// Time in each of [`Layer::ALL`].
    pub(crate) layers: [Duration; 4],
    /// One for each pool that was asked.
    pub(crate) waits: Vec<Wait>,
    /// On the processor, as the operating system counts it; none where it doesn't.
    pub(crate) cpu: Option<Duration>,
    /// None in a program that doesn't count.
    pub(crate) heap: Option<Counts>,
    /// Who was let in.
    pub(crate) admission: Option<Admission>,
    /// Records of the answer, where it is a list.
    pub(crate) records: Option<usize>,
    layer: Layer,
    since: Instant,
}

/// Takes notes of one request.
#[derive(Debug)]
pub(crate) struct Recorder {
    began: Instant,
    notes: Mutex<Notes>,
}

impl Recorder {
    /// Begins, in [`Layer::Middleware`].
    pub(crate) fn begin() -> Self {
        let began = Instant::now();
        Self { began, notes: Mutex::new(Notes::begin(began)) }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request goes on in this layer.
    pub(crate) fn enter(&self, layer: Layer) {
        self.notes().enter(layer, Instant::now());
    }

    /// A statement is about to be sent; gives its number. What is sent outside of any layer reads or writes what the
    /// endpoint is about.
    pub(crate) fn begin_statement(
        &self,
        sql: &str,
        arguments: Option<&PgArguments>,
        pool: &'static str,
    ) -> usize {
        let fingerprint = arguments.map(fingerprint);
        let mut notes = self.notes();
        let now = Instant::now();
        if notes.layer == Layer::Middleware {
            notes.enter(Layer::Queryset, now);
        }
        let statement = Statement {
            sql: sql.to_owned(),
            fingerprint,
            arguments: arguments.cloned(),
            pool,
            layer: notes.layer,
            start: now - self.began,
            time: Duration::ZERO,
            rows: 0,
            brought: None,
        };
        notes.statements.push(statement);
        notes.statements.len() - 1
    }

    /// The statement with this number is over.
    pub(crate) fn end_statement(&self, number: usize, rows: u64) {
        let since_start = self.began.elapsed();
        if let Some(statement) = self.notes().statements.get_mut(number) {
            statement.time = since_start.saturating_sub(statement.start);
            statement.rows = rows;
        }
    }

    /// What is read of the rows of the statement that was sent last is noted there.
    pub(crate) fn brought(&self, reads: Reads) {
        if let Some(statement) = self.notes().statements.last_mut() {
            statement.brought = Some(reads);
        }
    }

    /// A connection of this pool was waited for, which had none left if `was_full`.
    pub(crate) fn waited(&self, pool: &'static str, size: usize, time: Duration, was_full: bool) {
        let waits = &mut self.notes().waits;
        let full = if was_full { time } else { Duration::ZERO };
        match waits.iter_mut().find(|wait| wait.pool == pool) {
            Some(wait) => {
                wait.time += time;
                wait.full += full;
            }
            None => waits.push(Wait { pool, size, time, full }),
        }
    }

    /// The future of the request was polled. `cpu` is none where the operating system doesn't say.
    pub(crate) fn polled(&self, cpu: Option<Duration>, counts: Counts) {
        let mut notes = self.notes();
        notes.cpu = notes.cpu.zip(cpu).map(|(before, now)| before + now);
        if let Some(heap) = &mut notes.heap {
            heap.bytes += counts.bytes;
            heap.calls += counts.calls;
            heap.peak = heap.peak.max(heap.kept + counts.peak);
            heap.kept += counts.kept;
        }
    }

    /// The request was let in.
    pub(crate) fn let_in(&self, admission: Admission) {
        self.notes().admission = Some(admission);
    }

    pub(super) fn answers(&self, records: usize) {
        self.notes().records = Some(records);
    }

    /// Everything that was noted, and the time until now. What comes later is noted for nobody.
    pub(crate) fn finish(&self) -> (Notes, Duration) {
        let mut notes = self.notes();
        let (layer, now) = (notes.layer, Instant::now());
        notes.enter(layer, now);
        (std::mem::replace(&mut notes, Notes::begin(now)), now - self.began)
    }
}

impl Notes {
    fn begin(now: Instant) -> Self {
        Self {
            statements: Vec::new(),
            layers: [Duration::ZERO; 4],
            waits: Vec::new(),
            cpu: Some(Duration::ZERO),
            heap: allocations::is_counting().then(Counts::default),
            admission: None,
            records: None,
            layer: Layer::Middleware,
            since: now,
        }
    }

    /// Waited for connections in all.
    pub(crate) fn pool_wait(&self) -> Duration {
        self.waits.iter().map(|wait| wait.time).sum()
    }

    fn enter(&mut self, layer: Layer, now: Instant) {
        self.layers[self.layer as usize] += now - self.since;
        (self.layer, self.since) = (layer, now);
    }
}

/// Equal for equal types and values. What the driver has encoded is not for others to read, but it prints it.
fn fingerprint(arguments: &PgArguments) -> u64 {
    struct Printed(DefaultHasher);
    impl fmt::Write for Printed {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.write(text.as_bytes());
            Ok(())
        }
    }
    let mut printed = Printed(DefaultHasher::new());
    // Hashing can't fail.
    let _ = fmt::write(&mut printed, format_args!("{arguments:?}"));
    printed.0.finish()
}

#[cfg(test)]
mod tests {
    use sqlx::Arguments as _;

    use super::*;

    #[test]
    fn the_layers_sum_to_the_whole_and_a_statement_of_no_layer_is_the_queryset() {
        let recorder = Recorder::begin();
        recorder.enter(Layer::Permission);
        let first = recorder.begin_statement("SELECT 1", None, "pages");
        recorder.end_statement(first, 1);
        recorder.enter(Layer::Middleware);
        let second = recorder.begin_statement("SELECT 2", None, "searches");
        recorder.end_statement(second, 7);
        let (notes, total) = recorder.finish();
        assert_eq!(notes.layers.iter().sum::<Duration>(), total);
        let seen: Vec<_> = notes.statements.iter().map(|s| (s.layer, s.pool, s.rows)).collect();
        assert_eq!(seen, [(Layer::Permission, "pages", 1), (Layer::Queryset, "searches", 7)]);
    }

    #[test]
    fn equal_values_have_equal_fingerprints_and_others_others() {
        let of = |texts: &[&str], number: i64| {
            let mut arguments = PgArguments::default();
            for text in texts {
                arguments.add(text.to_owned()).unwrap();
            }
            arguments.add(number).unwrap();
            fingerprint(&arguments)
        };
        assert_eq!(of(&["a", "b"], 1), of(&["a", "b"], 1));
        let others = [of(&["a", "b"], 1), of(&["b", "a"], 1), of(&["ab", ""], 1), of(&["a", "b"], 2)];
        for (number, one) in others.iter().enumerate() {
            assert_eq!(others.iter().position(|other| other == one), Some(number));
        }
    }

    #[test]
    fn the_peak_is_over_all_polls() {
        let recorder = Recorder::begin();
        recorder.notes().heap = Some(Counts::default());
        for (bytes, kept, peak) in [(100, 60, 80), (10, -20, 10), (50, 0, 50)] {
            recorder.polled(Some(Duration::from_micros(3)), Counts { bytes, calls: 1, kept, peak });
        }
        let (notes, _) = recorder.finish();
        assert_eq!(notes.heap, Some(Counts { bytes: 160, calls: 3, kept: 40, peak: 90 }));
        assert_eq!(notes.cpu, Some(Duration::from_micros(9)));
    }
}
