//! The extractor for axum: what reaches a handler, and what is answered without it.

use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::extract::FromRef;
use axum::routing::any;
use http::{Request, StatusCode};
use posthaste_events::webhook::axum::Webhook;
use posthaste_events::webhook::{
    Access, Control, Evidence, Limits, ParseError, Parsed, Postmark, Provider, Receiver, SendGrid, Verified,
    VerifyError,
};
use tower::ServiceExt as _;

use crate::signing::FakeSendGrid;

const DELIVERY: &str = r#"{"RecordType":"Delivery","Recipient":"bob@example.net"}"#;

async fn handler(webhook: Webhook) -> String {
    let recipients = webhook.parsed.events.into_iter().filter_map(|event| event.recipient);
    format!(
        "{} {}",
        webhook.receiver.provider(),
        recipients.collect::<Vec<_>>().join(",")
    )
}

fn app(receiver: Receiver) -> Router {
    Router::new().route("/hooks", any(handler)).with_state(receiver)
}

fn post() -> http::request::Builder {
    Request::post("/hooks").header("Host", "example.org")
}

async fn answer(app: Router, request: Request<Body>) -> (StatusCode, http::HeaderMap, String) {
    let (head, body) = app.oneshot(request).await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, 10_000).await.unwrap();
    (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_handler_gets_what_was_verified() {
    let receiver = Receiver::new(Postmark::new()).access(Access::header("X-Hook", "t"));
    let request = post().header("X-Hook", "t").body(Body::from(DELIVERY)).unwrap();
    let (status, _, text) = answer(app(receiver), request).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "postmark bob@example.net"));
}

#[tokio::test]
async fn a_signature_is_over_what_came() {
    let sendgrid = FakeSendGrid::new();
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let signed = sendgrid.request(&now.to_string(), r#"[{"event":"open","email":"bob@example.net"}]"#);
    let request = |body: Vec<u8>| {
        let mut request = post();
        for name in [
            "x-twilio-email-event-webhook-timestamp",
            "x-twilio-email-event-webhook-signature",
        ] {
            request = request.header(name, signed.field(name).unwrap());
        }
        request.body(Body::from(body)).unwrap()
    };
    let receiver = Receiver::new(SendGrid::new(&sendgrid.key()).unwrap());
    let (status, _, text) = answer(app(receiver.clone()), request(signed.body().to_vec())).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "sendgrid bob@example.net"));
    let (status, _, text) = answer(app(receiver), request(b"[]".to_vec())).await;
    assert_eq!((status, text.as_str()), (StatusCode::FORBIDDEN, ""));
}

