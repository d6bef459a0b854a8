//! Who makes the messages.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What there is to do. One that is dropped undone tells so who waits for it.
type Job = Box<dyn FnOnce() + Send>;

/// Does jobs on so many blocking threads at most, and holds a thread no longer than there are jobs.
///
/// A worker takes one job after the other, so that a core's work stays on it: a thread for each job would have the
/// scheduler place every one anew, and two on one core while another has none.
#[derive(Clone)]
pub(crate) struct Crew {
    size: usize,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    jobs: VecDeque<Job>,
    at_work: usize,
}

impl Crew {
    pub(crate) fn new(size: NonZeroUsize) -> Self {
        Self {
            size: size.get(),
            shared: Arc::default(),
        }
    }

    /// Gives the crew a job. Panics outside of a tokio runtime.
    pub(crate) fn give(&self, job: Job) {
        let one_more = {
            let mut shared = self.shared();
            shared.jobs.push_back(job);
            let one_more = shared.at_work < self.size;
            shared.at_work += usize::from(one_more);
            one_more
        };
        if one_more {
            let worker = Worker {
                crew: self.clone(),
                left: false,
            };
            tokio::task::spawn_blocking(|| worker.work());
        }
    }

    /// Drops what nobody has begun.
    pub(crate) fn dismiss(&self) {
        let jobs = std::mem::take(&mut self.shared().jobs);
        drop(jobs);
    }

    /// No job runs while it is locked.
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the crew, from the job it was called for until there is none left.
struct Worker {
    crew: Crew,
    /// Whether it counts no longer as at work.
    left: bool,
}

impl Worker {
    fn work(mut self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    /// Takes a job, or leaves: under one lock, so that no job comes between.
    fn next(&mut self) -> Option<Job> {
        let mut shared = self.crew.shared();
        let job = shared.jobs.pop_front();
        if job.is_none() {
            shared.at_work -= 1;
            self.left = true;
        }
        job
    }
}

impl Drop for Worker {
    /// A job that panicked, or a runtime that ended, takes the worker with it. What only the last one could have done is
    /// dropped.
    fn drop(&mut self) {
        if self.left {
            return;
        }
        let mut shared = self.crew.shared();
        shared.at_work -= 1;
        let abandoned = if shared.at_work == 0 {
            std::mem::take(&mut shared.jobs)
        } else {
            VecDeque::new()
        };
        drop(shared);
        drop(abandoned);
    }
}
