//! Who is not believed proves it anew, once; what HTTP cannot carry is not sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use posthaste_providers::{
    Gmail, HttpClient, HttpError, HttpFuture, HttpRequest, HttpResponse, MicrosoftGraph, OAuth2, Provider, SendGrid,
    connect,
};
use posthaste_transport::{Disposition, ErrorKind, Outcome, SendError, SendOptions, Transport};

use crate::fake::{Act, Fake, block_on};
use crate::mail;
use crate::samples;

/// A provider and its token endpoint: gives one answer after the other, and says of each request where it went and with what.
#[derive(Clone, Debug)]
struct Script {
    answers: Arc<Mutex<VecDeque<Option<HttpResponse>>>>,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Script {
    /// `None` is nobody there.
    fn new(answers: &[Option<(u16, &'static str)>]) -> Self {
        let answers = answers
            .iter()
            .map(|answer| answer.map(|(status, body)| HttpResponse::new(status, body)));
        Self {
            answers: Arc::new(Mutex::new(answers.collect())),
            asked: Arc::default(),
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .map(|(_, proof)| proof.clone())
            .collect()
    }
}

impl HttpClient for Script {
    fn execute(&self, request: HttpRequest) -> HttpFuture<'_> {
        let proof = request.header("Authorization").unwrap_or("token please").to_owned();
        self.asked.lock().unwrap().push((request.url().to_owned(), proof));
        let answer = self.answers.lock().unwrap().pop_front().expect("an answer");
        Box::pin(async move {
            let answer = answer.ok_or_else(|| HttpError::new("nobody is there"))?;
            request.progress().begin();
            Ok(answer)
        })
    }
}

const ONE: Option<(u16, &str)> = Some((200, r#"{"access_token":"one","expires_in":3600}"#));
const TWO: Option<(u16, &str)> = Some((200, r#"{"access_token":"two","expires_in":3600}"#));
const NOT_BELIEVED: Option<(u16, &str)> = Some((401, r#"{"error":{"code":"InvalidAuthenticationToken"}}"#));

fn tokens() -> OAuth2 {
    OAuth2::refreshing("https://tokens.example/token", "me", "hidden", "again").unwrap()
}

fn send(transport: &dyn Transport) -> Result<Outcome, SendError> {
    block_on(transport.send(&mail::plain(), &SendOptions::new()))
}

/// Both providers that take such tokens, with the answer by which each accepts.
fn both(script: &Script) -> [Arc<dyn Transport>; 2] {
    [
        Arc::new(Provider::with_client(Gmail::new(tokens()), script.clone())),
        Arc::new(Provider::with_client(MicrosoftGraph::new(tokens()), script.clone())),
    ]
}

const ACCEPTED: [Option<(u16, &str)>; 2] = [Some((200, r#"{"id":"1"}"#)), Some((202, ""))];

#[test]
fn a_token_that_is_not_taken_is_replaced_and_the_mail_goes_out() {
    for (at, accepted) in ACCEPTED.into_iter().enumerate() {
        let script = Script::new(&[ONE, NOT_BELIEVED, TWO, accepted, accepted]);
        let transport = both(&script)[at].clone();
        assert!(send(&*transport).unwrap().is_complete());
        assert!(send(&*transport).unwrap().is_complete());
        assert_eq!(
            script.asked(),
            ["token please", "Bearer one", "token please", "Bearer two", "Bearer two"]
        );
    }
}

#[test]
fn it_is_replaced_once_a_mail_and_what_follows_counts() {
    use Disposition::{Ambiguous, NotAccepted};
    for at in 0..2 {
        for (last, calls, kind, disposition) in [
            (&[TWO, NOT_BELIEVED][..], 4, ErrorKind::Unauthorized, NotAccepted),
            (&[TWO, Some((500, ""))], 4, ErrorKind::Unavailable, Ambiguous),
            // Of the second call nothing was written.
            (&[TWO, None], 4, ErrorKind::Unavailable, NotAccepted),
            (&[Some((503, ""))], 3, ErrorKind::Unavailable, NotAccepted),
            (&[Some((400, "{}"))], 3, ErrorKind::Unauthorized, NotAccepted),
            (&[None], 3, ErrorKind::Unavailable, NotAccepted),
        ] {
            let script = Script::new(&[&[ONE, NOT_BELIEVED], last].concat());
            let error = send(&*both(&script)[at]).unwrap_err();
            assert_eq!((error.kind(), error.disposition()), (kind, disposition), "{last:?}");
            assert_eq!(script.asked().len(), calls, "{last:?}");
        }
        // Not allowed is no question of the token.
        let script = Script::new(&[ONE, Some((403, "{}"))]);
        assert_eq!(send(&*both(&script)[at]).unwrap_err().kind(), ErrorKind::Unauthorized);
    }
}

#[test]
fn a_key_is_shown_once() {
    for sample in samples::all() {
        for status in [401, 403] {
            let fake = Fake::new(sample).first(Act::Answer(HttpResponse::new(status, "{}")));
            let error = send(&*fake.transport()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "{}", sample.name);
            assert_eq!(fake.requests().len(), 1, "{}", sample.name);
        }
    }
}

#[test]
fn what_http_cannot_carry_is_named_and_not_sent() {
    let script = Script::new(&[]);
    for endpoint in ["api.sendgrid.com", "ftp://api.sendgrid.com", "https://a b"] {
        let adapter = SendGrid::new("hidden").unwrap().with_endpoint(endpoint);
        let error = send(&Provider::with_client(adapter, script.clone())).unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition()),
            (ErrorKind::Invalid, Disposition::NotAccepted),
            "{endpoint}"
        );
        assert!(error.to_string().contains("URL"), "{error}");
    }
    let adapter = Gmail::new(OAuth2::refreshing("tokens.example", "me", "hidden", "again").unwrap());
    let error = send(&Provider::with_client(adapter, script)).unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Invalid, Disposition::NotAccepted)
    );
}

#[test]
fn a_key_that_no_field_can_carry_is_refused_when_the_adapter_is_made() {
    for sample in samples::all() {
        for bad in ["hid%0D%0Aden", "hid%00den", "%C3%A4", "hidden%20"] {
            for url in [
                sample.url.replacen("hidden", bad, 1),
                sample.url.replacen("aGlkZGVu", bad, 1),
            ] {
                if url != sample.url {
                    let error = connect(&url, Fake::new(sample)).map(|_| ()).expect_err(sample.name);
                    assert!(!format!("{error} {error:?}").contains("hid"), "{error:?}");
                }
            }
        }
    }
}

#[cfg(feature = "client")]
#[tokio::test]
async fn the_own_client_sends_no_such_request_either() {
    use posthaste_providers::{Method, ReqwestClient};
    let client = ReqwestClient::new().unwrap();
    for (request, part) in [
        (HttpRequest::new(Method::Get, "nonsense"), "URL"),
        (
            HttpRequest::new(Method::Get, "http://127.0.0.1:1/").with_secret_header("X-Key", "hid\nden"),
            "X-Key",
        ),
    ] {
        let error = client.execute(request).await.unwrap_err();
        assert_eq!(error.malformed_part(), Some(part));
        assert!(!format!("{error} {error:?}").contains("den"), "{error:?}");
    }
}
