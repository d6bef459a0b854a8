//! What the workers have.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::StreamExt;
use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use tokio::sync::oneshot;

use crate::EntryError;
use crate::run::{Item, Made};

/// Batches that are with the workers.
pub(crate) enum Working {
    Ordered(FuturesOrdered<Batch>),
    Unordered(FuturesUnordered<Batch>),
}

impl Working {
    pub(crate) fn new(in_order: bool) -> Self {
        if in_order {
            Self::Ordered(FuturesOrdered::new())
        } else {
            Self::Unordered(FuturesUnordered::new())
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Ordered(batches) => batches.len(),
            Self::Unordered(batches) => batches.len(),
        }
    }

    pub(crate) fn push(&mut self, batch: Batch) {
        match self {
            Self::Ordered(batches) => batches.push_back(batch),
            Self::Unordered(batches) => batches.push(batch),
        }
    }

    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Vec<Item>>> {
        match self {
            Self::Ordered(batches) => batches.poll_next_unpin(context),
            Self::Unordered(batches) => batches.poll_next_unpin(context),
        }
    }
}

/// Entries in a row that a worker has.
pub(crate) struct Batch {
    pub(crate) first: u64,
    pub(crate) count: u64,
    pub(crate) made: oneshot::Receiver<Vec<Item>>,
}

impl Future for Batch {
    type Output = Vec<Item>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<Item>> {
        Pin::new(&mut self.made).poll(context).map(|made| {
            let lost = |position| Item {
                position,
                made: Made::Failed(EntryError::Interrupted),
            };
            // What a worker could not finish is said to be unmade, never left out.
            made.unwrap_or_else(|_| (self.first..self.first + self.count).map(lost).collect())
        })
    }
}
