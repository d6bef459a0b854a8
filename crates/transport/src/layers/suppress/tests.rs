use std::time::SystemTime;

use posthaste_suppression::{Entry, Filter, ListError, ListErrorKind, ListFuture, MemorySuppressionList, Page, Reason};

use super::*;
use crate::testing::mail;
use crate::{MemoryTransport, Scripted, TransportExt};

const BOB: &str = "bob@example.net";
const ZOE: &str = "zoe@example.net";

async fn list(addresses: &[&str]) -> MemorySuppressionList {
    let list = MemorySuppressionList::new();
    let entries: Vec<Entry> = addresses
        .iter()
        .map(|address| Entry::new(address.parse().unwrap(), Reason::Complaint, SystemTime::UNIX_EPOCH))
        .collect();
    list.put(&entries).await.unwrap();
    list
}

#[tokio::test]
async fn who_is_on_the_list_is_left_out_and_keeps_their_place() {
    let memory = MemoryTransport::new();
    let transport = memory.clone().layer(Suppress::new(list(&["BOB@example.net"]).await));
    let outcome = transport.send(&mail(&[BOB, ZOE]), &SendOptions::new()).await.unwrap();
    assert_eq!(memory.sent()[0].accepted().len(), 1);
    let fates: Vec<_> = outcome.recipients().iter().map(|one| one.fate().clone()).collect();
    assert_eq!(
        fates,
        [
            Fate::Refused(Refusal::permanent().with_code("suppressed:complaint")),
            Fate::Accepted
        ]
    );
}

#[tokio::test]
async fn when_everybody_is_nothing_is_sent() {
    let memory = MemoryTransport::new();
    let transport = memory.clone().layer(Suppress::new(list(&[BOB]).await));
    let error = transport.send(&mail(&[BOB]), &SendOptions::new()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Rejected, Disposition::NotAccepted)
    );
    assert_eq!(error.outcome().unwrap().refused().count(), 1);
    assert_eq!(memory.attempts(), 0);
}

#[tokio::test]
async fn only_the_reasons_that_were_asked_for_count() {
    let memory = MemoryTransport::new();
    let suppress = Suppress::new(list(&[BOB]).await).for_reasons(Reasons::all().without(Reason::Complaint));
    let transport = memory.clone().layer(suppress);
    assert!(transport.send(&mail(&[BOB]), &SendOptions::new()).await.is_ok());
}

#[tokio::test]
async fn what_is_lost_after_it_stays_unknown_and_who_was_left_out_stays_refused() {
    let memory = MemoryTransport::new();
    let outcome = Outcome::new([RecipientOutcome::unknown(ZOE.parse().unwrap())]);
    memory.answer(Scripted::Fail(SendError::from_outcome(ErrorKind::Unavailable, outcome)));
    let transport = memory.clone().layer(Suppress::new(list(&[BOB]).await));
    let error = transport
        .send(&mail(&[BOB, ZOE]), &SendOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.disposition(), Disposition::Partial);
    assert_eq!(error.outcome().unwrap().refused().count(), 1);
}

/// A list whose store is down.
#[derive(Debug)]
struct Down;

fn down<'a, T>() -> ListFuture<'a, T> {
    Box::pin(async { Err(ListError::new(ListErrorKind::Unavailable, "reading")) })
}

impl SuppressionList for Down {
    fn find<'a>(&'a self, _: &'a Lookup<'a>) -> ListFuture<'a, Vec<Option<Entry>>> {
        down()
    }

    fn put<'a>(&'a self, _: &'a [Entry]) -> ListFuture<'a, ()> {
        down()
    }

    fn remove<'a>(&'a self, _: &'a [EmailAddress], _: &'a Scope, _: Reasons) -> ListFuture<'a, u64> {
        down()
    }

    fn list<'a>(&'a self, _: &'a Filter) -> ListFuture<'a, Page> {
        down()
    }

    fn remove_expired(&self, _: SystemTime) -> ListFuture<'_, u64> {
        down()
    }
}

#[tokio::test]
async fn while_the_list_is_down_the_caller_decides() {
    let memory = MemoryTransport::new();
    let closed = memory.clone().layer(Suppress::new(Down));
    let error = closed.send(&mail(&[BOB]), &SendOptions::new()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Unavailable, Disposition::NotAccepted)
    );
    let open = memory.clone().layer(Suppress::new(Down).send_if_unknown(true));
    assert!(open.send(&mail(&[BOB]), &SendOptions::new()).await.is_ok());
}
