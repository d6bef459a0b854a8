//! Messages one behind the other over one connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use posthaste_address::Envelope;
use posthaste_smtp::SmtpTransport;
use posthaste_transport::{Disposition, Outbound, Outcome, SendError, SendOptions, Transport};
use tokio::task::JoinSet;

use crate::postbox::{address, raw, soon};
use crate::sink::{Sink, Wrong};

const DATA: &str = "\r\n250-PIPELINING";
const BDAT: &str = "\r\n250-PIPELINING\r\n250-CHUNKING";

fn mail(from: &str, to: &[&str], body: &str) -> Outbound {
    let envelope = Envelope::new(Some(address(from)), to.iter().map(|to| address(to))).unwrap();
    raw(envelope, &format!("{body}\r\n"))
}

fn plain(number: usize) -> Outbound {
    mail("ada@example.org", &["bob@example.net"], &format!("m{number}"))
}

/// Sends all of them at once, and returns what became of each.
async fn send_all(client: &Arc<SmtpTransport>, mails: Vec<Outbound>) -> Vec<Result<Outcome, SendError>> {
    let mut sends = JoinSet::new();
    for (number, mail) in mails.into_iter().enumerate() {
        let client = Arc::clone(client);
        sends.spawn(async move { (number, client.send(&mail, &SendOptions::new()).await) });
    }
    let mut results = soon(sends.join_all()).await;
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

fn client(sink: &Sink, connections: u16) -> Arc<SmtpTransport> {
    let config = sink.client().connections(connections).messages_per_connection(10_000);
    Arc::new(config.build().unwrap())
}

#[tokio::test]
async fn round_trips_are_shared_by_messages() {
    const COUNT: usize = 200;
    // Percent of a round trip for each message.
    for (extensions, at_most) in [(DATA, 105), (BDAT, 20)] {
        let sink = Sink::start(extensions, None).await;
        let client = client(&sink, 1);
        assert_eq!(client.warm_up(1).await.unwrap(), 1);
        let before = sink.rounds();
        for result in send_all(&client, (0..COUNT).map(plain).collect()).await {
            assert!(result.unwrap().is_complete());
        }
        let rounds = sink.rounds() - before;
        assert!(rounds * 100 <= COUNT * at_most, "{rounds} for {COUNT} messages");
        assert_eq!((sink.taken().len(), sink.connections()), (COUNT, 1));
        // By BDAT one that is behind another does not know how that one ends.
        let resets = sink.book.resets.load(Ordering::SeqCst);
        assert_eq!(resets > 0, extensions == BDAT, "{resets}");
    }
}

#[tokio::test]
async fn without_overlap_each_message_waits_for_its_own_replies() {
    for (extensions, rounds) in [(DATA, 2), (BDAT, 1)] {
        let sink = Sink::start(extensions, None).await;
        let client = Arc::new(sink.client().connections(1).overlap(false).build().unwrap());
        assert_eq!(client.warm_up(1).await.unwrap(), 1);
        let before = sink.rounds();
        for result in send_all(&client, (0..10).map(plain).collect()).await {
            assert!(result.unwrap().is_complete());
        }
        assert_eq!(sink.rounds() - before, 10 * rounds);
    }
}

#[tokio::test]
async fn two_who_take_turns_overlap_too() {
    let sink = Sink::start(DATA, None).await;
    let client = client(&sink, 1);
    assert_eq!(client.warm_up(1).await.unwrap(), 1);
    let before = sink.rounds();
    let one = async |from: usize| {
        for number in from..from + 50 {
            assert!(
                client
                    .send(&plain(number), &SendOptions::new())
                    .await
                    .unwrap()
                    .is_complete()
            );
        }
    };
    soon(async { tokio::join!(one(0), one(100)) }).await;
    let rounds = sink.rounds() - before;
    assert!(rounds <= 105, "{rounds} for 100 messages");
}

#[tokio::test]
async fn everybody_gets_their_own_answer() {
    for extensions in [DATA, BDAT] {
        let sink = Sink::start(extensions, None).await;
        let client = client(&sink, 2);
        let mails = (0..120).map(|number| {
            let body = format!("m{number}{}", if number % 7 == 3 { "spam" } else { "" });
            let from = if number % 5 == 1 {
                "banned@example.org"
            } else {
                "ada@example.org"
            };
            let to: &[&str] = match number % 3 {
                0 => &["bob@example.net"],
                1 => &["nobody@example.net", "bob@example.net"],
                _ => &["nobody@example.net"],
            };
            mail(from, to, &body)
        });
        let mut expected = Vec::new();
        for (number, result) in send_all(&client, mails.collect()).await.into_iter().enumerate() {
            let code = |error: SendError| {
                assert_eq!(error.disposition(), Disposition::NotAccepted, "{error}");
                error.reply().unwrap().lines().join(" ")
            };
            match (number % 5, number % 3, number % 7) {
                (1, ..) => assert_eq!(code(result.unwrap_err()), "not you", "{number}"),
                (_, 2, _) => assert_eq!(code(result.unwrap_err()), "no such user", "{number}"),
                (.., 3) => assert_eq!(code(result.unwrap_err()), "spam", "{number}"),
                (_, kind, _) => {
                    let outcome = result.unwrap();
                    assert_eq!(
                        (outcome.accepted().count(), outcome.refused().count()),
                        (1, kind),
                        "{number}"
                    );
                    assert_eq!(outcome.provider_id(), Some(format!("m{number}").as_str()));
                    expected.push(format!("m{number}"));
                }
            }
        }
        let mut taken = sink.taken();
        taken.sort();
        expected.sort();
        assert_eq!(taken, expected);
    }
}

/// How often each message was taken.
fn counts(sink: &Sink) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for body in sink.taken() {
        *counts.entry(body).or_insert(0) += 1;
    }
    counts
}

