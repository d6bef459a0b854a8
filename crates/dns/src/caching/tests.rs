use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll, Waker},
};

use proptest::prelude::*;

use super::*;
use crate::{Dnssec, Negative, Record, Zone};

/// A clock that stands still until told.
#[derive(Clone)]
struct Hands {
    start: Instant,
    seconds: Arc<AtomicU64>,
}

impl Hands {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            seconds: Arc::default(),
        }
    }

    fn advance(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    fn clock(&self) -> impl Fn() -> Instant + Send + Sync + 'static {
        let hands = self.clone();
        move || hands.start + Duration::from_secs(hands.seconds.load(Ordering::Relaxed))
    }
}

fn zone() -> Zone {
    let mut zone = Zone::parse(
        "$ORIGIN example.org.\n\
         @ 600 SOA ns hostmaster 1 2h 15m 2w 90\n\
         @ 300 TXT \"v=spf1 -all\"\n\
         @ 0 MX 0 .\n\
         week 1w A 192.0.2.1\n\
         alias 60 CNAME week\n\
         unsigned.example.net. 300 A 192.0.2.2\n",
    )
    .unwrap()
    .with_dnssec(Dnssec::Secure);
    zone.fail("broken.example.org", None, LookupError::ServFail).unwrap();
    zone
}

type Setup = fn(CachingBuilder) -> CachingBuilder;

fn cached(setup: Setup) -> (Arc<Zone>, Hands, CachingResolver) {
    let (zone, hands) = (Arc::new(zone()), Hands::new());
    let builder = CachingResolver::builder(Arc::clone(&zone)).clock(hands.clock());
    (zone, hands, setup(builder).build())
}

/// Looks up what is answered at once.
fn ask(resolver: &dyn Resolver, name: &str, kind: RecordType) -> Outcome {
    match poll(&mut resolver.lookup(name, kind)) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("{name} {kind} is pending"),
    }
}

