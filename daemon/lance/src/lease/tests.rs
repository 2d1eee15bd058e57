use std::cell::Cell;

use object_store::memory::InMemory;

use super::*;

thread_local! {
    /// How far the clocks of a test have gone on: the steady one, and the other.
    static GONE: Cell<(Duration, Duration)> = const { Cell::new((Duration::ZERO, Duration::ZERO)) };
    static START: Moment = Moment::now();
}

fn clock() -> Moment {
    let (steady, wall) = GONE.get();
    START.with(|start| Moment { steady: start.steady + steady, wall: start.wall + wall })
}

fn pass(time: Duration) {
    let (steady, wall) = GONE.get();
    GONE.set((steady + time, wall + time));
}

fn two() -> (Lease, Lease) {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let folder = Path::from("notes/index");
    let lease =
        |name: &str| Lease::new(Arc::clone(&store), &folder, name, format!("id of {name}"), clock);
    (lease("ada"), lease("bea"))
}

fn left(lease: &Lease) -> Duration {
    lease.granted.map_or(Duration::ZERO, |granted| granted.left(clock()))
}

fn theirs(name: &str) -> Result<Told, String> {
    Ok(Told::Theirs(name.to_owned()))
}

#[tokio::test]
async fn one_has_it_and_the_other_is_told_who() {
    let (mut ada, mut bea) = two();
    assert_eq!(ada.ask().await, Ok(Told::Ours));
    // For as long as it is renewed, however long that is.
    for _ in 0..20 {
        assert_eq!(bea.ask().await, theirs("ada"));
        pass(RENEW_EVERY);
        assert_eq!(ada.ask().await, Ok(Told::Ours));
        assert_eq!(left(&ada), LENGTH);
    }
    assert_eq!(left(&bea), Duration::ZERO);
}

#[tokio::test]
async fn given_back_it_is_anothers_at_once() {
    let (mut ada, mut bea) = two();
    assert_eq!(ada.ask().await, Ok(Told::Ours));
    assert_eq!(bea.ask().await, theirs("ada"));
    ada.give_back().await;
    assert_eq!(left(&ada), Duration::ZERO);
    assert_eq!(bea.ask().await, Ok(Told::Ours));
    // What is not held any more cannot be given back from under the other.
    ada.give_back().await;
    assert_eq!(ada.ask().await, theirs("bea"));
}

#[tokio::test]
async fn of_a_dead_holder_it_is_taken_after_that_one_stopped_writing() {
    let (mut ada, mut bea) = two();
    assert_eq!(ada.ask().await, Ok(Told::Ours));
    assert_eq!(bea.ask().await, theirs("ada"));
    let mut waited = Duration::ZERO;
    while bea.ask().await == theirs("ada") {
        pass(LOOK_EVERY);
        waited += LOOK_EVERY;
        assert!(waited <= LENGTH + GRACE);
    }
    assert!(waited >= LENGTH + REQUEST_MAX, "{waited:?}");
    assert_eq!((left(&ada), left(&bea)), (Duration::ZERO, LENGTH));
    // Who was not dead but asleep hears of it, and takes nothing.
    assert_eq!(ada.ask().await, theirs("bea"));
    assert_eq!(bea.ask().await, Ok(Told::Ours));
}

#[tokio::test]
async fn a_late_renewal_counts_anew_for_whoever_waits() {
    let (mut ada, mut bea) = two();
    assert_eq!(ada.ask().await, Ok(Told::Ours));
    assert_eq!(bea.ask().await, theirs("ada"));
    pass(LENGTH + GRACE - Duration::from_secs(1));
    assert_eq!(bea.ask().await, theirs("ada"));
    // Nobody took it meanwhile: it is still the one that has it.
    assert_eq!(ada.ask().await, Ok(Told::Ours));
    pass(Duration::from_secs(1));
    assert_eq!(bea.ask().await, theirs("ada"));
}

#[tokio::test]
async fn a_renewal_whose_answer_was_lost_is_still_its_own() {
    let (mut ada, mut bea) = two();
    assert_eq!(ada.ask().await, Ok(Told::Ours));
    let before = ada.held.clone();
    assert_eq!(ada.ask().await, Ok(Told::Ours));
    ada.held = before;
    assert_eq!(ada.ask().await, Ok(Told::Ours));
    assert_eq!(bea.ask().await, theirs("ada"));
}

#[tokio::test]
async fn an_object_of_another_program_is_nobodys_until_it_is_dead() {
    let (mut ada, _) = two();
    for text in ["", "no lease", &"x".repeat(5_000)] {
        ada.store.put(&ada.object, PutPayload::from(text.to_owned())).await.unwrap();
        assert_eq!(ada.ask().await, theirs("another program"), "{text:?}");
        pass(LENGTH + GRACE);
        assert_eq!(ada.ask().await, Ok(Told::Ours), "{text:?}");
        ada.held = None;
        ada.granted = None;
    }
}

#[test]
fn what_is_left_is_what_the_clock_says_that_says_less() {
    let start = clock();
    let at = |steady, wall| Moment {
        steady: start.steady + Duration::from_secs(steady),
        wall: start.wall + Duration::from_secs(wall),
    };
    for (now, expected) in [
        (at(0, 0), 30),
        (at(10, 10), 20),
        // The machine slept, in which one of its clocks stands still.
        (at(1, 29), 1),
        (at(1, 3600), 0),
        (at(31, 31), 0),
        (at(3600, 1), 0),
    ] {
        assert_eq!(start.left(now), Duration::from_secs(expected), "{now:?}");
    }
    // One that was set back says nothing.
    assert_eq!(at(5, 100).left(at(15, 0)), Duration::from_secs(20));
}