#[tokio::test]
async fn who_is_not_known_is_asked_who_it_is() {
    let receiver = Receiver::new(Postmark::new()).access(Access::basic("u", "p"));
    let (status, headers, _) = answer(app(receiver), post().body(Body::from(DELIVERY)).unwrap()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(headers["www-authenticate"].to_str().unwrap().starts_with("Basic"));
}

#[tokio::test]
async fn of_a_stranger_nothing_is_read() {
    let receiver = Receiver::new(Postmark::new()).access(Access::header("X-Hook", "t"));
    // A body that has no end: whoever reads it never answers.
    let endless = || Body::from_stream(futures_util::stream::pending::<Result<&str, std::io::Error>>());
    let stranger = post().body(endless()).unwrap();
    assert_eq!(
        answer(app(receiver.clone()), stranger).await.0,
        StatusCode::UNAUTHORIZED
    );
    let put = Request::put("/hooks").header("X-Hook", "t").body(endless()).unwrap();
    assert_eq!(answer(app(receiver), put).await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_nested_router_leaves_the_url_as_it_was() {
    let asking = Hooks(Receiver::new(Asking).origin("https://public.example"));
    let never = |_: Webhook<Hooks>| async { "not reached" };
    let inner = Router::new().route("/", any(never)).with_state(State { asking });
    let app = Router::new().nest("/hooks", inner);
    let ping = Request::post("/hooks?a=1").body(Body::from("{}")).unwrap();
    assert_eq!(answer(app, ping).await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_is_too_long_is_not_read_to_its_end() {
    let receiver = Receiver::new(Postmark::new())
        .access(Access::header("X-Hook", "t"))
        .limits(Limits::default().body(10));
    let announced = post().header("X-Hook", "t").body(Body::from(DELIVERY)).unwrap();
    assert_eq!(
        answer(app(receiver.clone()), announced).await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let pieces = futures_util::stream::iter((0..1_000_000).map(|_| Ok::<_, std::io::Error>("12345")));
    let streamed = post().header("X-Hook", "t").body(Body::from_stream(pieces)).unwrap();
    assert_eq!(
        answer(app(receiver.clone()), streamed).await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let broken = futures_util::stream::iter([Ok("1"), Err(std::io::Error::other("reset"))]);
    let broken = post().header("X-Hook", "t").body(Body::from_stream(broken)).unwrap();
    assert_eq!(answer(app(receiver), broken).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_cannot_be_read_is_a_bad_request() {
    let receiver = Receiver::new(Postmark::new()).access(Access::header("X-Hook", "t"));
    let request = post().header("X-Hook", "t").body(Body::from("{")).unwrap();
    assert_eq!(answer(app(receiver.clone()), request).await.0, StatusCode::BAD_REQUEST);
    let get = Request::get("/hooks").body(Body::empty()).unwrap();
    assert_eq!(answer(app(receiver), get).await.0, StatusCode::METHOD_NOT_ALLOWED);
}

/// A provider that asks first, and signs the URL.
#[derive(Debug)]
struct Asking;

impl Provider for Asking {
    fn name(&self) -> &'static str {
        "asking"
    }

    fn probe(&self, request: &posthaste_events::webhook::Request) -> Option<Control> {
        (request.method() == "OPTIONS").then(|| Control::Reply {
            headers: vec![("WebHook-Allowed-Origin", "asking.example".to_owned())],
            body: "yes".into(),
        })
    }

    fn verify(&self, request: &posthaste_events::webhook::Request, _now: SystemTime) -> Result<Evidence, VerifyError> {
        match request.url() {
            "https://public.example/hooks?a=1" => Ok(Evidence::signature()),
            _ => Err(VerifyError::WrongSignature),
        }
    }

    fn parse(&self, _verified: &Verified) -> Result<Parsed, ParseError> {
        Ok(Parsed::control(Control::Ping))
    }
}

/// The state of an application with more in it.
#[derive(Clone)]
struct State {
    asking: Hooks,
}

#[derive(Clone)]
struct Hooks(Receiver);

impl AsRef<Receiver> for Hooks {
    fn as_ref(&self) -> &Receiver {
        &self.0
    }
}

impl FromRef<State> for Hooks {
    fn from_ref(state: &State) -> Self {
        state.asking.clone()
    }
}

#[tokio::test]
async fn probes_are_answered_and_urls_are_the_public_ones() {
    let asking = Hooks(Receiver::new(Asking).origin("https://public.example/"));
    let never = |_: Webhook<Hooks>| async { "not reached" };
    let app = Router::new().route("/hooks", any(never)).with_state(State { asking });
    let options = Request::options("/hooks").body(Body::empty()).unwrap();
    let (status, headers, text) = answer(app.clone(), options).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "yes"));
    assert_eq!(headers["webhook-allowed-origin"], "asking.example");
    let ping = Request::post("/hooks?a=1").body(Body::from("{}")).unwrap();
    assert_eq!(answer(app.clone(), ping).await.0, StatusCode::OK);
    let other = Request::post("/hooks?a=2").body(Body::from("{}")).unwrap();
    assert_eq!(answer(app, other).await.0, StatusCode::FORBIDDEN);
}
