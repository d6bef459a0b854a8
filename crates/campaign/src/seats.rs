//! How many work at the same time.

use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Lets so many threads work at the same time; others wait for their turn, so that there is always one that can go on.
#[derive(Debug)]
pub(crate) struct Seats {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Seats {
    pub(crate) fn new(seats: NonZeroUsize) -> Self {
        Self {
            free: Mutex::new(seats.get()),
            freed: Condvar::new(),
        }
    }

    /// Waits for a seat, which is free again when it is dropped.
    pub(crate) fn take(&self) -> Seat<'_> {
        let mut free = self
            .freed
            .wait_while(self.free(), |free| *free == 0)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Seat(self)
    }

    /// Nobody panics while it is locked.
    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A seat that is taken.
#[derive(Debug)]
pub(crate) struct Seat<'a>(&'a Seats);

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        *self.0.free() += 1;
        self.0.freed.notify_one();
    }
}
