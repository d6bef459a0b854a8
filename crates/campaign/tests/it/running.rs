//! Many entries.

use std::collections::BTreeSet;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::SystemTime;

use futures_util::{StreamExt, stream};
use posthaste_address::KeyRules;
use posthaste_campaign::{Campaign, Entry, EntryError, Item, Made, Run, Skip};
use posthaste_mime::{Clock, Generator, IdSource};
use posthaste_transport::SendOptions;
use proptest::prelude::*;
use serde_json::json;

use crate::{campaign, entry};

fn two() -> NonZeroUsize {
    NonZeroUsize::new(2).unwrap()
}

fn entries(count: usize) -> impl stream::Stream<Item = Result<Entry, io::Error>> + Send + 'static {
    stream::iter((0..count).map(|number| Ok(entry(number))))
}

fn prepared() -> Campaign {
    campaign().prepare().unwrap()
}

async fn positions(run: Run) -> Vec<u64> {
    run.map(|item| item.position).collect().await
}

#[tokio::test]
async fn messages_come_in_order_unless_told_otherwise() {
    let run = prepared().run(entries(500)).workers(two()).start();
    assert_eq!(positions(run).await, (0..500).collect::<Vec<_>>());
    let run = prepared().run(entries(500)).workers(two()).in_order(false).start();
    let mut unordered = positions(run).await;
    unordered.sort_unstable();
    assert_eq!(unordered, (0..500).collect::<Vec<_>>());
}

/// Knows how many ids were asked for at the same time.
#[derive(Debug, Default)]
struct Watched {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl IdSource for Watched {
    fn next_id(&self) -> [u8; 16] {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        for _ in 0..50 {
            std::thread::yield_now();
        }
        self.now.fetch_sub(1, Ordering::SeqCst);
        [7; 16]
    }
}

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        crate::now()
    }
}

#[tokio::test]
async fn no_more_work_at_the_same_time_than_are_asked_for() {
    for workers in [1, 2] {
        let watched = Arc::new(Watched::default());
        let generator = Generator::new(Arc::new(Stopped), Arc::clone(&watched) as Arc<dyn IdSource>);
        let campaign = campaign().generator(&generator).prepare().unwrap();
        let run = campaign.run(entries(400)).workers(NonZeroUsize::new(workers).unwrap());
        assert_eq!(positions(run.start()).await.len(), 400);
        assert!(watched.most.load(Ordering::SeqCst) <= workers, "{watched:?}");
    }
}

/// Fails as no source of ids should, once it is broken.
#[derive(Debug, Default)]
struct Breaking(AtomicBool);

impl IdSource for Breaking {
    fn next_id(&self) -> [u8; 16] {
        assert!(!self.0.load(Ordering::SeqCst), "no more ids");
        [7; 16]
    }
}

#[tokio::test]
async fn who_panics_takes_no_entry_along_in_silence() {
    let ids = Arc::new(Breaking::default());
    let generator = Generator::new(Arc::new(Stopped), Arc::clone(&ids) as Arc<dyn IdSource>);
    let campaign = campaign().generator(&generator).prepare().unwrap();
    ids.0.store(true, Ordering::SeqCst);
    let items: Vec<_> = campaign.run(entries(100)).workers(two()).start().collect().await;
    assert_eq!(items.len(), 100);
    for item in &items {
        assert!(matches!(item.made, Made::Failed(EntryError::Interrupted)), "{item:?}");
    }
}

#[tokio::test]
async fn each_message_is_for_its_own_entry() {
    let mut run = prepared().run(entries(100)).in_order(false).start();
    while let Some(Item { position, made, .. }) = run.next().await {
        let Made::Mail(mail) = made else { panic!("{made:?}") };
        let to = format!("customer.{position}@example.net");
        assert_eq!(mail.outbound.envelope().recipients()[0].address().to_string(), to);
        let subject = format!("Hello Customer {position}");
        assert_eq!(mail.outbound.message().unwrap().subject(), Some(subject.as_str()));
    }
    assert_eq!((run.progress().made, run.position()), (100, 100));
}

