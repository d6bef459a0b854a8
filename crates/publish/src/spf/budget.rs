//! What a record costs.

use std::{fmt, future::Future, pin::Pin};

use posthaste_address::Domain;
use posthaste_dns::{RecordType, Resolver};

use super::{
    Builder, MAX_DEPTH, MAX_EXCHANGERS, MAX_LOOKUPS, MAX_VOID_LOOKUPS, MOST_FOLLOWED, Mechanism, Problem, Term,
    effective, found, published,
};

/// Counts the DNS lookups that a record and all it leads to can cost a check, against the ten that are allowed (RFC 7208
/// §4.6.4).
///
/// It counts the dearest check: one in which nothing matches before the end. Its `Display` shows the terms, one a line,
/// each with what it and those below it cost.
///
/// # Examples
///
/// ```
/// use posthaste_dns::Zone;
/// use posthaste_publish::spf::{Budget, Builder};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let zone = Zone::parse("spf.example.net. TXT \"v=spf1 mx a -all\"\n")?;
/// let record = Builder::new().include("spf.example.net").include("gone.example.net");
/// let budget = Budget::of(&record, &"example.org".parse()?, &zone).await;
///
/// assert_eq!((budget.lookups(), budget.limit(), budget.void_lookups()), (4, 10, 3));
/// assert_eq!(budget.costs()[0].lookups(), 3);
/// assert!(budget.costs()[3].problem().is_some());
/// assert!(!budget.is_within());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    domain: String,
    costs: Vec<Cost>,
    cut: bool,
}

/// What one term costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    domain: String,
    term: String,
    depth: usize,
    parent: Option<usize>,
    lookups: usize,
    void4: usize,
    void6: usize,
    problem: Option<Problem>,
}

impl Cost {
    /// Gives the term as it is written.
    pub fn term(&self) -> &str {
        &self.term
    }

    /// Gives the domain in whose record it stands.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Tells how many records lead to that one: 0 for the record that was asked about.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Counts the lookups of this term and of those that it leads to.
    pub fn lookups(&self) -> usize {
        self.lookups
    }

    /// Counts those of them that find nothing, for clients of the address family that fares worse.
    pub fn void_lookups(&self) -> usize {
        self.void4.max(self.void6)
    }

    /// Gives what keeps the term from being evaluated, or from being counted.
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }
}

impl Budget {
    /// Counts what `record` costs, published at `domain`.
    ///
    /// Names with macros in them cannot be looked up without a message; such a term counts as one lookup that finds
    /// something. Lookups that fail count as well, and are the [`Cost::problem`].
    pub async fn of(record: &Builder, domain: &Domain, resolver: &dyn Resolver) -> Self {
        let mut walk = Walk {
            resolver,
            costs: Vec::new(),
            followed: 0,
            cut: false,
            path: vec![domain.as_str().to_owned()],
        };
        walk.record(record, domain.as_str().to_owned(), None).await;
        // Terms come before those that they lead to.
        for index in (0..walk.costs.len()).rev() {
            let Some(cost) = walk.costs.get(index) else { continue };
            let (lookups, void4, void6) = (cost.lookups, cost.void4, cost.void6);
            if let Some(parent) = cost.parent.and_then(|parent| walk.costs.get_mut(parent)) {
                parent.lookups += lookups;
                parent.void4 += void4;
                parent.void6 += void6;
            }
        }
        Self {
            domain: domain.as_str().to_owned(),
            costs: walk.costs,
            cut: walk.cut,
        }
    }

    /// Counts all lookups.
    pub fn lookups(&self) -> usize {
        self.own().map(|cost| cost.lookups).sum()
    }

    /// Counts the lookups that find nothing, for clients of the address family that fares worse.
    pub fn void_lookups(&self) -> usize {
        let void4: usize = self.own().map(|cost| cost.void4).sum();
        let void6: usize = self.own().map(|cost| cost.void6).sum();
        void4.max(void6)
    }

    /// Tells how many lookups are allowed.
    pub fn limit(&self) -> usize {
        MAX_LOOKUPS
    }

    /// Tells how many lookups may find nothing.
    pub fn void_limit(&self) -> usize {
        MAX_VOID_LOOKUPS
    }

    /// Tells whether both counts are within what is allowed.
    pub fn is_within(&self) -> bool {
        self.lookups() <= self.limit() && self.void_lookups() <= self.void_limit()
    }

    /// Tells whether counting was given up, because the records lead on for too long.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Gives the terms that cost something, in the order of a check; those of records that a term leads to follow it.
    pub fn costs(&self) -> &[Cost] {
        &self.costs
    }