fn poll(lookup: &mut LookupFuture<'_>) -> Poll<Outcome> {
    lookup.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn seconds(outcome: &Outcome) -> Option<u64> {
    match outcome {
        Ok(answer) => Some(answer.ttl().as_secs()),
        Err(error) => Some(error.negative()?.ttl?.as_secs()),
    }
}

#[test]
fn an_answer_is_kept_for_its_time_to_live_which_counts_down() {
    let (zone, hands, resolver) = cached(|builder| builder);
    let first = ask(&resolver, "example.org", RecordType::Txt);
    assert_eq!(seconds(&first), Some(300));
    hands.advance(299);
    let last = ask(&resolver, "EXAMPLE.org.", RecordType::Txt);
    assert_eq!((seconds(&last), zone.queries()), (Some(1), 1));
    assert_eq!(last.unwrap().with_ttl(Duration::from_secs(300)), first.unwrap());
    hands.advance(1);
    assert_eq!(seconds(&ask(&resolver, "example.org", RecordType::Txt)), Some(300));
    assert_eq!(zone.queries(), 2);
    let stats = resolver.stats();
    assert_eq!((stats.hits, stats.misses, stats.entries), (1, 2, 1));
}

#[test]
fn types_are_told_apart() {
    let (zone, _, resolver) = cached(|builder| builder);
    ask(&resolver, "example.org", RecordType::Txt).unwrap();
    ask(&resolver, "example.org", RecordType::A).unwrap_err();
    assert_eq!(zone.queries(), 2);
}

#[test]
fn nothing_is_kept_for_as_long_as_the_soa_says() {
    for (name, no_name) in [("nope.example.org", true), ("week.example.org", false)] {
        let (zone, hands, resolver) = cached(|builder| builder);
        let first = ask(&resolver, name, RecordType::Mx);
        assert_eq!(seconds(&first), Some(90));
        hands.advance(89);
        let error = ask(&resolver, name, RecordType::Mx).unwrap_err();
        let expected = Negative::default()
            .with_ttl(Duration::from_secs(1))
            .with_dnssec(Dnssec::Secure);
        assert_eq!((error.negative(), error.is_nx_domain()), (Some(&expected), no_name));
        assert_eq!(zone.queries(), 1);
        hands.advance(1);
        ask(&resolver, name, RecordType::Mx).unwrap_err();
        assert_eq!(zone.queries(), 2);
    }
}

#[test]
fn nothing_without_an_soa_is_not_kept() {
    let (zone, _, resolver) = cached(|builder| builder.min_ttl(Duration::from_secs(60)));
    for _ in 0..2 {
        let outcome = ask(&resolver, "unsigned.example.net", RecordType::Mx);
        assert_eq!(seconds(&outcome), None);
    }
    assert_eq!(zone.queries(), 2);
}

#[test]
fn a_failure_is_kept_briefly_or_not_at_all() {
    let (zone, hands, resolver) = cached(|builder| builder);
    for _ in 0..3 {
        assert_eq!(
            ask(&resolver, "broken.example.org", RecordType::A),
            Err(LookupError::ServFail)
        );
    }
    assert_eq!(zone.queries(), 1);
    hands.advance(1);
    ask(&resolver, "broken.example.org", RecordType::A).unwrap_err();
    assert_eq!(zone.queries(), 2);

    let (zone, _, resolver) = cached(|builder| builder.failure_ttl(Duration::ZERO));
    for _ in 0..3 {
        ask(&resolver, "broken.example.org", RecordType::A).unwrap_err();
    }
    assert_eq!((zone.queries(), resolver.stats().entries), (3, 0));

    let (zone, hands, resolver) = cached(|builder| builder.failure_ttl(Duration::from_secs(9999)));
    ask(&resolver, "broken.example.org", RecordType::A).unwrap_err();
    hands.advance(300);
    ask(&resolver, "broken.example.org", RecordType::A).unwrap_err();
    assert_eq!(zone.queries(), 2, "five minutes at most");
}

#[test]
fn what_is_no_name_is_never_asked() {
    let (zone, _, resolver) = cached(|builder| builder);
    assert_eq!(ask(&resolver, "a..b", RecordType::A), Err(LookupError::InvalidName));
    assert_eq!((zone.queries(), resolver.stats().misses), (0, 0));
}

#[test]
fn times_to_live_are_kept_within_bounds() {
    let (zone, hands, resolver) = cached(|builder| {
        builder
            .min_ttl(Duration::from_secs(120))
            .max_ttl(Duration::from_secs(3600))
            .max_negative_ttl(Duration::from_secs(30))
    });
    let ttl = |name: &str, kind| seconds(&ask(&resolver, name, kind));
    assert_eq!(ttl("week.example.org", RecordType::A), Some(3600));
    assert_eq!(ttl("alias.example.org", RecordType::A), Some(120));
    assert_eq!(ttl("example.org", RecordType::Mx), Some(120));
    assert_eq!(ttl("nope.example.org", RecordType::A), Some(30));
    let asked = zone.queries();
    hands.advance(29);
    assert_eq!(ttl("example.org", RecordType::Mx), Some(91));
    assert_eq!(ttl("nope.example.org", RecordType::A), Some(1));
    assert_eq!(zone.queries(), asked);
}

#[test]
fn an_answer_for_now_is_not_kept() {
    let (zone, _, resolver) = cached(|builder| builder);
    for _ in 0..2 {
        assert_eq!(seconds(&ask(&resolver, "example.org", RecordType::Mx)), Some(0));
    }
    assert_eq!((zone.queries(), resolver.stats().entries), (2, 0));
}

#[test]
fn the_dnssec_status_and_the_canonical_name_stay() {
    let (_, _, resolver) = cached(|builder| builder);
    for _ in 0..2 {
        let answer = ask(&resolver, "alias.example.org", RecordType::A).unwrap();
        assert_eq!(answer.dnssec(), Dnssec::Secure);
        assert_eq!(answer.canonical_name(), Some("week.example.org"));
    }
}

#[test]
fn what_is_asked_for_stays_when_room_is_needed() {
    let mut zone = Zone::new();
    for n in 0..100 {
        zone.insert(&format!("host{n}.example.org"), Record::txt("x")).unwrap();
    }
    let zone = Arc::new(zone);
    let resolver = CachingResolver::builder(Arc::clone(&zone)).entries(10).build();
    for n in 0..100 {
        ask(&resolver, "host0.example.org", RecordType::Txt).unwrap();
        ask(&resolver, &format!("host{n}.example.org"), RecordType::Txt).unwrap();
        assert!(resolver.stats().entries <= 10);
    }
    assert_eq!(zone.queries(), 100, "host0 was asked for once");
    assert_eq!(resolver.stats().evicted, 90);
}

#[test]
fn what_expired_goes_first() {
    let (_, hands, resolver) = cached(|builder| builder.entries(2));
    ask(&resolver, "alias.example.org", RecordType::A).unwrap();
    ask(&resolver, "alias.example.org", RecordType::A).unwrap();
    ask(&resolver, "week.example.org", RecordType::A).unwrap();
    hands.advance(60);
    ask(&resolver, "example.org", RecordType::Txt).unwrap();
    let misses = resolver.stats().misses;
    ask(&resolver, "week.example.org", RecordType::A).unwrap();
    assert_eq!((resolver.stats().misses, resolver.stats().evicted), (misses, 0));
}

#[test]
fn memory_is_bounded() {
    let mut zone = Zone::new();
    for n in 0..50 {
        zone.insert(&format!("big{n}"), Record::txt([b'x'; 5_000])).unwrap();
    }
    zone.insert("huge", Record::txt([b'x'; 60_000])).unwrap();
    let resolver = CachingResolver::builder(zone).octets(64 << 10).build();
    for n in 0..50 {
        ask(&resolver, &format!("big{n}"), RecordType::Txt).unwrap();
        assert!(resolver.stats().octets <= 64 << 10);
    }
    assert!(resolver.stats().entries > 5);
    let before = resolver.stats();
    ask(&resolver, "huge", RecordType::Txt).unwrap();
    assert_eq!(resolver.stats().entries, before.entries, "too big to keep");
}

#[test]
fn one_can_forget() {
    let (zone, _, resolver) = cached(|builder| builder);
    let ask = || ask(&resolver, "example.org", RecordType::Txt).unwrap();
    ask();
    resolver.forget("Example.org.", RecordType::Txt);
    ask();
    assert_eq!(zone.queries(), 2);
    resolver.clone().clear();
    assert_eq!((resolver.stats().entries, resolver.stats().octets), (0, 0));
    ask();
    assert_eq!(zone.queries(), 3);
}

/// A resolver whose answers come when told, and which counts the lookups that were given up.
#[derive(Clone, Debug, Default)]
struct Slow {
    asked: Arc<AtomicU64>,
    dropped: Arc<AtomicU64>,
    open: Arc<Mutex<Option<Vec<Waker>>>>,
}

impl Slow {
    fn new() -> Self {
        let slow = Self::default();
        *slow.open.lock().unwrap() = Some(Vec::new());
        slow
    }

    fn answer(&self) {
        for waker in self.open.lock().unwrap().take().into_iter().flatten() {
            waker.wake();
        }
    }
}

struct Counted(Arc<AtomicU64>, bool);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(u64::from(!self.1), Ordering::Relaxed);
    }
}

