//! SMTP clients into the same sinks: messages a second, processor time a message, and round trips a message.
//!
//! `cargo run --release --manifest-path benches/versus/Cargo.toml --bin smtp [-- --smoke | --five]` prints tables; `--smoke`
//! sends a handful each, `--five` only messages of 5 KB. Every client is a process of its own, and all take turns. The sinks
//! are a bare one in threads of this process, our own server in another thread of it, and Postfix's `smtp-sink`, if its path
//! is in `POSTHASTE_INTEROP_SMTP_SINK`; `smtp-source` runs if its path is in `POSTHASTE_INTEROP_SMTP_SOURCE`.
//!
//! lettre and mail-send as released wait for delayed acknowledgements, because they do not set TCP_NODELAY. Here they do not: for
//! lettre's pool, which opens its own sockets, a small library loaded before it sets the option (that takes a C compiler); the
//! others are handed connected sockets.
//!
//! A round trip is a time that the client has nothing more to say until it is answered: the sink that counts them answers
//! only when nothing more has come for a while.

mod senders;
mod sinks;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use senders::{PYTHON, client};
use sinks::{SmtpSink, our_server, sink};

const SENDER: &str = "ada@example.org";
const RECIPIENT: &str = "bob@example.net";

/// What runs, and how a row names it.
const CLIENTS: [(&str, &str); 9] = [
    ("ours", "posthaste-smtp, one message in flight a connection"),
    ("overlapped", "posthaste-smtp, the next message behind the last dot"),
    ("bdat", "posthaste-smtp, BDAT, the next message behind the last"),
    ("lettre", "lettre 0.11, its pool, TCP_NODELAY forced on"),
    (
        "lettre-kept",
        "lettre 0.11, a connection kept for each sender, TCP_NODELAY forced on",
    ),
    ("mail-send", "mail-send 0.7, TCP_NODELAY forced on"),
    ("smtplib", "Python smtplib"),
    ("floor", "floor: the octets in two round trips, no client"),
    ("smtp-source", "Postfix smtp-source"),
];

/// Whom the others are compared with.
const BASE: usize = 3;

/// Sets TCP_NODELAY on every socket that is connected.
const NODELAY: &str = "
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
int connect(int socket, const struct sockaddr *address, socklen_t length) {
    int (*next)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, \"connect\");
    int on = 1;
    if (address->sa_family == AF_INET) setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return next(socket, address, length);
}
";

/// A library that sets TCP_NODELAY, deleted when this is dropped.
struct Preload(PathBuf);

impl Preload {
    /// Compiles it, if there is a compiler.
    fn make() -> Option<Self> {
        let path = std::env::temp_dir().join(format!("posthaste-nodelay-{}.so", std::process::id()));
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-x", "c", "-", "-o"]).arg(&path);
        let mut child = compiler.stdin(Stdio::piped()).spawn().ok()?;
        child.stdin.take()?.write_all(NODELAY.as_bytes()).ok()?;
        child.wait().ok()?.success().then_some(Self(path))
    }
}

