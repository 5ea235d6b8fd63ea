//! The process, under the names that every client library of Prometheus gives to the same things. Read when they are
//! asked for; on systems without `/proc` they are absent.

use prometheus_client::registry::Registry;

#[cfg(target_os = "linux")]
pub(super) fn register(registry: &mut Registry) {
    registry.register_collector(Box::new(linux::Process));
}

#[cfg(not(target_os = "linux"))]
pub(super) fn register(_: &mut Registry) {}

#[cfg(target_os = "linux")]
mod linux {
    use prometheus_client::collector::Collector;
    use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
    use prometheus_client::metrics::counter::ConstCounter;
    use prometheus_client::metrics::gauge::ConstGauge;
    use prometheus_client::registry::Unit;

    #[derive(Debug)]
    pub(super) struct Process;

    /// What `/proc` says of this process.
    struct Facts {
        resident_bytes: u64,
        cpu_s: f64,
        started_s: f64,
        open_files: usize,
    }

    impl Facts {
        fn read() -> Result<Self, procfs::ProcError> {
            let process = procfs::process::Process::myself()?;
            let stat = process.stat()?;
            let ticks_per_second = procfs::ticks_per_second() as f64;
            Ok(Self {
                resident_bytes: stat.rss * procfs::page_size(),
                cpu_s: (stat.utime + stat.stime) as f64 / ticks_per_second,
                started_s: procfs::boot_time_secs()? as f64 + stat.starttime as f64 / ticks_per_second,
                open_files: process.fd_count()?,
            })
        }
    }

    impl Collector for Process {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
            let facts = match Facts::read() {
                Ok(facts) => facts,
                Err(error) => {
                    tracing::warn!(%error, "the state of this process can't be read");
                    return Ok(());
                }
            };
            let mut put = |name, help, unit: Option<Unit>, metric: &dyn EncodeMetric| {
                let kind = metric.metric_type();
                metric.encode(encoder.encode_descriptor(name, help, unit.as_ref(), kind)?)
            };
            let cpu = ConstCounter::new(facts.cpu_s);
            put("process_cpu", "CPU time of user and system.", Some(Unit::Seconds), &cpu)?;
            let resident = ConstGauge::new(facts.resident_bytes.cast_signed());
            put("process_resident_memory", "Memory that is resident.", Some(Unit::Bytes), &resident)?;
            let started = ConstGauge::new(facts.started_s);
            put("process_start_time", "Start, since the Unix epoch.", Some(Unit::Seconds), &started)?;
            let files = ConstGauge::new(i64::try_from(facts.open_files).unwrap_or(i64::MAX));
            put("process_open_fds", "Open files and sockets.", None, &files)
        }
    }
}
