//! URLs of several transports, and of layers around one: `failover(a b)`, `redirect(a)?to=bob@example.org`.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use posthaste_transport::layers::{
    CircuitBreaker, ConcurrencyLimit, DryRun, Failover, HealthPolicy, Idempotency, MemoryOutcomes, Preview, Redirect,
    Retry, RoundRobin,
};
use posthaste_transport::{Transport, TransportExt};

use crate::{ConnectError, Registry, RetryPolicy};

/// Deepest nesting: more than anybody means, and less than a stack.
const MAX_DEPTH: usize = 8;

/// The names that stand before a parenthesis.
const NAMES: [&str; 10] = [
    "failover",
    "roundrobin",
    "retry",
    "breaker",
    "concurrency",
    "rate",
    "redirect",
    "preview",
    "dryrun",
    "idempotency",
];

/// A text taken apart: `name(member member)?key=value&key=value`.
struct Form<'t> {
    name: &'static str,
    members: Vec<&'t str>,
    keys: Vec<(&'t str, &'t str)>,
}

/// Makes the transport of a text with a parenthesis; `None` if it is none: a URL.
pub(crate) fn compose(
    registry: &Registry,
    text: &str,
    depth: usize,
) -> Option<Result<Arc<dyn Transport>, ConnectError>> {
    let text = text.trim();
    let (name, rest) = text.split_once('(')?;
    let name = NAMES.into_iter().find(|known| *known == name)?;
    Some(Form::read(name, rest).and_then(|form| form.make(registry, depth)))
}

fn wrong(name: &'static str, problem: impl Into<String>) -> ConnectError {
    ConnectError::Form {
        name,
        problem: problem.into(),
    }
}

impl<'t> Form<'t> {
    /// Reads what stands behind the opening parenthesis.
    fn read(name: &'static str, rest: &'t str) -> Result<Self, ConnectError> {
        let mut depth = 1_usize;
        let mut members = Vec::new();
        let mut from = None;
        let mut end = None;
        for (at, character) in rest.char_indices() {
            let ends = match character {
                '(' => {
                    depth += 1;
                    false
                }
                ')' => {
                    depth -= 1;
                    depth == 0
                }
                character => depth == 1 && character.is_whitespace(),
            };
            if ends {
                members.extend(from.take().and_then(|from| rest.get(from..at)));
            } else if from.is_none() && !character.is_whitespace() {
                from = Some(at);
            }
            if depth == 0 {
                end = Some(at + 1);
                break;
            }
        }
        let tail = end
            .and_then(|end| rest.get(end..))
            .ok_or_else(|| wrong(name, "its parenthesis is not closed"))?;
        let keys = match tail.strip_prefix('?') {
            Some(query) => query
                .split('&')
                .map(|pair| pair.split_once('=').ok_or_else(|| wrong(name, "a key has no value")))
                .collect::<Result<Vec<_>, _>>()?,
            None if tail.is_empty() => Vec::new(),
            None => {
                return Err(wrong(
                    name,
                    "something stands behind its parenthesis that is no ?key=value",
                ));
            }
        };
        if members.is_empty() {
            return Err(wrong(name, "nothing stands in its parenthesis"));
        }
        Ok(Self { name, members, keys })
    }

    fn make(self, registry: &Registry, depth: usize) -> Result<Arc<dyn Transport>, ConnectError> {
        if depth >= MAX_DEPTH {
            return Err(wrong(self.name, "it is nested too deeply"));
        }
        let members = self
            .members
            .iter()
            .map(|member| registry.connect_at(member, depth + 1))
            .collect::<Result<Vec<_>, _>>()?;
        match self.name {
            "failover" => self.failover(members),
            "roundrobin" => self.round_robin(members),
            "retry" => self.retry(members),
            "concurrency" => self.concurrency(members),
            "rate" => self.rate(members),
            "redirect" => self.redirect(members),
            "preview" => self.preview(members),
            "dryrun" => self.dry_run(members),
            "idempotency" => self.idempotency(members),
            _ => self.breaker(members),
        }
    }

    fn failover(self, members: Vec<Arc<dyn Transport>>) -> Result<Arc<dyn Transport>, ConnectError> {
        let mut health = HealthPolicy::default();
        let mut timeout = None;
        for (key, value) in &self.keys {
            if *key == "member_timeout" {
                timeout = Some(self.seconds(key, value)?);
            } else {
                health = self.health(health, key, value, "member_timeout")?;
            }
        }
        let failover = Failover::new(members).with_health(health);
        Ok(match timeout {
            Some(timeout) => Arc::new(failover.with_member_timeout(timeout)),
            None => Arc::new(failover),
        })
    }

