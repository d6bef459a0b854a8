//! A resolver that remembers what it was asked.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Answer, LookupError, LookupFuture, RecordType, Resolver, name::normalise};

/// How many questions are kept unless told.
const DEFAULT_KEPT: usize = 512;

/// How much of a name is kept that is no domain name.
const MAX_NAME: usize = 253;

/// Passes questions on to another resolver and keeps them with their answers: the evidence for a verdict.
///
/// `R` may be borrowed or owned: `&dyn Resolver`, `Arc<dyn Resolver>` or a resolver itself. Questions are kept in the
/// order in which their answers came. Of a question that is dropped before its answer came, only the count remains.
///
/// # Examples
///
/// ```
/// use posthaste_dns::{RecordType, Recorder, Resolver, ResolverExt, Zone};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let zone = Zone::parse("example.org. TXT \"v=spf1 -all\"")?;
/// let resolver: &dyn Resolver = &zone;
///
/// let recorder = Recorder::new(resolver);
/// recorder.txt("example.org").await?;
/// recorder.mx("example.org").await.unwrap_err();
///
/// let [text, exchange] = &recorder.into_queries()[..] else { panic!("two questions") };
/// assert_eq!((text.name.as_str(), text.kind), ("example.org", RecordType::Txt));
/// assert!(text.outcome.is_ok() && exchange.outcome.as_ref().is_err_and(|error| error.is_no_data()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Recorder<R> {
    inner: R,
    kept: usize,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    queries: Vec<Query>,
    count: u64,
}

/// Holds one question and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query {
    /// The name that was asked for: lower case, no final dot. What is no domain name is kept as it was, up to 253
    /// characters.
    pub name: String,
    /// The type of record that was asked for.
    pub kind: RecordType,
    /// The answer, or why there was none.
    pub outcome: Result<Answer, LookupError>,
}

impl Query {
    /// Writes down a question and what came of it.
    pub fn new(name: &str, kind: RecordType, outcome: Result<Answer, LookupError>) -> Self {
        Self {
            name: normalise(name).unwrap_or_else(|_| name.chars().take(MAX_NAME).collect()),
            kind,
            outcome,
        }
    }
}

impl<R: Resolver> Recorder<R> {
    /// Records what `resolver` is asked, up to 512 questions.
    pub fn new(resolver: R) -> Self {
        Self {
            inner: resolver,
            kept: DEFAULT_KEPT,
            log: Mutex::default(),
        }
    }

    /// Sets how many questions to keep. Those beyond are answered and counted, and not kept.
    #[must_use]
    pub fn keep(mut self, questions: usize) -> Self {
        self.kept = questions;
        self
    }

    /// Gives the questions kept so far.
    pub fn queries(&self) -> Vec<Query> {
        self.log().queries.clone()
    }

    /// Gives the questions kept, without copying them.
    pub fn into_queries(self) -> Vec<Query> {
        self.log.into_inner().unwrap_or_else(PoisonError::into_inner).queries
    }

    /// Tells how many questions were asked, those not kept included.
    pub fn count(&self) -> u64 {
        self.log().count
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<R: Resolver> Resolver for Recorder<R> {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordType) -> LookupFuture<'a> {
        Box::pin(async move {
            self.log().count += 1;
            let outcome = self.inner.lookup(name, kind).await;
            let mut log = self.log();
            if log.queries.len() < self.kept {
                log.queries.push(Query::new(name, kind, outcome.clone()));
            }
            drop(log);
            outcome
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Negative, Zone};

    fn zone() -> Zone {
        Zone::parse("example.org. 300 TXT a").unwrap()
    }

    #[tokio::test]
    async fn questions_are_kept_in_order_with_what_came_of_them() {
        let zone = zone();
        let recorder = Recorder::new(&zone as &dyn Resolver);
        let found = recorder.lookup("Example.ORG.", RecordType::Txt).await;
        recorder.lookup("nope.example.org", RecordType::A).await.unwrap_err();
        recorder.lookup("a..b", RecordType::A).await.unwrap_err();
        let nothing = Err(LookupError::NxDomain(Negative::default()));
        let expected = [
            Query::new("example.org", RecordType::Txt, found),
            Query::new("nope.example.org", RecordType::A, nothing),
            Query::new("a..b", RecordType::A, Err(LookupError::InvalidName)),
        ];
        assert_eq!(recorder.queries(), expected);
        assert_eq!(recorder.count(), 3);
        assert_eq!(recorder.into_queries(), expected);
        assert_eq!(zone.queries(), 3);
    }

    #[tokio::test]
    async fn only_so_many_are_kept_and_all_are_counted() {
        let recorder = Recorder::new(Arc::new(zone())).keep(2);
        for _ in 0..5 {
            recorder.lookup("example.org", RecordType::Txt).await.unwrap();
        }
        assert_eq!((recorder.queries().len(), recorder.count()), (2, 5));
    }

    #[tokio::test]
    async fn what_is_no_name_is_kept_short() {
        let recorder = Recorder::new(zone());
        recorder.lookup(&"é".repeat(9_999), RecordType::A).await.unwrap_err();
        assert_eq!(recorder.into_queries()[0].name, "é".repeat(253));
    }

    #[derive(Debug)]
    struct Silent;

    impl Resolver for Silent {
        fn lookup<'a>(&'a self, _name: &'a str, _kind: RecordType) -> LookupFuture<'a> {
            Box::pin(std::future::pending())
        }
    }

    #[test]
    fn a_dropped_question_leaves_its_count() {
        let recorder = Recorder::new(Silent);
        let mut lookup = recorder.lookup("example.org", RecordType::A);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(lookup.as_mut().poll(&mut context).is_pending());
        drop(lookup);
        assert_eq!((recorder.count(), recorder.queries().len()), (1, 0));
    }
}
