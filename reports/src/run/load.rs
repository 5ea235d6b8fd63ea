//! How requests were offered.

use serde::{Deserialize, Serialize};

/// How requests are offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "loop", rename_all = "snake_case")]
pub enum LoadModel {
    /// Requests are due on a schedule, however fast they are answered.
    Open(OpenLoop),
    /// Each user sends its next request when the last one is answered.
    Closed {
        /// Number of users.
        users: usize,
    },
}

/// The schedule of the open loop. What a result of an earlier version does not say is what that version did: constant
/// arrivals that wait for a worker, at a rate that was reduced for a subject that could not hold it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenLoop {
    /// The rate asked for, in requests per second: at the opening of a window, if it changes; the mean, if arrivals were
    /// replayed. For what was offered see [`Window::offered_per_second`](super::Window::offered_per_second).
    pub rate_per_second: f64,
    /// The rate at the end of a window, if it changes: a straight line leads there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ramp_to_per_second: Option<f64>,
    /// How arrivals are spread.
    #[serde(default)]
    pub process: Process,
    /// What was replayed, if the process says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Replay>,
    /// Most requests in flight.
    pub max_in_flight: usize,
    /// What becomes of an arrival while that many are in flight.
    #[serde(default)]
    pub when_busy: WhenBusy,
    /// What becomes of the rate for a subject that can't hold it.
    #[serde(default)]
    pub on_overload: OnOverload,
}

impl OpenLoop {
    /// Constant arrivals that wait while `max_in_flight` requests are in flight.
    #[must_use]
    pub fn constant(rate_per_second: f64, max_in_flight: usize) -> Self {
        Self {
            rate_per_second,
            ramp_to_per_second: None,
            process: Process::default(),
            replay: None,
            max_in_flight,
            when_busy: WhenBusy::default(),
            on_overload: OnOverload::default(),
        }
    }
}

/// How arrivals are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Process {
    /// Evenly.
    #[default]
    Constant,
    /// As those of independent users.
    Poisson,
    /// As they were recorded.
    Replay,
}

/// Arrivals that were recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replay {
    /// The name of the file, without its folder.
    pub file: String,
    /// SHA-256 of its content, in hexadecimal digits.
    pub sha256: String,
    /// How many arrivals it holds.
    pub arrivals: u64,
    /// How many times as fast as recorded.
    pub speed: f64,
}

/// What becomes of an arrival for which no worker is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenBusy {
    /// It waits, and its wait is part of its response.
    #[default]
    Queue,
    /// It is dropped, and counted in [`Window::skipped`](super::Window::skipped).
    Skip,
}

/// What becomes of a rate that a subject can't hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnOverload {
    /// The subject is offered half of what it answers one request after another, and a warning says so.
    #[default]
    Reduce,
    /// It is offered all the same, and a warning says that it was not held.
    Offer,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_of_an_earlier_version_reads_as_what_it_was() {
        let kept = r#"{"loop": "open", "rate_per_second": 50.0, "max_in_flight": 64}"#;
        let load: LoadModel = serde_json::from_str(kept).unwrap();
        assert_eq!(load, LoadModel::Open(OpenLoop::constant(50.0, 64)));
        let closed: LoadModel = serde_json::from_str(r#"{"loop": "closed", "users": 8}"#).unwrap();
        assert_eq!(closed, LoadModel::Closed { users: 8 });
    }

    #[test]
    fn a_load_with_everything_reads_back_as_it_was_written() {
        let load = LoadModel::Open(OpenLoop {
            ramp_to_per_second: Some(2000.0),
            process: Process::Replay,
            replay: Some(Replay { file: "a.log".into(), sha256: "00".into(), arrivals: 3, speed: 2.0 }),
            when_busy: WhenBusy::Skip,
            on_overload: OnOverload::Offer,
            ..OpenLoop::constant(100.0, 8)
        });
        let text = serde_json::to_string(&load).unwrap();
        assert!(text.contains(r#""loop":"open""#) && text.contains(r#""when_busy":"skip""#), "{text}");
        assert_eq!(serde_json::from_str::<LoadModel>(&text).unwrap(), load);
    }
}
