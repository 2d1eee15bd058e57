//! What was measured, as a table for people and as JSON.

use serde_json::{Value, json};
use tui_text::{grouped, one_line};

use super::{Speed, Spread};

/// The table, a line each, with an end.
pub fn lines(speed: &Speed) -> String {
    let rows = [
        ("model", one_line(&speed.model)),
        ("device", one_line(&speed.device)),
        ("encode", format!("{} tokens/s", whole(speed.encode_tokens_per_s))),
        ("first token", format!("{:.0} ms", speed.first_token_ms)),
        ("think", format!("{:.1} tokens/s", speed.think_tokens_per_s)),
        (
            "index",
            format!(
                "{} files, {} passages in {:.1} s: {:.1} passages/s",
                grouped(speed.files),
                grouped(speed.passages),
                speed.index_s,
                speed.index_passages_per_s
            ),
        ),
        ("search", spread(speed.search)),
        ("save to found", spread(speed.save_to_found)),
    ];
    rows.iter().map(|(name, value)| format!("{name:<14} {value}\n")).collect()
}

/// The same for other programs.
pub fn value(speed: &Speed) -> Value {
    json!(speed)
}

fn spread(spread: Spread) -> String {
    format!("{:.0} ms at the median, {:.0} ms at the 95th percentile", spread.p50_ms, spread.p95_ms)
}

fn whole(number: f64) -> String {
    grouped(number.round() as usize)
}