#[tokio::test]
async fn a_bad_row_is_its_own_error() {
    let rows = (0..100).map(|number| match number {
        7 => Err(io::Error::other("not a row")),
        8 => Ok(entry(number).data(json!({}))),
        _ => Ok(entry(number)),
    });
    let rows: Vec<_> = rows.collect();
    let mut run = prepared().run(stream::iter(rows)).start();
    let mut failed = Vec::new();
    while let Some(item) = run.next().await {
        if let Made::Failed(error) = item.made {
            failed.push((item.position, error));
        }
    }
    assert!(matches!(
        failed.as_slice(),
        [(7, EntryError::Input(_)), (8, EntryError::Render(_))]
    ));
    let progress = run.progress();
    assert_eq!((progress.made, progress.failed), (98, 2));
}

#[tokio::test]
async fn nobody_is_written_to_twice_or_against_their_will() {
    let rows = vec![
        entry(1),
        entry(1),
        Entry::new("CUSTOMER.1@EXAMPLE.net".parse().unwrap()).data(json!({"name": "x"})),
        entry(2),
        entry(3).cc("customer.1@example.net".parse().unwrap()),
        entry(4).cc("customer.4@example.net".parse().unwrap()),
    ];
    let rows = || stream::iter(rows.clone().into_iter().map(Ok::<_, io::Error>));
    let mut run = prepared()
        .run(rows())
        .suppress(|address| address.local_part() == "customer.2")
        .start();
    let mut fates = Vec::new();
    while let Some(item) = run.next().await {
        fates.push(match item.made {
            Made::Mail(mail) => mail
                .outbound
                .envelope()
                .recipients()
                .iter()
                .map(|recipient| recipient.address().to_string())
                .collect::<Vec<_>>()
                .join(" "),
            Made::Skipped(Skip::Duplicate) => "duplicate".to_owned(),
            Made::Skipped(Skip::Suppressed) => "suppressed".to_owned(),
            made => panic!("{made:?}"),
        });
    }
    assert_eq!(
        fates,
        [
            "customer.1@example.net",
            "duplicate",
            "duplicate",
            "suppressed",
            "customer.3@example.net",
            "customer.4@example.net"
        ]
    );
    assert_eq!((run.progress().duplicates, run.progress().suppressed), (4, 1));
    let run = prepared().run(rows()).duplicates(KeyRules::exact()).start();
    let made = run
        .filter(|item| std::future::ready(matches!(item.made, Made::Mail(_))))
        .count();
    assert_eq!(made.await, 5, "those that differ in case too");
    let run = prepared().run(rows()).allow_duplicates().start();
    let made = run
        .filter(|item| std::future::ready(matches!(item.made, Made::Mail(_))))
        .count();
    assert_eq!(made.await, 6);
}