    fn round_robin(self, members: Vec<Arc<dyn Transport>>) -> Result<Arc<dyn Transport>, ConnectError> {
        let mut health = HealthPolicy::default();
        let mut timeout = None;
        let mut weights = vec![1; members.len()];
        for (key, value) in &self.keys {
            match *key {
                "member_timeout" => timeout = Some(self.seconds(key, value)?),
                "weights" => {
                    let read = value.split(',').map(str::parse).collect::<Result<Vec<u32>, _>>();
                    weights = read
                        .ok()
                        .filter(|read| read.len() == members.len())
                        .ok_or_else(|| wrong(self.name, "`weights` must be a number for each member, as 3,1"))?;
                }
                _ => health = self.health(health, key, value, "member_timeout, weights")?,
            }
        }
        let turns = RoundRobin::weighted(members.into_iter().zip(weights)).with_health(health);
        Ok(match timeout {
            Some(timeout) => Arc::new(turns.with_member_timeout(timeout)),
            None => Arc::new(turns),
        })
    }

    fn retry(self, members: Vec<Arc<dyn Transport>>) -> Result<Arc<dyn Transport>, ConnectError> {
        let mut policy = RetryPolicy::default();
        for (key, value) in &self.keys {
            policy = match *key {
                "attempts" => policy.with_attempts(self.number(key, value)?),
                "base_delay" => policy.with_base_delay(self.seconds(key, value)?),
                "max_delay" => policy.with_max_delay(self.seconds(key, value)?),
                _ => return Err(self.unknown(key, "attempts, base_delay, max_delay")),
            };
        }
        Ok(Arc::new(self.only(members)?.layer(Retry::new(policy))))
    }

    fn breaker(self, members: Vec<Arc<dyn Transport>>) -> Result<Arc<dyn Transport>, ConnectError> {
        let health = self
            .keys
            .iter()
            .try_fold(HealthPolicy::default(), |health, (key, value)| {
                self.health(health, key, value, "")
            })?;
        Ok(Arc::new(self.only(members)?.layer(CircuitBreaker::new(health))))
    }

    fn concurrency(self, members: Vec<Arc<dyn Transport>>) -> Result<Arc<dyn Transport>, ConnectError> {
        let mut sends = None;
        for (key, value) in &self.keys {
            match *key {
                "sends" => sends = Some(self.number(key, value)?),
                _ => return Err(self.unknown(key, "sends")),
            }
        }
        let sends = sends.ok_or_else(|| wrong(self.name, "`sends` is missing"))?;
        Ok(Arc::new(self.only(members)?.layer(ConcurrencyLimit::new(sends))))
    }

    #[cfg(feature = "limit")]
    fn rate(self, members: Vec<Arc<dyn Transport>>) -> Result<Arc<dyn Transport>, ConnectError> {
        use posthaste_limit::{Limit, Limiter};
        use posthaste_transport::layers::RateLimit;

        let mut rate: Option<f64> = None;
        let (mut burst, mut quota) = (None, None);
        for (key, value) in &self.keys {
            match *key {
                "per_second" => {
                    let read = value.parse();
                    rate = Some(read.map_err(|_| wrong(self.name, "`per_second` must be a number"))?);
                }
                "burst" => burst = Some(self.number(key, value)?.get()),
                "per_day" => quota = Some(self.number(key, value)?.get()),
                _ => return Err(self.unknown(key, "per_second, burst, per_day")),
            }
        }
        if rate.is_none() && quota.is_none() {
            return Err(wrong(self.name, "`per_second` or `per_day` is missing"));
        }
        let limit = match rate {
            Some(rate) => Limit::per_second(rate),
            None => Ok(Limit::unlimited()),
        };
        let limit = limit
            .and_then(|limit| burst.map_or(Ok(limit), |burst| limit.burst(burst)))
            .and_then(|limit| quota.map_or(Ok(limit), |quota| limit.per_day(quota)))
            .map_err(|error| wrong(self.name, error.to_string()))?;
        let limit = RateLimit::new(Limiter::new(limit), self.name);
        Ok(Arc::new(self.only(members)?.layer(limit)))
    }

    #[cfg(not(feature = "limit"))]
    fn rate(self, _: Vec<Arc<dyn Transport>>) -> Result<Arc<dyn Transport>, ConnectError> {
        Err(wrong(self.name, "it takes the feature `limit`"))
    }

