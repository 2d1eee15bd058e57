//! The whole evaluation over a scripted mind and a store in memory.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use models::beir::{self, Collection, Query};
use models::scripted::ScriptedMind;
use models::{
    Embedding, Mind, MindError, ModelCard, OnRead, OnToken, Sampling, Thought, TokenCounter,
};
use tempfile::TempDir;

use models::column::{Column, Encoder, Thinking};

use super::{Backends, EvalError, Plan, Reading, Report, shares};
use daemon::Backend;
use daemon::store::memory::MemoryStore;
use daemon::store::{Pending, Store};

/// What the minds were asked, over all runs.
#[derive(Default)]
struct Counted {
    thought: AtomicUsize,
    embedded: AtomicUsize,
    read: AtomicUsize,
    store: Mutex<Arc<MemoryStore>>,
}

struct Scripted(&'static str, Arc<Counted>);

struct CountedMind(ScriptedMind, Arc<Counted>);

impl Backend for Scripted {
    fn load_mind(&self) -> Result<Box<dyn Mind>, MindError> {
        Ok(Box::new(CountedMind(ScriptedMind::new(self.0), Arc::clone(&self.1))))
    }

    fn converter(&self) -> Arc<dyn daemon::convert::Convert> {
        Arc::new(daemon::convert::Scripted)
    }

    fn open_store<'a>(&'a self, _: &'a ModelCard) -> Pending<'a, Arc<dyn Store>> {
        let store: Arc<dyn Store> = self.1.store.lock().expect("sound").clone();
        Box::pin(async { Ok(store) })
    }
}

impl Mind for CountedMind {
    fn card(&self) -> &ModelCard {
        self.0.card()
    }

    fn counter(&self) -> Arc<dyn TokenCounter> {
        self.0.counter()
    }

    fn think(
        &mut self,
        question: &str,
        context: &str,
        sampling: &Sampling,
        on_token: &mut OnToken<'_>,
    ) -> Result<Vec<Thought>, MindError> {
        self.1.thought.fetch_add(1, Ordering::SeqCst);
        self.0.think(question, context, sampling, on_token)
    }

    fn embed_passages(&mut self, passages: &[String]) -> Result<Vec<Embedding>, MindError> {
        self.1.embedded.fetch_add(passages.len(), Ordering::SeqCst);
        self.0.embed_passages(passages)
    }

    fn embed_query(
        &mut self,
        question: &str,
        thoughts: &[Thought],
    ) -> Result<Embedding, MindError> {
        self.0.embed_query(question, thoughts)
    }

    fn read(
        &mut self,
        question: &str,
        passages: &[String],
        window: usize,
        on_read: &mut OnRead<'_>,
    ) -> Result<Vec<f32>, MindError> {
        self.1.read.fetch_add(passages.len(), Ordering::SeqCst);
        self.0.read(question, passages, window, on_read)
    }

    fn rest(&mut self) {
        self.0.rest();
    }
}

/// Two models with what they were asked, and a folder for thoughts.
struct World {
    own: Arc<Counted>,
    backends: Backends,
    thoughts: TempDir,
}

impl World {
    fn new() -> World {
        let own = Arc::new(Counted::default());
        let backends = Backends {
            own: Arc::new(Scripted("own", Arc::clone(&own))),
            peer: Some(Arc::new(Scripted("peer", Arc::default()))),
        };
        World { own, backends, thoughts: tempfile::tempdir().expect("a folder") }
    }

    async fn run(&self, collection: &Collection, plan: &Plan) -> Report {
        let thoughts = self.thoughts.path();
        let quiet = &mut |_: &str, _, _| {};
        let report = super::collection(collection, plan, &self.backends, thoughts, quiet).await;
        report.expect("measures")
    }

    fn asked(&self) -> (usize, usize) {
        let count = |of: &AtomicUsize| of.load(Ordering::SeqCst);
        (count(&self.own.thought), count(&self.own.embedded))
    }
}

fn plan(columns: &str) -> Plan {
    let columns = columns.split(' ').map(|name| name.parse().expect("a column")).collect();
    let sampling = Sampling { thoughts: 2, ..Sampling::default() };
    Plan { columns, sampling, reading: Reading::default(), chunked: false }
}

fn zoo() -> Collection {
    let corpus = "\
        {\"_id\":\"cat\",\"title\":\"Cats\",\"text\":\"cats purr and sleep all day\"}\n\
        {\"_id\":\"dog\",\"title\":\"Dogs\",\"text\":\"dogs bark at the postman\"}\n\
        {\"_id\":\"owl\",\"title\":\"\",\"text\":\"owls hunt by night\"}\n\
        {\"_id\":\"void\",\"title\":\"\",\"text\":\"\"}\n";
    let queries = "\
        {\"_id\":\"q1\",\"text\":\"why do cats purr\"}\n\
        {\"_id\":\"q2\",\"text\":\"who hunts owls\"}\n";
    beir::parse(corpus, queries, "q1\tcat\t1\nq2\towl\t1\n", &mut |_| {}).expect("a collection")
}

fn column<'a>(report: &'a Report, query: usize, name: &str) -> &'a super::Answer {
    let answers = &report.queries[query].answers;
    answers.iter().find(|answer| answer.column.name() == name).expect("a column")
}

