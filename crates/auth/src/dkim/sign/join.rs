//! Waiting for several things at once, without spawning anything.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Something that is waited for.
pub(super) type Pending<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

enum Slot<'a, T, E> {
    Waiting(Pending<'a, T, E>),
    Ready(T),
}

/// Waits until all are there, in their order; the first error ends the waiting and drops the others.
pub(super) async fn try_join<T, E>(futures: Vec<Pending<'_, T, E>>) -> Result<Vec<T>, E> {
    let mut slots: Vec<Slot<'_, T, E>> = futures.into_iter().map(Slot::Waiting).collect();
    poll_fn(|context| {
        let mut is_ready = true;
        for slot in &mut slots {
            let Slot::Waiting(future) = slot else { continue };
            match future.as_mut().poll(context) {
                Poll::Ready(Ok(value)) => *slot = Slot::Ready(value),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => is_ready = false,
            }
        }
        if is_ready { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await?;
    let ready = slots.into_iter().filter_map(|slot| match slot {
        Slot::Ready(value) => Some(value),
        Slot::Waiting(_) => None,
    });
    Ok(ready.collect())
}
