//! A client that stands in for a provider.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use posthaste_providers::{HttpClient, HttpError, HttpFuture, HttpRequest, HttpResponse};
use posthaste_transport::Transport;
use serde_json::{Value, json};

use crate::samples::Sample;

/// What the client does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// It answers.
    Answer(HttpResponse),
    /// It finds nobody.
    Refuse,
    /// It loses the connection after it wrote.
    Reset,
    /// It never finds anybody, and never gives up.
    HangConnecting,
    /// It wrote, and nobody answers.
    HangWaiting,
    /// It cannot read the request's body.
    Unreadable,
}

/// Does what it is told, then answers as the sample does; keeps the requests.
#[derive(Debug, Clone)]
pub(crate) struct Fake {
    sample: &'static Sample,
    acts: Arc<Mutex<VecDeque<Act>>>,
    requests: Arc<Mutex<Vec<HttpRequest>>>,
}

impl Fake {
    /// Answers as the sample does.
    pub(crate) fn new(sample: &'static Sample) -> Self {
        Self {
            sample,
            acts: Arc::default(),
            requests: Arc::default(),
        }
    }

    /// Does `act` first.
    pub(crate) fn first(self, act: Act) -> Self {
        self.acts.lock().unwrap().push_back(act);
        self
    }

    /// The transport that the sample's URL makes.
    pub(crate) fn transport(&self) -> Arc<dyn Transport> {
        crate::samples::provider(self.sample, self.clone())
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().unwrap().clone()
    }

    /// The answer of the sample.
    pub(crate) fn accepts(&self) -> HttpResponse {
        let (status, body) = self.sample.accepts;
        let (name, value) = self.sample.header;
        HttpResponse::new(status, body).with_header(name, value)
    }

    /// The answer of the sample to a request: Scaleway's says something of each recipient.
    fn accepts_request(&self, request: &HttpRequest) -> HttpResponse {
        if self.sample.name != "scaleway" {
            return self.accepts();
        }
        let asked: Value = serde_json::from_slice(&request.body().to_bytes().unwrap()).unwrap();
        let emails: Vec<Value> = ["to", "cc", "bcc"]
            .iter()
            .filter_map(|field| asked[field].as_array())
            .flatten()
            .map(|mailbox| json!({"id": self.sample.id, "mail_rcpt": mailbox["email"], "status": "new"}))
            .collect();
        let (name, value) = self.sample.header;
        HttpResponse::new(self.sample.accepts.0, json!({"emails": emails}).to_string()).with_header(name, value)
    }
}

impl HttpClient for Fake {
    fn execute(&self, request: HttpRequest) -> HttpFuture<'_> {
        Box::pin(async move {
            let progress = request.progress().clone();
            self.requests.lock().unwrap().push(request.clone());
            let act = self.acts.lock().unwrap().pop_front();
            match act {
                Some(Act::Refuse) => return Err(HttpError::new("nobody is there")),
                Some(Act::HangConnecting) => std::future::pending().await,
                _ => {}
            }
            progress.begin();
            match act {
                None => Ok(self.accepts_request(&request)),
                Some(Act::Answer(response)) => Ok(response),
                Some(Act::Reset) => Err(HttpError::new("the connection is gone")),
                Some(Act::Unreadable) => Err(HttpError::unreadable("the file is gone")),
                Some(_) => std::future::pending().await,
            }
        })
    }
}

/// Runs a future on paused time.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}