    fn redirect(self, members: Vec<Arc<dyn Transport>>) -> Result<Arc<dyn Transport>, ConnectError> {
        let (mut to, mut allowed) = (Vec::new(), Vec::new());
        for (key, value) in &self.keys {
            match *key {
                "to" => {
                    let read = value.split(',').map(str::parse).collect::<Result<_, _>>();
                    to = read.map_err(|_| wrong(self.name, "`to` must be addresses with commas between"))?;
                }
                "allow" => {
                    let read = value.split(',').map(str::parse).collect::<Result<_, _>>();
                    allowed = read.map_err(|_| wrong(self.name, "`allow` must be domains with commas between"))?;
                }
                _ => return Err(self.unknown(key, "to, allow")),
            }
        }
        if to.is_empty() {
            return Err(wrong(self.name, "`to` is missing"));
        }
        let redirect = allowed
            .into_iter()
            .fold(Redirect::to(to), Redirect::with_allowed_domain);
        Ok(Arc::new(self.only(members)?.layer(redirect)))
    }

    fn preview(self, members: Vec<Arc<dyn Transport>>) -> Result<Arc<dyn Transport>, ConnectError> {
        let mut folder = None;
        for (key, value) in &self.keys {
            match *key {
                "folder" if !value.is_empty() => folder = Some(*value),
                "folder" => {}
                _ => return Err(self.unknown(key, "folder")),
            }
        }
        let folder = folder.ok_or_else(|| wrong(self.name, "`folder` is missing"))?;
        Ok(Arc::new(self.only(members)?.layer(Preview::new(folder))))
    }

    fn dry_run(self, members: Vec<Arc<dyn Transport>>) -> Result<Arc<dyn Transport>, ConnectError> {
        if let Some((key, _)) = self.keys.first() {
            return Err(self.unknown(key, "none"));
        }
        Ok(Arc::new(self.only(members)?.layer(DryRun::new())))
    }

    fn idempotency(self, members: Vec<Arc<dyn Transport>>) -> Result<Arc<dyn Transport>, ConnectError> {
        let mut outcomes = MemoryOutcomes::new();
        for (key, value) in &self.keys {
            outcomes = match *key {
                "time" => outcomes.with_time(self.seconds(key, value)?),
                "keys" => {
                    let keys = self.number(key, value)?.get();
                    outcomes.with_room(usize::try_from(keys).unwrap_or(usize::MAX))
                }
                _ => return Err(self.unknown(key, "time, keys")),
            };
        }
        Ok(Arc::new(self.only(members)?.layer(Idempotency::new(outcomes))))
    }

    fn number(&self, key: &str, value: &str) -> Result<NonZeroU32, ConnectError> {
        let number = value.parse();
        number.map_err(|_| wrong(self.name, format!("`{key}` must be a number from 1")))
    }

    fn only(&self, members: Vec<Arc<dyn Transport>>) -> Result<Arc<dyn Transport>, ConnectError> {
        <[Arc<dyn Transport>; 1]>::try_from(members)
            .map(|[only]| only)
            .map_err(|_| wrong(self.name, "more than one transport stands in its parenthesis"))
    }

    fn health(&self, policy: HealthPolicy, key: &str, value: &str, others: &str) -> Result<HealthPolicy, ConnectError> {
        Ok(match key {
            "failures" => policy.with_failures(self.number(key, value)?.get()),
            "rest" => policy.with_rest(self.seconds(key, value)?),
            "max_rest" => policy.with_max_rest(self.seconds(key, value)?),
            _ => {
                let between = if others.is_empty() { "" } else { ", " };
                return Err(self.unknown(key, &format!("failures, rest, max_rest{between}{others}")));
            }
        })
    }

    fn seconds(&self, key: &str, value: &str) -> Result<Duration, ConnectError> {
        value
            .parse()
            .map(Duration::from_secs)
            .map_err(|_| wrong(self.name, format!("`{key}` must be a number of seconds")))
    }

    /// A key is one of few words; anything else may be part of a password.
    fn unknown(&self, key: &str, known: &str) -> ConnectError {
        let shown = key.len() <= 20 && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let key = if shown { key } else { "…" };
        wrong(self.name, format!("unknown key `{key}`; known are {known}"))
    }
}

#[cfg(test)]
mod tests {
    use crate::{ConnectError, connect};

    fn name(text: &str) -> String {
        connect(text)
            .map(|transport| transport.info().name().to_owned())
            .unwrap()
    }

