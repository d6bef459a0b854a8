//! Connections: how many there may be, and how they end.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::Server;
use super::conversation::Conversation;
use super::visitors::Visit;

/// How long accepting pauses after it failed, as it does when the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A server that listens.
pub struct BoundServer {
    listener: TcpListener,
    local: SocketAddr,
    server: Server,
}

impl BoundServer {
    pub(super) fn new(listener: TcpListener, server: Server) -> io::Result<Self> {
        let local = listener.local_addr()?;
        Ok(Self {
            listener,
            local,
            server,
        })
    }

    /// Returns the address that the server listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Serves until `shutdown` is done, then finishes the transactions that were begun and closes what waits.
    ///
    /// Dropping the future ends every conversation at once; a message that was not acknowledged is then sent again by its
    /// client.
    pub async fn serve_until(self, shutdown: impl Future<Output = ()>) {
        let (stop, stopped) = watch::channel(false);
        let limits = &self.server.shared.settings.limits;
        let mut sessions = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(_) = sessions.join_next(), if !sessions.is_empty() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let shared = &self.server.shared;
                        // Whom a proxy speaks for is not known yet.
                        let visit = if shared.settings.trusts_proxy(peer.ip()) {
                            Some(None)
                        } else {
                            shared.visitors.admit(peer.ip(), limits.connections_per_ip).map(Some)
                        };
                        match visit {
                            Some(visit) if sessions.len() < limits.connections => {
                                sessions.spawn(serve(self.server.clone(), stream, peer, stopped.clone(), visit));
                            }
                            _ => self.turn_away(&stream),
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "accepting a connection failed");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.listener);
        // Nobody listens if there is no session.
        let _ = stop.send(true);
        let finish = async { while sessions.join_next().await.is_some() {} };
        if timeout(limits.grace, finish).await.is_err() {
            tracing::warn!(sessions = sessions.len(), "sessions were cut off");
        }
        sessions.shutdown().await;
    }

    /// Says that there are too many connections, if that can be said without waiting.
    fn turn_away(&self, stream: &TcpStream) {
        if !self.server.shared.settings.implicit_tls {
            // A client that cannot even take this sees the connection closed, which says the same.
            let _ = stream.try_write(b"421 4.3.2 too many connections\r\n");
        }
    }
}

async fn serve(
    server: Server,
    stream: TcpStream,
    peer: SocketAddr,
    stopped: watch::Receiver<bool>,
    visit: Option<Visit>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection broke before it began");
        return;
    }
    let conversation = Conversation::new(server.shared, Some(peer), stopped).counted(visit);
    Box::new(conversation).run(Box::new(stream)).await;
}

impl fmt::Debug for BoundServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundServer")
            .field("local", &self.local)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