    fn own(&self) -> impl Iterator<Item = &Cost> {
        self.costs.iter().filter(|cost| cost.parent.is_none())
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} of {} lookups, {} of {} void",
            self.domain,
            self.lookups(),
            self.limit(),
            self.void_lookups(),
            self.void_limit()
        )?;
        for cost in &self.costs {
            write!(
                f,
                "{:>4}  {:indent$}{}",
                cost.lookups,
                "",
                cost.term,
                indent = 2 * cost.depth
            )?;
            if cost.void_lookups() > 0 {
                write!(f, " ({} void)", cost.void_lookups())?;
            }
            match &cost.problem {
                Some(problem) => writeln!(f, ": {problem}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

struct Walk<'a> {
    resolver: &'a dyn Resolver,
    costs: Vec<Cost>,
    followed: usize,
    cut: bool,
    /// The domains whose records lead to the current one, that one last.
    path: Vec<String>,
}

impl Walk<'_> {
    /// Goes no deeper than [`MAX_DEPTH`], and through no more than [`MOST_FOLLOWED`] terms.
    fn record<'w>(
        &'w mut self,
        record: &'w Builder,
        domain: String,
        parent: Option<usize>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'w>> {
        Box::pin(async move {
            for term in effective(record).filter(|term| term.asks_dns()) {
                if self.followed >= MOST_FOLLOWED {
                    self.cut = true;
                    return;
                }
                self.followed += 1;
                let index = self.costs.len();
                self.costs.push(Cost {
                    domain: domain.clone(),
                    term: term.to_string(),
                    depth: self.path.len() - 1,
                    parent,
                    lookups: 1,
                    void4: 0,
                    void6: 0,
                    problem: None,
                });
                let outcome = self.term(term, &domain, index).await;
                if let Some(cost) = self.costs.get_mut(index) {
                    match outcome {
                        Ok((void4, void6)) => (cost.void4, cost.void6) = (usize::from(void4), usize::from(void6)),
                        Err(problem) => cost.problem = Some(problem),
                    }
                }
            }
        })
    }

    /// Looks at one term: whether its own question finds nothing for an IPv4 client, and for an IPv6 client.
    async fn term(&mut self, term: &Term, domain: &str, index: usize) -> Result<(bool, bool), Problem> {
        let (Term::Redirect(target) | Term::Directive(_, Mechanism::Include(target))) = term else {
            let Some(mechanism) = term.mechanism() else {
                return Ok((false, false));
            };
            return self.mechanism(mechanism, domain).await;
        };
        if target.contains('%') {
            return Ok((false, false));
        }
        let target = target.strip_suffix('.').unwrap_or(target).to_ascii_lowercase();
        if self.path.contains(&target) || self.path.len() >= MAX_DEPTH {
            return Err(Problem::Lookups);
        }
        let Some((record, _)) = published(&target, self.resolver).await? else {
            if let Some(cost) = self.costs.get_mut(index) {
                cost.void4 = 1;
                cost.void6 = 1;
            }
            return Err(Problem::NoRecord { domain: target });
        };
        self.path.push(target.clone());
        self.record(&record, target, Some(index)).await;
        self.path.pop();
        Ok((false, false))
    }

    async fn mechanism(&self, mechanism: &Mechanism, domain: &str) -> Result<(bool, bool), Problem> {
        let target = match mechanism {
            Mechanism::A { domain, .. } | Mechanism::Mx { domain, .. } => domain.as_deref(),
            Mechanism::Exists(name) => Some(name.as_str()),
            // What a client's address is called is not known here.
            _ => return Ok((false, false)),
        };
        let target = target.unwrap_or(domain);
        if target.contains('%') {
            return Ok((false, false));
        }
        let ask = async |kind| found(target, self.resolver.lookup(target, kind).await);
        match mechanism {
            Mechanism::A { .. } => {
                let v4 = ask(RecordType::A).await?;
                let v6 = ask(RecordType::Aaaa).await?;
                Ok((v4.is_none(), v6.is_none()))
            }
            Mechanism::Mx { .. } => {
                let answer = ask(RecordType::Mx).await?;
                if answer
                    .as_ref()
                    .is_some_and(|answer| answer.mx().count() > MAX_EXCHANGERS)
                {
                    return Err(Problem::Exchangers {
                        domain: target.to_owned(),
                    });
                }
                Ok((answer.is_none(), answer.is_none()))
            }
            _ => {
                let answer = ask(RecordType::A).await?;
                Ok((answer.is_none(), answer.is_none()))
            }
        }
    }
}