    #[test]
    fn forms_are_made_and_nested() {
        assert_eq!(name("failover(memory:// memory://)"), "failover");
        assert_eq!(
            name(" roundrobin( memory://  failover(memory:// memory://) )?weights=3,1 "),
            "roundrobin"
        );
        assert_eq!(
            name("failover(retry(memory://)?attempts=5 memory://)?failures=2&rest=10&member_timeout=5"),
            "failover"
        );
        assert_eq!(name("breaker(memory://)?max_rest=60"), "memory");
        assert_eq!(name("failover(memory://)"), "failover");
        for layer in [
            "concurrency(memory://)?sends=4",
            "redirect(memory://)?to=qa@example.org,dev@example.org&allow=example.org",
            "preview(memory://)?folder=target/mails",
            "dryrun(memory://)",
            "idempotency(memory://)?time=3600&keys=1000",
            "idempotency(failover(dryrun(memory://) memory://))",
        ] {
            let _ = name(layer);
        }
        #[cfg(feature = "limit")]
        for layer in [
            "rate(memory://)?per_second=0.5&burst=3&per_day=200",
            "rate(memory://)?per_day=200",
        ] {
            let _ = name(layer);
        }
    }

    #[tokio::test]
    async fn a_redirect_sends_to_nobody_else() {
        use posthaste_transport::{MemoryTransport, TransportExt};

        let memory = MemoryTransport::new();
        let kept = memory.clone();
        let registry = crate::Registry::standard().with("kept", move |_| Ok(std::sync::Arc::new(kept.clone())));
        let transport = registry.connect("redirect(kept://)?to=qa@example.org").unwrap();
        let message = posthaste_mime::Message::builder()
            .from("ada@example.org".parse().unwrap())
            .to("bob@example.net".parse().unwrap())
            .text("Hi")
            .build()
            .unwrap();
        assert!(transport.send_message(message).await.is_ok());
        let to: Vec<String> = memory.sent()[0].accepted().iter().map(ToString::to_string).collect();
        assert_eq!(to, ["qa@example.org"]);
    }

    #[cfg(feature = "limit")]
    #[test]
    fn what_is_wrong_with_a_rate_is_said() {
        for (text, part) in [
            ("rate(memory://)", "is missing"),
            ("rate(memory://)?burst=3", "is missing"),
            ("rate(memory://)?per_second=-1", "above zero"),
            ("rate(memory://)?per_second=fast", "`per_second`"),
            ("rate(memory://)?per_day=0", "`per_day`"),
        ] {
            let error = connect(text).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_and_no_url_is_repeated() {
        for (text, part) in [
            ("failover()", "nothing stands"),
            ("failover(  )", "nothing stands"),
            ("failover(memory://", "not closed"),
            ("failover(memory:// failover(memory://)", "not closed"),
            ("failover(memory://)x", "behind its parenthesis"),
            ("failover(memory://)?rest", "no value"),
            ("failover(memory://)?rest=soon", "`rest`"),
            ("failover(memory://)?failures=0", "`failures`"),
            ("failover(memory://)?weights=1", "unknown key `weights`"),
            ("failover(memory://)?hunter2=1", "unknown key `…`"),
            ("roundrobin(memory://)?weights=1,2", "`weights`"),
            ("retry(memory:// memory://)", "more than one"),
            ("retry(memory://)?attempts=0", "`attempts`"),
            ("concurrency(memory://)", "`sends` is missing"),
            ("concurrency(memory://)?sends=0", "`sends`"),
            ("redirect(memory://)", "`to` is missing"),
            ("redirect(memory://)?to=hunter2", "`to` must be"),
            ("redirect(memory://)?to=a@b.example&allow=hunter2@", "`allow`"),
            ("preview(memory://)?folder=", "`folder` is missing"),
            ("dryrun(memory://)?x=1", "unknown key `x`"),
            ("idempotency(memory://)?time=soon", "`time`"),
        ] {
            let error = connect(text).map(|_| ()).unwrap_err();
            assert!(matches!(error, ConnectError::Form { .. }), "{text}: {error:?}");
            assert!(error.to_string().contains(part), "{text}: {error}");
            assert!(!format!("{error:?} {error}").contains("hunter2"), "{text}");
        }
        let error = connect("failover(memory:// memory://?x=hunter2)")
            .map(|_| ())
            .unwrap_err();
        assert!(matches!(error, ConnectError::Unexpected { .. }), "{error:?}");
        let deep = format!("{}memory://{}", "failover(".repeat(100_000), ")".repeat(100_000));
        assert!(
            connect(&deep)
                .map(|_| ())
                .unwrap_err()
                .to_string()
                .contains("too deeply")
        );
        assert!(matches!(
            connect("nonsense(memory://)"),
            Err(ConnectError::UnknownScheme { .. } | ConnectError::NoScheme)
        ));
    }
}