impl Resolver for Slow {
    fn lookup<'a>(&'a self, _name: &'a str, _kind: RecordType) -> LookupFuture<'a> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let mut counted = Counted(Arc::clone(&self.dropped), false);
            std::future::poll_fn(|context| match &mut *self.open.lock().unwrap() {
                None => Poll::Ready(()),
                Some(wakers) => {
                    wakers.push(context.waker().clone());
                    Poll::Pending
                }
            })
            .await;
            counted.1 = true;
            Ok(Answer::new(vec![Record::txt("late")], Duration::from_secs(60)))
        })
    }
}

#[tokio::test]
async fn many_who_ask_at_once_cause_one_lookup() {
    let slow = Slow::new();
    let resolver = CachingResolver::new(slow.clone());
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let resolver = resolver.clone();
            tokio::spawn(async move { resolver.lookup("example.org", RecordType::Txt).await })
        })
        .collect();
    while resolver.stats().misses + resolver.stats().shared < 100 {
        tokio::task::yield_now().await;
    }
    slow.answer();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().ttl(), Duration::from_secs(60));
    }
    assert_eq!(slow.asked.load(Ordering::Relaxed), 1);
    let stats = resolver.stats();
    assert_eq!((stats.misses, stats.shared, stats.entries), (1, 99, 1));
}

