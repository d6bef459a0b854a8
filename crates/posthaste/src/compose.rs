//! URLs of several transports: `failover(a b)`.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use posthaste_transport::layers::{CircuitBreaker, Failover, HealthPolicy, Retry, RoundRobin};
use posthaste_transport::{Transport, TransportExt};

use crate::{ConnectError, Registry, RetryPolicy};

/// Deepest nesting: more than anybody means, and less than a stack.
const MAX_DEPTH: usize = 8;

/// The names that stand before a parenthesis.
const NAMES: [&str; 4] = ["failover", "roundrobin", "retry", "breaker"];

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
                "attempts" => {
                    let attempts: Option<NonZeroU32> = value.parse().ok();
                    policy
                        .with_attempts(attempts.ok_or_else(|| wrong(self.name, "`attempts` must be a number from 1"))?)
                }
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

    fn only(&self, members: Vec<Arc<dyn Transport>>) -> Result<Arc<dyn Transport>, ConnectError> {
        <[Arc<dyn Transport>; 1]>::try_from(members)
            .map(|[only]| only)
            .map_err(|_| wrong(self.name, "more than one transport stands in its parenthesis"))
    }

    fn health(&self, policy: HealthPolicy, key: &str, value: &str, others: &str) -> Result<HealthPolicy, ConnectError> {
        Ok(match key {
            "failures" => {
                let failures: Option<NonZeroU32> = value.parse().ok();
                let failures = failures.ok_or_else(|| wrong(self.name, "`failures` must be a number from 1"))?;
                policy.with_failures(failures.get())
            }
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