#[tokio::test]
async fn a_connection_that_dies_leaves_only_what_it_had_in_doubt() {
    const COUNT: usize = 60;
    for (extensions, most_in_doubt) in [(DATA, 1), (BDAT, 16)] {
        for keep in [true, false] {
            let sink = Sink::start(extensions, Some(Wrong::HangUp { at: 25, keep })).await;
            let results = send_all(&client(&sink, 1), (0..COUNT).map(plain).collect()).await;
            let counts = counts(&sink);
            let mut in_doubt = 0;
            for (number, result) in results.into_iter().enumerate() {
                let taken = counts.get(&format!("m{number}")).copied().unwrap_or_default();
                match result {
                    Ok(outcome) => assert_eq!((outcome.is_complete(), taken), (true, 1), "{number}"),
                    Err(error) => {
                        assert_eq!(error.disposition(), Disposition::Ambiguous, "{error}");
                        assert!(taken <= 1);
                        in_doubt += 1;
                    }
                }
            }
            assert!((1..=most_in_doubt).contains(&in_doubt), "{in_doubt}");
            assert_eq!(sink.connections(), 2);
        }
    }
}

#[tokio::test]
async fn a_server_that_says_goodbye_loses_no_message() {
    for extensions in [DATA, BDAT] {
        let sink = Sink::start(extensions, Some(Wrong::Close(25))).await;
        for result in send_all(&client(&sink, 1), (0..60).map(plain).collect()).await {
            assert!(result.unwrap().is_complete());
        }
        let counts = counts(&sink);
        assert_eq!((counts.len(), counts.values().max()), (60, Some(&1)));
        assert!(sink.connections() > 1);
    }
}