#[tokio::test]
async fn who_stands_in_an_entry_twice_gets_it_once_and_the_suppressed_never() {
    let to = |address: &str| address.parse().unwrap();
    let rows = [
        entry(1).cc(to("customer.1@example.net")).cc(to("b@example.net")),
        entry(2).cc(to("customer.2@example.net")).bcc(to("no@example.net")),
        entry(3)
            .cc(to("no@example.net"))
            .cc(to("no@example.net"))
            .bcc(to("b@example.net")),
    ];
    let mut run = prepared()
        .run(stream::iter(rows.map(Ok::<_, io::Error>)))
        .suppress(|address| address.local_part() == "no")
        .start();
    let mut reached = Vec::new();
    while let Some(item) = run.next().await {
        let Made::Mail(mail) = item.made else {
            panic!("{:?}", item.made)
        };
        let recipients = mail.outbound.envelope().recipients().iter();
        reached.push(
            recipients
                .map(|recipient| recipient.address().local_part().to_owned())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(
        reached,
        [vec!["customer.1", "b"], vec!["customer.2"], vec!["customer.3"]]
    );
}

#[tokio::test]
async fn a_run_can_be_stopped_and_resumed() {
    let mut run = prepared().run(entries(300)).in_order(false).workers(two()).start();
    let mut seen = BTreeSet::new();
    for _ in 0..130 {
        seen.insert(run.next().await.unwrap().position);
    }
    let position = run.position();
    drop(run);
    assert!((0..position).all(|number| seen.contains(&number)));
    assert!(!seen.contains(&position));
    let run = prepared().run(entries(300)).start_at(position).start();
    let rest = positions(run).await;
    assert_eq!(rest, (position..300).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_resumed_run_remembers_those_before() {
    let rows = [entry(1), entry(1), entry(2), entry(1), entry(3)];
    let rows = stream::iter(rows.map(Ok::<_, io::Error>));
    let mut run = prepared().run(rows).start_at(3).start();
    assert!(matches!(run.next().await.unwrap().made, Made::Skipped(Skip::Duplicate)));
    assert!(matches!(run.next().await.unwrap().made, Made::Mail(_)));
    assert!(run.next().await.is_none());
    let progress = run.progress();
    assert_eq!((progress.passed, progress.duplicates, progress.made), (3, 1, 1));
}

#[tokio::test]
async fn no_more_is_read_than_a_few_batches_ahead() {
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let rows = stream::iter((0..100_000).map(move |number| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok::<_, io::Error>(entry(number))
    }));
    let mut run = prepared().run(rows).workers(two()).start();
    for _ in 0..10 {
        run.next().await.unwrap();
    }
    assert!(read.load(Ordering::Relaxed) <= 10 + 6 * 32, "{read:?}");
}

#[tokio::test]
async fn passing_over_many_entries_gives_way_to_others() {
    let mut run = prepared().run(entries(20_000)).start_at(19_999).start();
    let waker = std::task::Waker::noop();
    let mut context = std::task::Context::from_waker(waker);
    assert!(run.poll_next_unpin(&mut context).is_pending());
    assert!((1..19_999).contains(&run.progress().passed), "{run:?}");
    assert_eq!(run.next().await.unwrap().position, 19_999);
}

#[tokio::test]
async fn slow_input_is_not_waited_for() {
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Entry, io::Error>>(1);
    let rows = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|entry| (entry, receiver))
    });
    let mut run = prepared().run(rows).start();
    for number in 0..3 {
        sender.send(Ok(entry(number))).await.unwrap();
        assert_eq!(run.next().await.unwrap().position, number as u64);
    }
    drop(sender);
    assert!(run.next().await.is_none());
    assert!(run.next().await.is_none());
}

#[tokio::test]
async fn options_come_out_with_the_mail() {
    let options = SendOptions::new().with_tag("welcome").unwrap();
    let rows = stream::iter([Ok::<_, io::Error>(entry(1).options(options))]);
    let item = prepared().run(rows).start().next().await.unwrap();
    let Made::Mail(mail) = item.made else {
        panic!("{item:?}")
    };
    assert_eq!(mail.options.tags(), ["welcome"]);
}

#[tokio::test]
async fn stages_are_measured_if_a_clock_is_given() {
    let ticks = AtomicUsize::new(0);
    let clock = move || std::time::Duration::from_micros(ticks.fetch_add(1, Ordering::Relaxed) as u64);
    let campaign = campaign().stopwatch(clock).prepare().unwrap();
    let item = campaign.run(entries(1)).start().next().await.unwrap();
    let Made::Mail(mail) = item.made else {
        panic!("{item:?}")
    };
    assert_eq!(mail.stages.total().as_micros(), 2);
    assert_eq!((mail.stages.render.as_micros(), mail.stages.mime.as_micros()), (1, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn every_entry_comes_out_once_whatever_the_settings(
        count in 0_usize..200, start_at in 0_u64..250, in_order in any::<bool>(), workers in 1_usize..5,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let mut found = runtime.block_on(async {
            let run = prepared().run(entries(count)).in_order(in_order).start_at(start_at);
            positions(run.workers(NonZeroUsize::new(workers).unwrap()).start()).await
        });
        found.sort_unstable();
        prop_assert_eq!(found, (start_at..count as u64).collect::<Vec<_>>());
    }
}