#[tokio::test]
async fn every_column_answers_every_query_in_the_plans_order() {
    let world = World::new();
    let plan = Plan { columns: Column::all(), ..plan("bm25") };
    let report = world.run(&zoo(), &plan).await;
    assert_eq!(report.columns, Column::all());
    for query in &report.queries {
        let columns: Vec<Column> = query.answers.iter().map(|answer| answer.column).collect();
        assert_eq!(columns, Column::all());
        assert_eq!((query.greedy.len(), query.sampled.len()), (1, 2));
        let about = |text: &String| text.contains(" given ");
        assert!(query.grounded.len() == 2 && query.grounded.iter().all(about), "{query:?}");
        assert!(!query.sampled.iter().any(about), "{query:?}");
    }
    for name in ["bm25", "dense", "hybrid", "dense+sampled", "peer-dense"] {
        let answer = column(&report, 0, name);
        assert_eq!(answer.ranking[0].0, "cat", "{name}");
        assert!((answer.scores.ndcg_10 - 1.0).abs() < 1e-9, "{name}");
    }
    // An empty document is known and never found.
    assert_eq!(column(&report, 0, "dense").ranking.len(), 3);
    assert_eq!(report.encodings.len(), 2);
    assert_eq!((report.encodings[1].documents, report.encodings[1].passages), (4, 3));
}

#[tokio::test]
async fn thinking_shows_in_the_figures_of_thinking_columns_only() {
    let world = World::new();
    let report = world.run(&zoo(), &plan("bm25+greedy dense dense+sampled hybrid")).await;
    let dense = column(&report, 0, "dense");
    assert_eq!((dense.thought_tokens, dense.cosine, dense.ms.think), (0, None, 0.0));
    let sampled = column(&report, 0, "dense+sampled");
    let cosine = sampled.cosine.expect("a cosine");
    assert!((0.1..0.9999).contains(&cosine), "{cosine}");
    // "thought 0 about why do cats purr": seven words, twice.
    assert_eq!(sampled.thought_tokens, 14);
    let worded = column(&report, 0, "bm25+greedy");
    assert_eq!((worded.thought_tokens, worded.cosine), (7, None));
    assert!(worded.ms.embed == 0.0 && dense.ms.embed > 0.0);
    assert!(report.summaries(dense.column, 1)[2].against.is_some());
}