#[tokio::test]
async fn a_refused_message_by_bdat_lends_its_sender_to_nobody() {
    let sink = Sink::start(BDAT, None).await;
    let client = client(&sink, 1);
    let refused = mail("ada@example.org", &["nobody@example.net"], "m0");
    let results = send_all(&client, vec![refused, plain(1), plain(2)]).await;
    let fine: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(fine, [false, true, true]);
    assert!(sink.book.resets.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn sends_that_are_dropped_harm_nobody() {
    for extensions in [DATA, BDAT] {
        let sink = Sink::start(extensions, None).await;
        let client = client(&sink, 1);
        let mut kept = JoinSet::new();
        let mut dropped = Vec::new();
        for number in 0..90 {
            let client = Arc::clone(&client);
            let send = async move { client.send(&plain(number), &SendOptions::new()).await.map(|_| number) };
            match number % 3 {
                0 => dropped.push(tokio::spawn(send)),
                _ => drop(kept.spawn(send)),
            }
        }
        for task in dropped {
            tokio::task::yield_now().await;
            task.abort();
        }
        for result in soon(kept.join_all()).await {
            assert!(result.is_ok(), "{result:?}");
        }
        let counts = counts(&sink);
        assert!(
            (0..90)
                .filter(|number| number % 3 != 0)
                .all(|number| counts[&format!("m{number}")] == 1)
        );
        assert!(counts.values().all(|&count| count == 1));
    }
}

#[tokio::test]
async fn nobody_depends_on_a_send_that_is_not_polled() {
    for extensions in [DATA, BDAT] {
        let sink = Sink::start(extensions, None).await;
        let client = client(&sink, 1);
        let (first, second) = (plain(1), plain(2));
        let options = SendOptions::new();
        let mut lazy = client.send(&second, &options);
        let mut eager = client.send(&first, &options);
        let polled = std::future::poll_fn(|context| {
            let _ = eager.as_mut().poll(context);
            let _ = lazy.as_mut().poll(context);
            std::task::Poll::Ready(())
        });
        polled.await;
        assert!(soon(eager).await.unwrap().is_complete());
        assert!(soon(lazy).await.unwrap().is_complete());
        assert_eq!(counts(&sink).len(), 2);
    }
}

#[tokio::test]
async fn a_limit_on_messages_is_kept_to() {
    let sink = Sink::start("\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-LIMITS MAILMAX=10", None).await;
    for result in send_all(&client(&sink, 1), (0..35).map(plain).collect()).await {
        assert!(result.unwrap().is_complete());
    }
    assert_eq!((sink.taken().len(), sink.connections()), (35, 4));
}

#[tokio::test(start_paused = true)]
async fn each_send_has_its_own_deadline() {
    // The server never answers the end of a message.
    let steps = crate::peer::Do::Ignore;
    let peer = crate::peer::Peer::start(vec![vec![
        crate::peer::Do::Say("220 hi\r\n"),
        crate::peer::Do::Read(1),
        crate::peer::Do::Say("250-hi\r\n250-PIPELINING\r\n250 CHUNKING\r\n"),
        steps,
    ]])
    .await;
    let client = Arc::new(peer.client().connections(1).build().unwrap());
    let send = async |seconds: u64| {
        let options = SendOptions::new().with_deadline(Duration::from_secs(seconds));
        let before = tokio::time::Instant::now();
        let error = client.send(&plain(0), &options).await.unwrap_err();
        (error.disposition(), before.elapsed().as_secs())
    };
    let (long, short, middle) = soon_in_paused_time(async { tokio::join!(send(30), send(5), send(12)) }).await;
    assert_eq!((long.0, long.1), (Disposition::Ambiguous, 30));
    assert_eq!((short.0, short.1), (Disposition::Ambiguous, 5));
    assert_eq!((middle.0, middle.1), (Disposition::Ambiguous, 12));
}

/// The clock jumps when all is idle: a bound far behind the deadlines looked at.
async fn soon_in_paused_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(7200), work)
        .await
        .expect("it hangs")
}

#[tokio::test(start_paused = true)]
async fn nobody_holds_a_connection_for_a_send_that_was_dropped() {
    use crate::peer::Do::{Ignore, Read, ReadMessage, Say};
    use crate::peer::Peer;

    // The first message is taken; the second, behind it, never hears of its sender.
    let first = vec![
        Say("220 hi\r\n"),
        Read(1),
        Say("250-hi\r\n250 PIPELINING\r\n"),
        Read(3),
        Say("250 ok\r\n250 ok\r\n354 go\r\n"),
        ReadMessage,
        Read(3),
        Say("250 taken\r\n"),
        Ignore,
    ];
    let second = vec![
        Say("220 hi\r\n"),
        Read(1),
        Say("250-hi\r\n250 PIPELINING\r\n"),
        Read(3),
        Say("250 ok\r\n250 ok\r\n354 go\r\n"),
        ReadMessage,
        Say("250 taken\r\n"),
        Ignore,
    ];
    let peer = Peer::start(vec![first, second]).await;
    let client = Arc::new(peer.client().connections(1).build().unwrap());
    let begun = tokio::time::Instant::now();
    let send = |number: usize| {
        let client = Arc::clone(&client);
        tokio::spawn(async move { client.send(&plain(number), &SendOptions::new()).await.map(drop) })
    };
    let taken = send(1);
    let dropped = send(2);
    soon_in_paused_time(taken).await.unwrap().unwrap();
    dropped.abort();
    soon_in_paused_time(send(3)).await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!((peer.count("EHLO"), peer.count("m2")), (2, 0));
}

