//! All entries, on all cores.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::StreamExt;
use posthaste_address::{EmailAddress, EnvelopeError, KeyRules, Mailbox};
use tokio::sync::oneshot;

use crate::crew::Crew;
use crate::handed_out::HandedOut;
use crate::seen::Seen;
use crate::working::{Batch, Working};
use crate::{Campaign, Entry, EntryError, Mail};

type Input = Pin<Box<dyn Stream<Item = Result<Entry, Box<dyn std::error::Error + Send + Sync>>> + Send>>;
type Suppressed = Arc<dyn Fn(&EmailAddress) -> bool + Send + Sync>;

/// How many entries a worker takes at a time: what passing them on costs is nothing beside what they cost.
const BATCH: usize = 16;

/// How many entries are read before the task gives way.
const AT_ONCE: u64 = 4096;

/// Configures a run over many entries; made by [`Campaign::run`].
#[must_use]
pub struct RunBuilder {
    campaign: Campaign,
    input: Input,
    workers: Option<NonZeroUsize>,
    in_order: bool,
    start_at: u64,
    suppressed: Option<Suppressed>,
    /// When two addresses count as one; `None` if nobody is remembered.
    duplicates: Option<KeyRules>,
}

impl RunBuilder {
    pub(crate) fn new<S, E>(campaign: Campaign, entries: S) -> Self
    where
        S: Stream<Item = Result<Entry, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self {
            campaign,
            input: Box::pin(entries.map(|entry| entry.map_err(Into::into))),
            workers: None,
            in_order: true,
            start_at: 0,
            suppressed: None,
            duplicates: Some(KeyRules::default()),
        }
    }

    /// Sets how many messages are made at the same time; without it, as many as there are cores.
    pub fn workers(mut self, workers: NonZeroUsize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Sets whether messages come out in the order of the entries (default), or as soon as they are made.
    pub fn in_order(mut self, in_order: bool) -> Self {
        self.in_order = in_order;
        self
    }

    /// Resumes a run: makes nothing for the entries before `position`, counted from 0. They are still read, so that
    /// nobody among them is written to again.
    pub fn start_at(mut self, position: u64) -> Self {
        self.start_at = position;
        self
    }

    /// Leaves out recipients of whom `suppressed` says so. It is asked in the task that polls the run, so it should look
    /// things up in memory.
    pub fn suppress(mut self, suppressed: impl Fn(&EmailAddress) -> bool + Send + Sync + 'static) -> Self {
        self.suppressed = Some(Arc::new(suppressed));
        self
    }

    /// Sets when two addresses count as one; without it, when they differ at most in case.
    pub fn duplicates(mut self, rules: KeyRules) -> Self {
        self.duplicates = Some(rules);
        self
    }

    /// Writes to an address as often as it stands in the entries. Otherwise a run remembers every address (some 32 octets
    /// each), and leaves it out from the second time on.
    pub fn allow_duplicates(mut self) -> Self {
        self.duplicates = None;
        self
    }

    /// Begins the run. It does nothing until it is polled, and no more than is asked for but a few batches ahead.
    ///
    /// Messages are made by the blocking threads of the tokio runtime that polls it; polling it outside of one panics.
    pub fn start(self) -> Run {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let workers = self.workers.unwrap_or_else(cores);
        Run {
            campaign: self.campaign,
            input: Some(self.input),
            suppressed: self.suppressed,
            seen: self.duplicates.map(Seen::new),
            batch: Vec::new(),
            working: Working::new(self.in_order),
            // One at work and one that waits, for each.
            ahead: workers.get().saturating_mul(2),
            crew: Crew::new(workers),
            ready: VecDeque::new(),
            read: 0,
            start_at: self.start_at,
            progress: Progress::default(),
            handed_out: HandedOut::from(self.start_at),
            stopped: Arc::default(),
        }
    }
}

impl fmt::Debug for RunBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunBuilder")
            .field("workers", &self.workers)
            .field("in_order", &self.in_order)
            .field("start_at", &self.start_at)
            .finish_non_exhaustive()
    }
}

/// Says what became of one entry.
#[derive(Debug)]
#[non_exhaustive]
pub struct Item {
    /// Where the entry stands in the source, counted from 0.
    pub position: u64,
    /// The mail, or why there is none.
    pub made: Made,
}

/// What an entry can become.
#[derive(Debug)]
#[non_exhaustive]
pub enum Made {
    /// A message that is ready to be sent.
    Mail(Box<Mail>),
    /// Nothing: all its recipients are suppressed, or got a message of this run already.
    Skipped(Skip),
    /// Nothing, because of an error that concerns this entry alone.
    Failed(EntryError),
}

/// Why an entry gets no message although nothing is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Skip {
    /// For every recipient left there was an entry in this run already, even if no message could be made of it.
    Duplicate,
    /// Every recipient is suppressed.
    Suppressed,
}

/// Counts what became of the entries so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Messages that were handed out.
    pub made: u64,
    /// Entries that failed.
    pub failed: u64,
    /// Recipients left out because there was an entry for them in this run already.
    pub duplicates: u64,
    /// Recipients left out because they are suppressed.
    pub suppressed: u64,
    /// Entries before the position at which the run started.
    pub passed: u64,
}

/// What a worker gets: an entry and who of its recipients is left out, or what has been decided already.
enum Task {
    Make(Box<Entry>, HashSet<EmailAddress>),
    Decided(Made),
}