#[tokio::test]
async fn one_who_gives_up_takes_nothing_from_the_others() {
    let slow = Slow::new();
    let resolver = CachingResolver::new(slow.clone());
    let ask = |resolver: CachingResolver| async move { resolver.lookup("example.org", RecordType::Txt).await };
    let first = tokio::spawn(ask(resolver.clone()));
    let second = tokio::spawn(ask(resolver.clone()));
    while resolver.stats().shared < 1 {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    slow.answer();
    second.await.unwrap().unwrap();
    assert_eq!(slow.asked.load(Ordering::Relaxed), 1);
    assert_eq!(slow.dropped.load(Ordering::Relaxed), 0);
}

#[test]
fn a_lookup_that_nobody_waits_for_ends_and_the_next_asks_anew() {
    let slow = Slow::new();
    let resolver = CachingResolver::new(slow.clone());
    for round in 1..=2 {
        let mut lookup = resolver.lookup("example.org", RecordType::Txt);
        assert!(poll(&mut lookup).is_pending());
        drop(lookup);
        assert_eq!(slow.asked.load(Ordering::Relaxed), round);
        assert_eq!(slow.dropped.load(Ordering::Relaxed), round);
        assert!(resolver.cache.state().flights.is_empty());
    }
    slow.answer();
    ask(&resolver, "example.org", RecordType::Txt).unwrap();
    assert!(resolver.cache.state().flights.is_empty());
}

#[test]
fn what_was_asked_before_forgetting_is_not_kept() {
    let slow = Slow::new();
    let resolver = CachingResolver::new(slow.clone());
    let mut before = resolver.lookup("example.org", RecordType::Txt);
    assert!(poll(&mut before).is_pending());
    resolver.clear();
    let mut after = resolver.lookup("example.org", RecordType::Txt);
    assert!(poll(&mut after).is_pending());
    slow.answer();
    assert!(poll(&mut before).is_ready());
    assert_eq!((resolver.stats().entries, slow.asked.load(Ordering::Relaxed)), (0, 2));
    assert!(poll(&mut after).is_ready());
    assert_eq!(resolver.stats().entries, 1);
}

#[test]
fn debug_shows_the_figures() {
    let (_, _, resolver) = cached(|builder| builder);
    assert!(format!("{resolver:?}").contains("hits: 0"));
    assert!(format!("{:?}", CachingResolver::builder(Zone::new())).contains("entries: 16384"));
}

proptest! {
    /// A cache with room for all answers as a model says: from memory until the time to live is over.
    #[test]
    fn with_room_for_all_it_asks_exactly_when_an_answer_expired(
        steps in prop::collection::vec((0..6usize, 0..200u64), 1..60)
    ) {
        let questions = [
            ("example.org", RecordType::Txt, Some(300)),
            ("example.org", RecordType::Mx, None),
            ("alias.example.org", RecordType::A, Some(60)),
            ("nope.example.org", RecordType::A, Some(90)),
            ("broken.example.org", RecordType::A, Some(1)),
            ("unsigned.example.net", RecordType::Txt, None),
        ];
        let (zone, hands, resolver) = cached(|builder| builder);
        let (mut now, mut until, mut asked) = (0, HashMap::new(), 0);
        for (question, pause) in steps {
            let (name, kind, ttl) = questions[question];
            let outcome = ask(&resolver, name, kind);
            let expires: u64 = until.get(&question).copied().unwrap_or(0);
            if expires <= now {
                asked += 1;
                until.insert(question, ttl.map_or(0, |ttl| now + ttl));
            } else if !matches!(outcome, Err(LookupError::ServFail)) {
                prop_assert_eq!(seconds(&outcome), Some(expires - now));
            }
            prop_assert_eq!(zone.queries(), asked);
            hands.advance(pause);
            now += pause;
        }
    }

    /// However little room there is, answers are those of the resolver behind, and never too old.
    #[test]
    fn bounds_hold_and_answers_are_right(
        entries in 0..8usize,
        steps in prop::collection::vec((0..20u8, 0..100u64), 1..120),
    ) {
        let mut zone = Zone::new();
        for n in 0..20u8 {
            let ttl = Duration::from_secs(u64::from(n) * 10);
            zone.insert_with_ttl(&format!("h{n}"), Record::A([192, 0, 2, n].into()), ttl).unwrap();
        }
        let hands = Hands::new();
        let resolver = CachingResolver::builder(zone).entries(entries).clock(hands.clock()).build();
        for (n, pause) in steps {
            let answer = ask(&resolver, &format!("h{n}"), RecordType::A).unwrap();
            prop_assert_eq!(answer.records(), [Record::A([192, 0, 2, n].into())]);
            prop_assert!(answer.ttl() <= Duration::from_secs(u64::from(n) * 10));
            prop_assert!(resolver.stats().entries <= entries);
            prop_assert_eq!(resolver.stats().entries == 0, resolver.stats().octets == 0);
            hands.advance(pause);
        }
    }
}
