//! Receives webhooks of three providers, checks them, and keeps a list of addresses not to write to.
//!
//! ```text
//! cargo run --example webhooks
//! ```
//!
//! It needs no network: the server listens on loopback, and the program sends itself what Amazon SES, SendGrid and Postmark
//! would, signed with keys of its own, and some that are forged. Then it prints who is on the list, and ends.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that talks to a person"
)]

mod feed;
mod senders;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::routing::any;
use posthaste_events::webhook::axum::Webhook;
use posthaste_events::webhook::{Access, Control, Postmark, Receiver, SendGrid, Ses, Sns};

use feed::Feed;
use senders::{PASSWORD, Senders, TOPIC, USER};

/// What a route needs: who checks its requests, and where their events go.
#[derive(Clone)]
struct Hooks {
    receiver: Receiver,
    feed: Arc<Feed>,
}

impl FromRef<Hooks> for Receiver {
    fn from_ref(hooks: &Hooks) -> Self {
        hooks.receiver.clone()
    }
}

/// Only what was verified comes here. 200 is answered when it is kept, so that the provider comes again if it could not be.
async fn take(State(hooks): State<Hooks>, webhook: Webhook) -> StatusCode {
    if let Some(Control::ConfirmSubscription { topic, url, .. }) = &webhook.parsed.control {
        // A real program GETs the URL here. It is of a host of SNS, and the topic is one of ours: both were checked.
        println!(
            "  would confirm {topic} at {}",
            url.split('?').next().unwrap_or_default()
        );
    }
    for problem in &webhook.parsed.problems {
        eprintln!("  event {} cannot be read: {}", problem.index, problem.error);
    }
    match hooks.feed.take(webhook.parsed.events).await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            eprintln!("  not kept: {error}");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

fn app(senders: &Senders, feed: &Arc<Feed>) -> Result<Router, Box<dyn Error>> {
    let route = |path: &str, receiver: Receiver| {
        let feed = Arc::clone(feed);
        Router::new()
            .route(path, any(take))
            .with_state(Hooks { receiver, feed })
    };
    let sns = Sns::new([TOPIC]).certificates(senders.certificates());
    Ok(Router::new()
        .merge(route("/hooks/ses", Receiver::new(Ses::new(sns))))
        .merge(route(
            "/hooks/sendgrid",
            Receiver::new(SendGrid::new(&senders.sendgrid_key()?)?),
        ))
        .merge(route(
            "/hooks/postmark",
            Receiver::new(Postmark::new()).access(Access::basic(USER, PASSWORD)),
        )))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let (senders, feed) = (Senders::new()?, Arc::new(Feed::default()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let app = app(&senders, &feed)?;
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let client = reqwest::Client::builder().no_proxy().build()?;
    for delivery in senders.deliveries()? {
        let mut request = client.post(format!("{origin}{}", delivery.path)).body(delivery.body);
        for (name, value) in delivery.headers {
            request = request.header(name, value);
        }
        let status = request.send().await?.status();
        println!("{}: {}", delivery.name, status.as_u16());
    }
    server.abort();

    println!("not to be written to:");
    for line in feed.list().await? {
        println!("  {line}");
    }
    Ok(())
}