#[tokio::test]
async fn a_hybrid_adds_the_scores_of_its_parts() {
    let world = World::new();
    let report = world.run(&zoo(), &plan("bm25 dense hybrid")).await;
    let part = |name: &str| &column(&report, 1, name).ranking;
    let score = |name: &str, id: &str| {
        part(name).iter().find(|(other, _)| other == id).map(|(_, score)| *score)
    };
    let (best, last) = (part("bm25")[0].1, part("dense").last().expect("a hit").1);
    for (id, fused) in &column(&report, 1, "hybrid").ranking {
        let words = score("bm25", id).map_or(0.0, |score| score / best);
        let near = score("dense", id).map_or(0.0, |score| 2.0 * (score - last));
        assert!((fused - words - near).abs() < 1e-6, "{id}: {fused} {words} {near}");
    }
    let ranking = &column(&report, 1, "hybrid").ranking;
    assert!(ranking.windows(2).all(|pair| pair[0].1 > pair[1].1), "no ties: {ranking:?}");
}

#[tokio::test]
async fn reading_moves_what_it_reads_and_is_done_once() {
    let world = World::new();
    let columns = "hybrid hybrid+read hybrid+read+grounded hybrid+read+quoted peer-hybrid+read";
    let few = Plan { reading: Reading { passages: 2, window: 64 }, ..plan(columns) };
    let report = world.run(&zoo(), &few).await;
    for query in 0..2 {
        let (plain, read) =
            (column(&report, query, "hybrid"), column(&report, query, "hybrid+read"));
        assert!(read.ms.read > 0.0 && plain.ms.read == 0.0);
        let ids = |answer: &super::Answer, count: usize| {
            let mut ids: Vec<String> =
                answer.ranking.iter().take(count).map(|(id, _)| id.clone()).collect();
            ids.sort();
            ids
        };
        // What is read stays before what is not.
        assert_eq!((ids(plain, 2), ids(plain, 3)), (ids(read, 2), ids(read, 3)));
    }
    let read = world.own.read.load(Ordering::SeqCst);
    assert!((4..=6).contains(&read), "the columns share what is read: {read}");
    world.run(&zoo(), &few).await;
    assert_eq!(world.own.read.load(Ordering::SeqCst), read);
}

#[tokio::test]
async fn what_was_done_is_not_done_again() {
    let world = World::new();
    let plan = plan("hybrid+greedy hybrid+sampled");
    let first = world.run(&zoo(), &plan).await;
    assert_eq!((world.asked(), first.encodings[0].encoded), ((4, 3), 3));
    let again = world.run(&zoo(), &plan).await;
    assert_eq!((world.asked(), again.encodings[0].encoded), ((4, 3), 0));
    let rankings = |report: &Report| -> Vec<_> {
        report.queries.iter().flat_map(|q| q.answers.clone()).map(|a| a.ranking).collect()
    };
    assert_eq!(rankings(&first), rankings(&again));

    let mut changed = zoo();
    changed.documents[1].text.push_str(" and at cats");
    changed.documents.remove(2);
    let third = world.run(&changed, &plan).await;
    assert_eq!((world.asked().1, third.encodings[0].documents), (4, 3));

    let other = Plan { sampling: Sampling { seed: 9, ..plan.sampling.clone() }, ..plan };
    world.run(&changed, &other).await;
    assert_eq!(world.asked().0, 6, "another seed draws anew; the greedy ones are as they were");
}

#[tokio::test]
async fn a_torn_line_is_thought_again() {
    let world = World::new();
    let plan = plan("dense+greedy");
    world.run(&zoo(), &plan).await;
    let file = fs::read_dir(world.thoughts.path()).expect("lists").next().expect("a file");
    let path = file.expect("a file").path();
    let text = fs::read_to_string(&path).expect("reads");
    fs::write(&path, &text[..text.len() - 20]).expect("writes");
    world.run(&zoo(), &plan).await;
    assert_eq!(world.asked().0, 3);
    world.run(&zoo(), &plan).await;
    assert_eq!(world.asked().0, 3, "the mended file holds both");
}

