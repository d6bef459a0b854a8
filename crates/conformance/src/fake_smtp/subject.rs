//! A transport that talks to the server, as a subject of the suite.

use std::sync::Arc;

use posthaste_transport::Transport;

use super::FakeSmtp;
use crate::{Answer, Received, Subject};

/// Any transport that talks to a [`FakeSmtp`], as a subject of the suite; made by [`FakeSmtp::with_transport`].
#[derive(Debug)]
pub struct OverSmtp {
    peer: FakeSmtp,
    transport: Arc<dyn Transport>,
}

impl OverSmtp {
    pub(super) fn new(peer: FakeSmtp, transport: Arc<dyn Transport>) -> Self {
        Self { peer, transport }
    }

    /// Returns the server.
    #[must_use]
    pub const fn peer(&self) -> &FakeSmtp {
        &self.peer
    }
}

impl Subject for OverSmtp {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.transport)
    }

    fn can(&self, answer: Answer) -> bool {
        self.peer.can(answer)
    }

    fn answer(&self, answer: Answer) {
        self.peer.answer(answer);
    }

    fn received(&self) -> Vec<Received> {
        self.peer.received()
    }
}