impl Drop for Preload {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A message of `size` octets in lines of text.
fn message(size: usize) -> Vec<u8> {
    let mut text = b"From: ada@example.org\r\nTo: bob@example.net\r\nSubject: race\r\n\r\n".to_vec();
    while text.len() + 78 < size {
        text.extend_from_slice(b"The quick brown fox jumps over the lazy dog, and then over the fence, once.\r\n");
    }
    text
}

/// One of Postfix's programs, with the libraries beside it.
fn postfix(variable: &str) -> Option<Command> {
    let path = std::path::PathBuf::from(std::env::var_os(variable)?);
    let mut command = Command::new(&path);
    if let Some(usr) = path.ancestors().nth(2) {
        command.env("LD_LIBRARY_PATH", usr.join("lib/postfix"));
    }
    Some(command)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Processor time of a process with one thread, in nanoseconds.
fn processor_time(process: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/schedstat")).expect("Linux");
    text.split_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
        .expect("a number")
}

/// What all clients send in a run.
#[derive(Clone, Copy)]
struct Load {
    connections: usize,
    count: usize,
    size: usize,
}

/// One run: messages a second, and microseconds of processor time a message. `None` where the program is not there.
fn run(kind: &str, to: SocketAddr, load: Load, preload: Option<&Path>) -> Option<(f64, f64)> {
    let numbers = [load.connections, load.count, load.size].map(|number| number.to_string());
    let count = load.count as f64;
    let port = to.port().to_string();
    let mut command = match kind {
        "smtp-source" => {
            let mut source = postfix("POSTHASTE_INTEROP_SMTP_SOURCE")?;
            let [connections, count, size] = &numbers;
            source.args(["-d", "-s", connections, "-m", count, "-l", size]);
            source.args(["-f", SENDER, "-t", RECIPIENT, &to.to_string()]);
            source
        }
        "smtplib" => {
            let mut python = Command::new("python3");
            python.args(["-c", PYTHON, &port]).args(&numbers);
            python
        }
        kind => {
            let mut client = Command::new(std::env::current_exe().ok()?);
            client.args(["client", kind, &port]).args(&numbers);
            if kind == "lettre" {
                client.env("LD_PRELOAD", preload?);
            }
            client
        }
    };
    let start = Instant::now();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    if let Some(mut input) = child.stdin.take()
        && kind == "smtplib"
    {
        // A client of ours makes the message itself.
        input.write_all(&message(load.size)).expect("is read");
    }
    let mut text = String::new();
    child.stdout.take()?.read_to_string(&mut text).expect("is text");
    // It has ended, or is about to, and can be asked until it is waited for.
    let (seconds, time) = (start.elapsed().as_secs_f64(), processor_time(&child.id().to_string()));
    let status = child.wait().expect("ends");
    assert!(status.success(), "{kind}: {status}");
    // What starts and connects on the clock is smtp-source alone.
    let (seconds, time) = match kind {
        "smtp-source" => (seconds, time as f64),
        _ => {
            let mut words = text
                .split_whitespace()
                .map(|word| word.parse::<f64>().expect("a number"));
            (words.next()?, words.next()?)
        }
    };
    Some((count / seconds, time / count / 1_000.0))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The medians of several runs.
#[derive(Default)]
struct Runs {
    rates: Vec<f64>,
    times: Vec<f64>,
}

impl Runs {
    fn add(&mut self, (rate, time): (f64, f64)) {
        self.rates.push(rate);
        self.times.push(time);
    }

    fn medians(self) -> Option<(f64, f64)> {
        (!self.rates.is_empty()).then(|| (median(self.rates), median(self.times)))
    }
}

/// How often each client waits, a message, to two digits.
fn round_trips(preload: Option<&Path>) -> [Option<f64>; CLIENTS.len()] {
    CLIENTS.map(|(kind, _)| {
        let (patient, waits) = sink(Some(Duration::from_millis(5)));
        let count = |count| {
            let before = waits.load(Ordering::SeqCst);
            let load = Load {
                connections: 1,
                count,
                size: 5_000,
            };
            run(kind, patient, load, preload).map(|_| waits.load(Ordering::SeqCst) - before)
        };
        // The difference is without what happens once a connection.
        let (few, many) = (count(40)?, count(140)?);
        Some(many.saturating_sub(few) as f64 / 100.0)
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("client") => return client(&arguments[1..]),
        // For a profiler, which starts a client itself.
        Some(kind @ ("sink" | "server")) => {
            println!("{}", if kind == "sink" { sink(None).0 } else { our_server() });
            return std::thread::park();
        }
        _ => {}
    }
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let (rounds, volume) = match has("--smoke") {
        true => (1, 64),
        // Many short rounds: where the scheduler puts a client and a sink decides more than what they do.
        false => (9, 20_000_000),
    };
    let sizes: &[usize] = match has("--five") {
        true => &[5_000],
        false => &[2_000, 5_000, 200_000],
    };
    let preload = Preload::make();
    let preload = preload.as_ref().map(|Preload(path)| path.as_path());
    if preload.is_none() {
        println!("left out: lettre's pool, for want of a C compiler\n");
    }
    let trips = round_trips(preload);
    let smtp_sink = SmtpSink::start();
    let mut sinks = vec![("bare sink", sink(None).0), ("our server", our_server())];
    match &smtp_sink {
        Some(SmtpSink { address, .. }) => sinks.push(("smtp-sink", *address)),
        None => println!("left out: smtp-sink, for want of POSTHASTE_INTEROP_SMTP_SINK\n"),
    }
    let loads = [1, 8].into_iter().flat_map(|connections| {
        sizes.iter().map(move |&size| Load {
            connections,
            count: (volume / size).clamp(16, if connections == 1 { 2_000 } else { 8_000 }) / 8 * 8,
            size,
        })
    });

    println!("| client | messages/s | CPU a message | round trips a message | rate to lettre's | CPU to lettre's |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    // For each load, what smtp-source does into each sink.
    let mut source = Vec::new();
    for load in loads {
        let mut figures: Vec<[Runs; CLIENTS.len()]> = sinks.iter().map(|_| Default::default()).collect();
        for _ in 0..rounds {
            for (number, (kind, _)) in CLIENTS.iter().enumerate() {
                for (&(_, to), figures) in sinks.iter().zip(&mut figures) {
                    if let Some(figure) = run(kind, to, load, preload) {
                        figures[number].add(figure);
                    }
                }
            }
        }
        let mut sources = Vec::new();
        for ((sink, _), runs) in sinks.iter().zip(figures) {
            let rows = runs.map(Runs::medians);
            let Load { connections, size, .. } = load;
            println!(
                "| **{sink}, {connections} connections, {} KB** | | | | | |",
                size / 1_000
            );
            let base = rows[BASE].or(rows[BASE + 1]).unwrap_or((f64::NAN, f64::NAN));
            for (((_, name), row), trips) in CLIENTS.iter().zip(rows).zip(trips) {
                let Some((rate, time)) = row else { continue };
                let (trips, to_base) = (trips.unwrap_or(f64::NAN), (rate / base.0, time / base.1));
                println!(
                    "| {name} | {rate:.0} | {time:.1} µs | {trips:.2} | {:.2} | {:.2} |",
                    to_base.0, to_base.1
                );
            }
            sources.push(rows.last().copied().flatten());
        }
        source.push((load, sources));
    }

    println!("\n| smtp-source, connections, size | into smtp-sink: messages/s | into our server: messages/s | ratio |");
    println!("| --- | ---: | ---: | ---: |");
    for (Load { connections, size, .. }, sources) in source {
        if let [_, Some((ours, _)), Some((theirs, _))] = sources.as_slice() {
            println!(
                "| {connections}, {} KB | {theirs:.0} | {ours:.0} | {:.2} |",
                size / 1_000,
                ours / theirs
            );
        }
    }
}
