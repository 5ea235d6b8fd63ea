//! The closed loop: each user sends its next request when the last one is answered.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The users of a window.
#[derive(Debug)]
pub(crate) struct Users {
    opened: Instant,
    length: Duration,
    at_least: u64,
    places: AtomicUsize,
    sent: AtomicU64,
}

impl Users {
    /// `users` of the workers take turns from `opened` for `length`, and beyond it until `at_least` requests were
    /// sent.
    pub(crate) fn new(users: usize, opened: Instant, length: Duration, at_least: u64) -> Self {
        Self { opened, length, at_least, places: AtomicUsize::new(users), sent: AtomicU64::new(0) }
    }

    /// Whether the worker that asks is one of the users.
    pub(super) fn admit(&self) -> bool {
        self.places.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(1)).is_ok()
    }

    /// When the first request may be sent.
    pub(super) fn opened(&self) -> Instant {
        self.opened
    }

    /// The number of the next turn, if there is another one at `now`.
    pub(super) fn turn(&self, now: Instant) -> Option<u64> {
        let sent = self.sent.fetch_add(1, Ordering::Relaxed);
        (sent < self.at_least || now < self.opened + self.length).then_some(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_workers_are_users() {
        let users = Users::new(2, Instant::now(), Duration::ZERO, 0);
        assert_eq!([users.admit(), users.admit(), users.admit()], [true, true, false]);
    }

    #[test]
    fn turns_end_with_the_window_but_not_before_enough_were_taken() {
        let opened = Instant::now();
        let length = Duration::from_secs(1);
        let users = Users::new(1, opened, length, 2);
        assert_eq!(users.turn(opened), Some(0));
        assert_eq!(users.turn(opened + length), Some(1), "the second is still owed");
        assert_eq!(users.turn(opened + length), None);
        assert!(users.turn(opened + length / 2).is_some(), "inside the window there is always another");
    }
}
