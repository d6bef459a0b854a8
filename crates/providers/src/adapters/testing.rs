//! Drives an adapter with an answer that is given.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::future::ready;
use std::sync::{Arc, Mutex};

use posthaste_mime::{Message, MessageBuilder};
use posthaste_transport::{Disposition, ErrorKind, Outbound, Outcome, SendError, SendOptions, Transport};
use serde_json::Value;

use crate::{
    Adapter, Batch, BatchOutcome, BatchTransport, HttpClient, HttpError, HttpFuture, HttpRequest, HttpResponse,
    Provider,
};

/// An adapter between a caller and an answer.
#[derive(Debug)]
pub(crate) struct Bench<A> {
    provider: Provider<A>,
    requests: Arc<Mutex<Vec<HttpRequest>>>,
}

#[derive(Debug)]
struct Answering {
    answer: HttpResponse,
    requests: Arc<Mutex<Vec<HttpRequest>>>,
}

impl HttpClient for Answering {
    fn execute(&self, request: HttpRequest) -> HttpFuture<'_> {
        request.progress().begin();
        let answer = match self.requests.lock() {
            Ok(mut requests) => {
                requests.push(request);
                Ok(self.answer.clone())
            }
            Err(_) => Err(HttpError::new("a test panicked")),
        };
        Box::pin(ready(answer))
    }
}

impl<A: Adapter> Bench<A> {
    pub(crate) fn new(adapter: A, status: u16, body: impl Into<String>) -> Self {
        Self::answering(adapter, HttpResponse::new(status, body.into()))
    }

    pub(crate) fn answering(adapter: A, answer: HttpResponse) -> Self {
        let requests = Arc::default();
        let client = Answering {
            answer,
            requests: Arc::clone(&requests),
        };
        Self {
            provider: Provider::with_client(adapter, client),
            requests,
        }
    }

    pub(crate) fn send(&self, message: MessageBuilder, options: &SendOptions) -> Result<Outcome, SendError> {
        self.send_mail(&Outbound::new(message.build().unwrap()).unwrap(), options)
    }

    pub(crate) fn send_mail(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        block_on(self.provider.send(mail, options))
    }

    pub(crate) fn send_batch(&self, batch: &Batch, options: &SendOptions) -> Result<BatchOutcome, SendError> {
        block_on(self.provider.send_batch(batch, options))
    }

    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().unwrap().clone()
    }

    /// The only request.
    pub(crate) fn request(&self) -> HttpRequest {
        let requests = self.requests();
        assert_eq!(requests.len(), 1);
        requests.into_iter().next().unwrap()
    }

    /// Its body.
    pub(crate) fn body(&self) -> Value {
        serde_json::from_slice(&self.request().body().to_bytes().unwrap()).unwrap()
    }
}

/// Who writes, a subject, a text.
pub(crate) fn builder() -> MessageBuilder {
    Message::builder()
        .from("app@example.com".parse().unwrap())
        .subject("Hello")
        .text("First line")
}

/// A whole message to one.
pub(crate) fn plain() -> MessageBuilder {
    builder().to("a@example.net".parse().unwrap())
}

/// What `adapter` makes of an answer to a plain message: kind, whether it may have been accepted, code.
pub(crate) fn refused<A: Adapter>(adapter: A, status: u16, body: &str) -> (ErrorKind, Disposition, Option<String>) {
    let error = Bench::new(adapter, status, body)
        .send(plain(), &SendOptions::new())
        .expect_err(body);
    (error.kind(), error.disposition(), error.code().map(str::to_owned))
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(future)
}
