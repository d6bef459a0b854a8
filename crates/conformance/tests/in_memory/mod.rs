//! A memory transport, alone or in layers, as a subject of the suite.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use posthaste_conformance::{Answer, Received, Subject};
use posthaste_transport::{
    Disposition, ErrorKind, Fate, MemoryTransport, Outbound, Outcome, RecipientOutcome, Refusal, Reply, Scripted,
    SendError, SendFuture, SendOptions, Sleep, Timer, Transport, TransportInfo,
};

/// A memory transport that is told anew before each send how to answer, as a peer that keeps to its answer would.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    memory: MemoryTransport,
    answer: Arc<Mutex<Answer>>,
}

impl Peer {
    pub(crate) fn new(memory: MemoryTransport) -> Self {
        Self {
            memory,
            answer: Arc::new(Mutex::new(Answer::Accept)),
        }
    }

    fn scripted(&self, mail: &Outbound) -> Scripted {
        let fail = |kind, disposition| {
            Scripted::Fail(SendError::new(kind, disposition).with_transport(self.memory.info().name().to_owned()))
        };
        let one = |local_part: &str, refusal: Refusal| {
            let recipients = mail
                .envelope()
                .recipients()
                .iter()
                .map(|recipient| recipient.address().clone());
            let refused = recipients.filter(|address| address.local_part() == local_part);
            Scripted::Refuse(refused.map(|address| (address, refusal.clone())).collect())
        };
        let refusal = |permanent| {
            if permanent {
                Refusal::permanent()
            } else {
                Refusal::transient()
            }
        };
        match *self.answer.lock().unwrap() {
            Answer::Accept => Scripted::Accept,
            Answer::RefuseOne { local_part, permanent } => one(local_part, refusal(permanent)),
            Answer::RefuseAll { permanent } => Scripted::RefuseAll(refusal(permanent)),
            Answer::RefuseMessage { permanent: true } => fail(ErrorKind::Rejected, Disposition::NotAccepted),
            Answer::RefuseMessage { permanent: false } => fail(ErrorKind::Unavailable, Disposition::NotAccepted),
            Answer::Throttle { retry_after } => {
                let error = SendError::from_reply(Reply::new(454, ["4.7.0 too fast"]))
                    .with_transport(self.memory.info().name().to_owned());
                Scripted::Fail(match retry_after {
                    Some(delay) => error.with_retry_after(delay),
                    None => error,
                })
            }
            Answer::Hang => Scripted::Hang(Disposition::NotAccepted),
            Answer::HangAfterMessage => Scripted::Hang(Disposition::Ambiguous),
            Answer::HangUpAfterMessage | Answer::GarbageAfterMessage => Scripted::LoseAnswer,
            _ => fail(ErrorKind::Unavailable, Disposition::NotAccepted),
        }
    }
}

impl Transport for Peer {
    fn info(&self) -> TransportInfo {
        self.memory.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(async move {
            posthaste_transport::plan(mail, options, &self.info())?;
            let lost = match *self.answer.lock().unwrap() {
                Answer::RefuseOneAndHangUp { local_part } => Some(local_part),
                _ => None,
            };
            if let Some(local_part) = lost {
                let fates = mail.envelope().recipients().iter().map(|recipient| {
                    let refused = recipient.address().local_part() == local_part;
                    let fate = if refused {
                        Fate::Refused(Refusal::permanent())
                    } else {
                        Fate::Unknown
                    };
                    RecipientOutcome::new(recipient.address().clone(), fate)
                });
                return Outcome::new(fates).settle(self.info().name().to_owned());
            }
            // A script is one send's; it must not be another's when both run at once, and all are alike here.
            self.memory.answer(self.scripted(mail));
            self.memory.send(mail, options).await
        })
    }
}

/// The peer, and what stands around it.
pub(crate) struct InMemory {
    peer: Peer,
    transport: Arc<dyn Transport>,
}

impl InMemory {
    /// Puts layers around a peer.
    pub(crate) fn layered<T: Transport>(memory: MemoryTransport, layers: impl FnOnce(Peer) -> T) -> Box<dyn Subject> {
        let peer = Peer::new(memory);
        let transport = Arc::new(layers(peer.clone()));
        Box::new(Self { peer, transport })
    }
}

impl Subject for InMemory {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.transport)
    }

    fn can(&self, _: Answer) -> bool {
        true
    }

    fn answer(&self, answer: Answer) {
        *self.peer.answer.lock().unwrap() = answer;
    }

    fn received(&self) -> Vec<Received> {
        let received = self.peer.memory.sent().into_iter().map(|mail| {
            let mail_from = mail.envelope().mail_from().map(ToString::to_string);
            let recipients: Vec<String> = mail.accepted().iter().map(ToString::to_string).collect();
            Received::new(mail_from, recipients, mail.rope().to_bytes().unwrap())
        });
        received.collect()
    }
}

/// Tells real time, and never waits.
#[derive(Debug)]
pub(crate) struct Impatient(pub(crate) posthaste_transport::TokioTimer);

impl Timer for Impatient {
    fn now(&self) -> Duration {
        self.0.now()
    }

    fn sleep(&self, _: Duration) -> Sleep {
        Box::pin(std::future::ready(()))
    }
}