#[tokio::test]
async fn messages_go_in_the_order_in_which_they_came() {
    for extensions in [DATA, BDAT] {
        let sink = Sink::start(extensions, None).await;
        let results = send_all(&client(&sink, 1), (0..50).map(plain).collect()).await;
        assert!(results.iter().all(Result::is_ok));
        let expected: Vec<String> = (0..50).map(|number| format!("m{number}")).collect();
        assert_eq!(sink.taken(), expected);
    }
}

#[tokio::test]
async fn closing_is_not_put_off_by_those_who_come_later() {
    for extensions in [DATA, BDAT] {
        let sink = Sink::start(extensions, None).await;
        let client = client(&sink, 2);
        let send = |number: usize| {
            let client = Arc::clone(&client);
            async move { client.send(&plain(number), &SendOptions::new()).await.map(drop) }
        };
        let mut sends: JoinSet<_> = (0..30).map(send).collect();
        tokio::task::yield_now().await;
        let closing = tokio::spawn({
            let client = Arc::clone(&client);
            async move { client.close().await }
        });
        tokio::task::yield_now().await;
        for number in 30..60 {
            sends.spawn(send(number));
        }
        soon(closing).await.unwrap();
        assert!(sink.taken().len() >= 30);
        for result in soon(sends.join_all()).await {
            assert!(result.is_ok(), "{result:?}");
        }
        assert_eq!(counts(&sink).len(), 60);
        assert!(sink.connections() > 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_server_gets_each_message_once_over_tls() {
    use crate::postbox::{Postbox, Running, certificate};

    let (chain, key) = certificate();
    let postbox = Postbox::default();
    let server = Running::start(postbox.server().tls(chain.clone(), key)).await;
    for chunking in [true, false] {
        let config = server.client().tls(posthaste_smtp::Tls::Required).platform_roots(false);
        let config = config.add_root_pem(&chain).unwrap().connections(3).chunking(chunking);
        let client = Arc::new(config.build().unwrap());
        let before = postbox.messages().len();
        for (number, result) in send_all(&client, (0..300).map(plain).collect())
            .await
            .into_iter()
            .enumerate()
        {
            assert!(result.is_ok(), "{number}: {result:?}");
        }
        let messages = postbox.messages().split_off(before);
        let mut bodies: Vec<String> = messages
            .iter()
            .map(|message| String::from_utf8_lossy(message.content()).into_owned())
            .collect();
        bodies.sort();
        bodies.dedup();
        assert_eq!((messages.len(), bodies.len()), (300, 300));
        client.close().await;
    }
    server.stop().await;
}

#[test]
fn a_runtime_that_ends_takes_its_own_messages_and_no_place_in_the_pool() {
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
    };
    let current = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    for extensions in [DATA, BDAT] {
        let far = runtime();
        let sink = far.block_on(Sink::start(extensions, None));
        let client = client(&sink, 1);
        let short = current();
        short.block_on(async {
            let mut sends = JoinSet::new();
            for number in 0..50 {
                let client = Arc::clone(&client);
                sends.spawn(async move { client.send(&plain(number), &SendOptions::new()).await.map(drop) });
            }
            // The others are on their way, or wait.
            assert!(soon(sends.join_next()).await.unwrap().unwrap().is_ok());
            sends.detach_all();
        });
        drop(short);
        let next = current();
        let outcome = next.block_on(soon(client.send(&plain(100), &SendOptions::new())));
        assert!(outcome.unwrap().is_complete());
        assert_eq!(client.pool_status().busy, 0);
        let counts = counts(&sink);
        assert!(counts["m100"] == 1 && counts.values().all(|&count| count == 1));
        drop(next);
        far.shutdown_background();
    }
}