#[tokio::test]
async fn long_documents_are_cut_on_request() {
    let mut collection = zoo();
    let long: String = (0..600).map(|word| format!("word{word} ")).collect();
    collection.documents[1].text = long + "and the needle";
    let whole = World::new().run(&collection, &plan("dense")).await;
    let cut = Plan { chunked: true, ..plan("dense") };
    let cut = World::new().run(&collection, &cut).await;
    assert_eq!(whole.encodings[0].passages, 3);
    assert!(cut.encodings[0].passages >= 5, "{:?}", cut.encodings);
    assert_eq!(column(&cut, 0, "dense").ranking.len(), 3, "a document is ranked once");
}

#[tokio::test]
async fn the_users_own_index_is_judged_as_it_is() {
    let world = World::new();
    let queries = [Query { id: "q3".to_owned(), text: "why do cats purr".to_owned() }];
    let judged =
        |path: &str| BTreeMap::from([("q3".to_owned(), BTreeMap::from([(path.to_owned(), 1)]))]);
    let measure = async |path: &str, plan: &Plan| {
        let (own, thoughts): (_, &Path) = (&world.backends.own, world.thoughts.path());
        super::index(&queries, &judged(path), plan, own, thoughts, &mut |_, _, _| {}).await
    };
    let plan = plan("hybrid");
    assert!(matches!(measure("cat", &plan).await, Err(EvalError::NothingIndexed)));
    world.run(&zoo(), &plan).await;
    let missing = measure("cow", &plan).await.expect_err("not indexed").to_string();
    assert_eq!(missing, "query q3 judges cow, which is not indexed");
    let report = measure("cat", &plan).await.expect("measures");
    assert_eq!(column(&report, 0, "hybrid").ranking[0].0, "cat");
    assert_eq!((report.encodings[0].documents, report.encodings[0].encoded), (4, 0));

    let before = world.asked().0;
    let thoughtful = Plan { columns: vec!["hybrid+sampled".parse().expect("one")], ..plan };
    measure("cat", &thoughtful).await.expect("measures");
    assert_eq!(world.asked().0, before + 1, "what was thought ahead is not thought again");
}

#[test]
fn words_alone_are_answered_by_whoever_is_there() {
    let check = |chunked: bool, columns: &str, expected: &[(Encoder, &str)]| {
        let shares: Vec<(Encoder, String)> = shares(&Plan { chunked, ..plan(columns) })
            .into_iter()
            .map(|(encoder, columns)| {
                let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
                (encoder, names.join(" "))
            })
            .collect();
        let expected: Vec<(Encoder, String)> =
            expected.iter().map(|(encoder, names)| (*encoder, (*names).to_owned())).collect();
        assert_eq!(shares, expected, "{columns}, cut: {chunked}");
    };
    let both = [(Encoder::Peer, "peer-dense"), (Encoder::Own, "bm25 dense")];
    check(false, "bm25", &[(Encoder::Own, "bm25")]);
    check(false, "bm25 peer-dense", &[(Encoder::Peer, "peer-dense bm25")]);
    check(true, "bm25 peer-dense", &[(Encoder::Peer, "peer-dense"), (Encoder::Own, "bm25")]);
    check(false, "bm25 dense peer-dense", &both);
    let greedy = [(Encoder::Peer, "peer-hybrid"), (Encoder::Own, "bm25+greedy")];
    check(false, "bm25+greedy peer-hybrid", &greedy);
}

#[test]
fn names_and_columns_are_one_to_one() {
    for column in Column::all() {
        assert_eq!(column.name().parse(), Ok(column));
        assert!(column.encoder == Encoder::Own || column.thinking == Thinking::None);
    }
    let error = "magic".parse::<Column>().expect_err("no such column");
    assert!(error.contains("hybrid+sampled"), "{error}");
}
