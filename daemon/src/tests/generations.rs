//! The generations by themselves: who answers and what is filled, whatever is told them in which
//! order.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::harness::{Script, Scripted, within};
use crate::engine::Engine;
use crate::generations::{Adopted, Generations};
use crate::mind::{self, Loaded, Threads};
use crate::store::memory::MemoryStore;

/// A generation: its model, and which of that model's handles it is.
type Name = &'static str;

/// What is done, and what it says.
enum Act {
    /// A mind is loaded; whether it serves at once.
    Renew(Name, bool),
    Adopt(Name, Adopted),
    /// The one that served before, if there was something to take over.
    TakeOver(Option<Name>),
}

use Act::{Adopt, Renew, TakeOver};
use Adopted::{Already, OtherModel, SameModel};

/// Loads minds and remembers which engine has which name.
struct Bench {
    script: Arc<Script>,
    threads: Threads,
    named: Vec<(Name, Arc<Engine>)>,
}

impl Bench {
    /// The first letter of a name is the model.
    async fn load(&self, name: Name) -> Loaded {
        *self.script.name.lock().unwrap() = Some(&name[..1]);
        let (fatal, _failures) = mpsc::channel(1);
        let backend = Arc::new(Scripted(Arc::clone(&self.script)));
        within(mind::start(backend, None, fatal, &self.threads)).await.unwrap()
    }

    /// The engine of that name, on a store of its own if there is none yet.
    async fn engine(&mut self, name: Name) -> Arc<Engine> {
        if let Some((_, engine)) = self.named.iter().find(|(known, _)| *known == name) {
            return Arc::clone(engine);
        }
        let store = Arc::new(MemoryStore::default());
        let engine = Arc::new(within(Engine::open(self.load(name).await, store)).await.unwrap());
        self.named.push((name, Arc::clone(&engine)));
        engine
    }

    fn name(&self, engine: &Arc<Engine>) -> Name {
        let named = self.named.iter().find(|(_, known)| Arc::ptr_eq(known, engine));
        named.map_or("unnamed", |(name, _)| name)
    }

    async fn act(&mut self, generations: &Generations, act: Act) {
        match act {
            Renew(name, at_once) => {
                let before = generations.serving();
                let renewed = generations.renew(self.load(name).await).ok();
                assert_eq!(renewed.is_some(), at_once, "{name} serves");
                if let Some(engine) = renewed {
                    assert!(Arc::ptr_eq(&engine.store, &before.store), "another store");
                    assert!(Arc::ptr_eq(&engine.catalogue, &before.catalogue), "it forgot");
                    self.named.push((name, engine));
                }
            }
            Adopt(name, said) => {
                assert_eq!(generations.adopt(self.engine(name).await), said, "{name} adopted");
            }
            TakeOver(before) => {
                let served = generations.take_over().map(|engine| self.name(&engine));
                assert_eq!(served, before, "served before");
            }
        }
    }
}

/// Fails unless after each act the one that answers and the one that is filled are those named.
async fn check(what: &str, acts: Vec<(Act, Name, Name)>) {
    println!("{what}");
    let (script, threads) = (Arc::default(), Threads::default());
    let mut bench = Bench { script, threads, named: Vec::new() };
    let generations = Generations::new(bench.engine("a").await, None);
    for (number, (act, serving, filling)) in acts.into_iter().enumerate() {
        bench.act(&generations, act).await;
        let serves = generations.serving();
        let filled = generations.next().unwrap_or_else(|| Arc::clone(&serves));
        let now = (bench.name(&serves), bench.name(&filled));
        assert_eq!(now, (serving, filling), "after act {number} of: {what}");
    }
    // Whatever is in use is told to end, and whatever is not ends with its last handle.
    let Bench { threads, named, .. } = bench;
    drop(named);
    generations.close();
    let joined = tokio::task::spawn_blocking(move || threads.join());
    assert!(within(joined).await.unwrap());
}

#[tokio::test]
async fn one_answers_while_the_next_is_filled() {
    for (what, acts) in [
        (
            "the same model serves at once",
            vec![
                (Renew("a2", true), "a2", "a2"),
                (Adopt("a2", SameModel), "a2", "a2"),
                (TakeOver(None), "a2", "a2"),
            ],
        ),
        (
            "another model serves when it is filled",
            vec![
                (Renew("b", false), "a", "a"),
                (Adopt("b", OtherModel), "a", "b"),
                (TakeOver(Some("a")), "b", "b"),
            ],
        ),
        (
            "it is asked for again while it is filled",
            vec![
                (Adopt("b", OtherModel), "a", "b"),
                (Adopt("b2", Already), "a", "b"),
                (TakeOver(Some("a")), "b", "b"),
            ],
        ),
        (
            "a third gives up the second",
            vec![
                (Adopt("b", OtherModel), "a", "b"),
                (Adopt("c", OtherModel), "a", "c"),
                (TakeOver(Some("a")), "c", "c"),
            ],
        ),
    ] {
        check(what, acts).await;
    }
}

#[tokio::test]
async fn a_reload_that_crosses_another_leaves_one_that_answers_and_one_that_is_filled() {
    for (what, acts) in [
        (
            "it was asked for again while it was filled, and serves by now",
            vec![
                (Adopt("b", OtherModel), "a", "b"),
                (TakeOver(Some("a")), "b", "b"),
                (Adopt("b2", SameModel), "b", "b"),
            ],
        ),
        (
            "the one that serves is asked for while another is filled",
            vec![
                (Adopt("b", OtherModel), "a", "b"),
                (Renew("a2", true), "a2", "b"),
                (Adopt("a2", OtherModel), "a2", "a2"),
                (TakeOver(None), "a2", "a2"),
            ],
        ),
        (
            "the same, and the other takes over before the indexer hears of it",
            vec![
                (Adopt("b", OtherModel), "a", "b"),
                (Renew("a2", true), "a2", "b"),
                (TakeOver(Some("a2")), "b", "b"),
                (Adopt("a2", OtherModel), "b", "a2"),
                (TakeOver(Some("b")), "a2", "a2"),
            ],
        ),
        (
            "an older mind of the same model is adopted late",
            vec![
                (Renew("a2", true), "a2", "a2"),
                (Renew("a3", true), "a3", "a3"),
                (Adopt("a2", SameModel), "a3", "a3"),
            ],
        ),
    ] {
        check(what, acts).await;
    }
}
