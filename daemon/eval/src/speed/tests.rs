//! On a scripted mind and a store in memory: that every figure comes from what it says it does.

use std::sync::{Arc, Mutex};

use daemon::Backend;
use daemon::convert::{Convert, Scripted};
use daemon::store::memory::MemoryStore;
use daemon::store::{Pending, Store};
use models::scripted::ScriptedMind;
use models::{Mind, MindError, ModelCard};

use super::*;

#[derive(Default)]
struct Light {
    /// What should never be called by a measurement.
    served: Mutex<bool>,
}

impl Backend for Light {
    fn load_mind(&self) -> Result<Box<dyn Mind>, MindError> {
        Ok(Box::new(ScriptedMind::new("light")))
    }

    fn open_store<'a>(&'a self, _: &'a ModelCard) -> Pending<'a, Arc<dyn Store>> {
        Box::pin(async { Ok(Arc::new(MemoryStore::default()) as Arc<dyn Store>) })
    }

    fn converter(&self) -> Arc<dyn Convert> {
        Arc::new(Scripted)
    }

    fn note_serving(&self, _: &ModelCard) {
        *self.served.lock().unwrap() = true;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_is_measured_and_leaves_the_users_alone() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Arc::new(Light::default());
    let amount = Amount { files: 6, batches: 2, thoughts: 2, searches: 3, saves: 4 };
    let mut told: Vec<String> = Vec::new();
    let mut progress = |doing: &str, _: usize, _: usize| told.push(doing.to_owned());
    let speed = measure(Arc::<Light>::clone(&backend), folder.path(), amount, &mut progress);
    let speed = speed.await.unwrap();
    told.dedup();
    for doing in ["encoding", "thinking", "searching", "saving"] {
        assert!(told.iter().any(|told| told == doing), "{doing}: {told:?}");
    }
    assert_eq!((speed.model.as_str(), speed.files), ("light", 6));
    assert!(speed.passages >= 6, "{speed:?}");
    for figure in [
        speed.encode_tokens_per_s,
        speed.index_s,
        speed.index_passages_per_s,
        speed.search.p50_ms,
        speed.save_to_found.p50_ms,
    ] {
        assert!(figure.is_finite() && figure > 0.0, "{speed:?}");
    }
    assert!(speed.save_to_found.p95_ms >= speed.save_to_found.p50_ms);
    assert!(!*backend.served.lock().unwrap(), "which model serves is the daemon's to say");
    let saved = std::fs::read_dir(folder.path().join("notes")).unwrap().count();
    assert_eq!(saved, amount.files + amount.saves / 2, "each file is saved twice");
}

#[test]
fn the_table_and_the_json_say_the_same() {
    let speed = Speed {
        model: "m\u{1b}".to_owned(),
        device: "cpu".to_owned(),
        encode_tokens_per_s: 2345.6,
        first_token_ms: 81.4,
        think_tokens_per_s: 60.26,
        files: 200,
        passages: 1400,
        index_s: 21.04,
        index_passages_per_s: 66.5,
        search: Spread { p50_ms: 31.2, p95_ms: 45.0 },
        save_to_found: Spread { p50_ms: 420.0, p95_ms: 550.5 },
    };
    let table = lines(&speed);
    for part in [
        "encode         2,346 tokens/s\n",
        "first token    81 ms\n",
        "think          60.3 tokens/s\n",
        "index          200 files, 1,400 passages in 21.0 s: 66.5 passages/s\n",
        "search         31 ms at the median, 45 ms at the 95th percentile\n",
    ] {
        assert!(table.contains(part), "{part:?} in {table}");
    }
    assert!(!table.contains('\u{1b}'), "a model's name drives no terminal");
    let value = value(&speed);
    assert_eq!(value["search"]["p95_ms"], 45.0);
    assert_eq!(value["think_tokens_per_s"], 60.26);
}

#[test]
fn texts_are_the_same_each_time_and_others_for_each_seed() {
    assert_eq!(text(3, 50), text(3, 50));
    assert_ne!(text(3, 50), text(4, 50));
    assert_eq!(text(1, 7).split(' ').count(), 7);
    assert_eq!(text(1, 0), "");
}

#[test]
fn of_no_times_nothing_is_told() {
    assert_eq!(Spread::of(Vec::new()), Spread { p50_ms: 0.0, p95_ms: 0.0 });
    let times = (1..=100).rev().map(f64::from).collect();
    assert_eq!(Spread::of(times), Spread { p50_ms: 50.0, p95_ms: 95.0 });
}
