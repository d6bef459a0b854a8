//! Any transport as a `tower::Service`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::{Outbound, Outcome, SendError, SendOptions, Transport};

/// Makes a [`tower::Service`] of a transport, so that tower's own layers fit around it. Clones share the transport.
///
/// A service is called with an [`Outbound`], or with one and its [`SendOptions`]. It is always ready: transports wait inside
/// the send. Beware of tower's retry and hedge: they do not know [`SendError::retry`].
///
/// # Examples
///
/// ```
/// use posthaste_transport::{MemoryTransport, TowerService};
/// use tower::ServiceBuilder;
///
/// let memory = MemoryTransport::new();
/// let service = ServiceBuilder::new().service(TowerService::new(memory));
/// # let _ = service;
/// ```
#[derive(Debug)]
pub struct TowerService<T: ?Sized> {
    transport: Arc<T>,
}

impl<T: Transport + ?Sized> TowerService<T> {
    /// Wraps a transport.
    #[must_use]
    pub fn new(transport: impl Into<Arc<T>>) -> Self {
        Self {
            transport: transport.into(),
        }
    }

    /// Returns the transport inside.
    #[must_use]
    pub fn get_ref(&self) -> &T {
        &self.transport
    }
}

impl<T: ?Sized> Clone for TowerService<T> {
    fn clone(&self) -> Self {
        Self {
            transport: Arc::clone(&self.transport),
        }
    }
}

/// What a call returns.
type Call = Pin<Box<dyn Future<Output = Result<Outcome, SendError>> + Send>>;

impl<T: Transport + ?Sized> tower::Service<(Outbound, SendOptions)> for TowerService<T> {
    type Response = Outcome;
    type Error = SendError;
    type Future = Call;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (mail, options): (Outbound, SendOptions)) -> Self::Future {
        let transport = Arc::clone(&self.transport);
        Box::pin(async move { transport.send(&mail, &options).await })
    }
}

impl<T: Transport + ?Sized> tower::Service<Outbound> for TowerService<T> {
    type Response = Outcome;
    type Error = SendError;
    type Future = Call;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mail: Outbound) -> Self::Future {
        tower::Service::call(self, (mail, SendOptions::default()))
    }
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt;

    use super::*;
    use crate::MemoryTransport;
    use crate::testing::mail;

    #[tokio::test]
    async fn a_service_sends_with_and_without_options() {
        let memory = MemoryTransport::new();
        let service: TowerService<MemoryTransport> = TowerService::new(memory.clone());
        let tagged = SendOptions::new().with_tag("a").unwrap();
        assert!(
            service
                .clone()
                .oneshot((mail(&["bob@example.net"]), tagged))
                .await
                .is_ok()
        );
        assert!(service.oneshot(mail(&["bob@example.net"])).await.is_ok());
        assert_eq!(memory.sent()[0].options().tags(), ["a"]);
        assert_eq!(memory.sent().len(), 2);
    }

    #[tokio::test]
    async fn any_shared_transport_is_a_service() {
        let shared: Arc<dyn Transport> = Arc::new(MemoryTransport::new());
        let service: TowerService<dyn Transport> = TowerService::new(shared);
        assert_eq!(service.get_ref().info().name(), "memory");
        assert!(service.oneshot(mail(&["bob@example.net"])).await.is_ok());
    }
}