/// Makes messages while it is polled: a stream of [`Item`]s, one for each entry from the start position on.
///
/// Dropping it stops the workers. [`Run::position`] then says where to resume.
#[must_use]
pub struct Run {
    campaign: Campaign,
    /// `None` when it has ended.
    input: Option<Input>,
    suppressed: Option<Suppressed>,
    /// `None` if duplicates are allowed.
    seen: Option<Seen>,
    batch: Vec<Task>,
    working: Working,
    /// How many batches may be with the workers.
    ahead: usize,
    crew: Crew,
    ready: VecDeque<Item>,
    /// How many entries were read.
    read: u64,
    start_at: u64,
    progress: Progress,
    handed_out: HandedOut,
    stopped: Arc<AtomicBool>,
}

impl Run {
    /// Returns the position up to which every entry was handed out: where to resume.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.handed_out.next()
    }

    /// Counts what became of the entries so far.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Reads entries until the workers have enough to do.
    fn read(&mut self, context: &mut Context<'_>) {
        let until = self.read.saturating_add(AT_ONCE);
        while self.working.len() < self.ahead {
            if self.read >= until {
                // There may be millions to pass over: others of this thread shall have their turn.
                context.waker().wake_by_ref();
                return;
            }
            let Some(input) = &mut self.input else {
                break;
            };
            match input.as_mut().poll_next(context) {
                Poll::Ready(Some(entry)) => self.take(entry),
                Poll::Ready(None) => self.input = None,
                // Who waits for slow input shall not wait for a full batch too.
                Poll::Pending => {
                    self.dispatch();
                    return;
                }
            }
            if self.batch.len() >= BATCH {
                self.dispatch();
            }
        }
        if self.input.is_none() {
            self.dispatch();
        }
    }

    fn take(&mut self, entry: Result<Entry, Box<dyn std::error::Error + Send + Sync>>) {
        let position = self.read;
        self.read += 1;
        let before = self.progress;
        let task = match entry {
            Ok(entry) => self.pick(entry),
            Err(error) => Task::Decided(Made::Failed(EntryError::Input(error))),
        };
        if position < self.start_at {
            // Whom it was for is remembered; what became of it was counted by the run before.
            self.progress = Progress {
                passed: before.passed + 1,
                ..before
            };
        } else {
            self.batch.push(task);
        }
    }

    /// Leaves out the recipients that are suppressed or were written to already.
    fn pick(&mut self, entry: Entry) -> Task {
        let mut left_out = HashSet::new();
        let mut kept = Vec::new();
        let mut why = Skip::Suppressed;
        for address in entry.recipients().map(Mailbox::address) {
            if self.suppressed.as_ref().is_some_and(|suppressed| suppressed(address)) {
                self.progress.suppressed += 1;
                left_out.insert(address.clone());
            } else if self.seen.as_mut().is_some_and(|seen| !seen.insert(address)) {
                self.progress.duplicates += 1;
                why = Skip::Duplicate;
                left_out.insert(address.clone());
            } else {
                kept.push(address);
            }
        }
        if kept.is_empty() {
            return Task::Decided(Made::Skipped(why));
        }
        // Who stands in the entry twice gets the message, once.
        kept.iter().for_each(|address| {
            left_out.remove(*address);
        });
        Task::Make(Box::new(entry), left_out)
    }

    /// Hands the batch to a worker.
    fn dispatch(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let tasks = std::mem::take(&mut self.batch);
        let count = tasks.len() as u64;
        let first = self.read - count;
        let (campaign, stopped) = (self.campaign.clone(), Arc::clone(&self.stopped));
        let (done, made) = oneshot::channel();
        self.crew.give(Box::new(move || {
            let numbered = (first..).zip(tasks);
            let made = numbered.map(|(position, task)| Item {
                position,
                made: make(&campaign, task, &stopped),
            });
            // Nobody waits for it any more if the run was dropped.
            let _ = done.send(made.collect());
        }));
        self.working.push(Batch { first, count, made });
    }
}

fn make(campaign: &Campaign, task: Task, stopped: &AtomicBool) -> Made {
    let (entry, left_out) = match task {
        Task::Decided(made) => return made,
        Task::Make(..) if stopped.load(Ordering::Relaxed) => return Made::Failed(EntryError::Interrupted),
        Task::Make(entry, left_out) => (entry, left_out),
    };
    match campaign.make(&entry) {
        Err(error) => Made::Failed(error),
        Ok((mut outbound, stages)) => {
            if !left_out.is_empty() {
                match outbound.narrowed(|recipient| !left_out.contains(recipient.address())) {
                    Some(narrowed) => outbound = narrowed,
                    None => return Made::Failed(EnvelopeError::NoRecipients.into()),
                }
            }
            Made::Mail(Box::new(Mail {
                outbound,
                options: entry.options,
                stages,
            }))
        }
    }
}

impl Stream for Run {
    type Item = Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Item>> {
        let run = self.get_mut();
        loop {
            if let Some(item) = run.ready.pop_front() {
                match &item.made {
                    Made::Mail(_) => run.progress.made += 1,
                    Made::Failed(_) => run.progress.failed += 1,
                    Made::Skipped(_) => {}
                }
                run.handed_out.add(item.position);
                return Poll::Ready(Some(item));
            }
            run.read(context);
            match run.working.poll_next(context) {
                Poll::Ready(Some(items)) => run.ready.extend(items),
                Poll::Ready(None) if run.input.is_none() => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.crew.dismiss();
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("position", &self.position())
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
