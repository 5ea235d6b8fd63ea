//! Where the time went, with a bar for each layer.

use super::super::record::Profile;
use super::super::words::{bound, whole_share};
use super::sentence;
use crate::quantity;
use crate::terminal::grid::{Align, Grid};

/// Columns of a bar that is as long as the total.
const BAR: f64 = 40.0;

pub(super) fn section(profile: &Profile) -> Option<String> {
    let layers = profile.breakdown.layers();
    if layers.is_empty() {
        return None;
    }
    let all: f64 = layers.iter().map(|(_, ms)| ms).sum();
    let total = profile.total_time_ms.unwrap_or(all).max(all);
    let mut grid = Grid::new(&[
        ("layer", Align::Left),
        ("time", Align::Right),
        ("share", Align::Right),
        ("", Align::Left),
    ]);
    for (name, ms) in &layers {
        let share = if total > 0.0 { ms / total } else { 0.0 };
        grid.row([(*name).to_owned(), quantity::time_ms(*ms), whole_share(share), bar(share)]);
    }
    Some(format!("Layers\n{}{}", grid.text(), sentence(&bound(profile))))
}

/// A bar of up to [`BAR`] columns, to an eighth of one.
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 8 bars")]
    let eighths = (share.clamp(0.0, 1.0) * BAR * 8.0).round() as usize;
    // What took any time is seen.
    let eighths = if share > 0.0 { eighths.max(1) } else { eighths };
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share_and_the_smallest_is_seen() {
        assert_eq!(bar(1.0).chars().count(), 40);
        assert_eq!(bar(0.5), "█".repeat(20));
        assert_eq!([bar(0.0), bar(1e-9), bar(1.5 / 40.0)], ["", "▏", "█▌"]);
    }
}
