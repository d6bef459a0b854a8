//! Each promise, broken on purpose.

use posthaste_conformance::{cases, run_cases};
use posthaste_mime::Rope;
use posthaste_transport::{
    Disposition, ErrorKind, MemoryTransport, OnUnsupported, Outbound, Outcome, SendError, SendFuture, SendOptions,
    Transport, TransportInfo,
};

use crate::in_memory::{InMemory, Peer};

/// What to do wrong with what is sent and what is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    CallsLostSafe,
    CallsLostAccepted,
    RepeatsWhatWasLost,
    HidesRefusals,
    MixesTheOrder,
    ForgetsTheOutcome,
    DropsWishes,
    ChangesBytes,
    IgnoresTheEnvelope,
    IgnoresTheDeadline,
    ShowsContent,
    ForgetsItsName,
    SendsWhatItGot,
    BlamesThePeer,
}

#[derive(Debug)]
struct Liar {
    inner: Peer,
    lie: Lie,
}

impl Liar {
    async fn answer(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        let result = self.inner.send(&self.twisted(mail), &self.options(options)).await;
        match (self.lie, result) {
            (Lie::CallsLostSafe, Err(error)) => {
                Err(SendError::new(error.kind(), Disposition::NotAccepted).with_transport(error.transport().to_owned()))
            }
            (Lie::CallsLostAccepted, Err(error)) if error.disposition() == Disposition::Ambiguous => {
                Ok(Outcome::accept_all(mail))
            }
            (Lie::RepeatsWhatWasLost, Err(error)) if error.disposition() == Disposition::Ambiguous => {
                self.inner.send(mail, options).await
            }
            (Lie::HidesRefusals, Ok(_)) => Ok(Outcome::accept_all(mail)),
            (Lie::MixesTheOrder, Ok(outcome)) => {
                Ok(Outcome::new(outcome.recipients().iter().rev().cloned())
                    .with_message_id(outcome.message_id().unwrap()))
            }
            (Lie::ForgetsTheOutcome, Err(error)) => {
                Err(SendError::new(error.kind(), error.disposition()).with_transport(error.transport().to_owned()))
            }
            (Lie::ShowsContent, Err(error)) => {
                let content = String::from_utf8_lossy(&mail.rope().to_bytes().unwrap()).into_owned();
                Err(error.with_source(std::io::Error::other(content)))
            }
            (Lie::ForgetsItsName, Err(error)) => Err(error.with_transport("")),
            (Lie::BlamesThePeer, Err(error)) => {
                Err(SendError::new(ErrorKind::Unavailable, error.disposition()).with_transport("memory"))
            }
            (_, result) => result,
        }
    }

    fn twisted(&self, mail: &Outbound) -> Outbound {
        match (self.lie, mail.message()) {
            (Lie::ChangesBytes, _) => {
                let text = mail.rope().to_bytes().unwrap().to_vec();
                let lines: Vec<u8> = text
                    .split_inclusive(|byte| *byte == b'\n')
                    .flat_map(|line| line.strip_prefix(b".").unwrap_or(line))
                    .copied()
                    .collect();
                Outbound::raw(mail.envelope().clone(), Rope::from(lines))
            }
            (Lie::SendsWhatItGot, _) => {
                let read = mail.rope().chunks().map_while(Result::ok).collect();
                Outbound::raw(mail.envelope().clone(), read)
            }
            (Lie::IgnoresTheEnvelope, Some(message)) => Outbound::new(message.clone()).unwrap(),
            _ => mail.clone(),
        }
    }

    fn options(&self, options: &SendOptions) -> SendOptions {
        match self.lie {
            Lie::DropsWishes => {
                let deadline = options.deadline();
                let bare = SendOptions::new().with_on_unsupported(OnUnsupported::Degrade);
                deadline.map_or(bare.clone(), |deadline| bare.with_deadline(deadline))
            }
            Lie::IgnoresTheDeadline => SendOptions::new(),
            _ => options.clone(),
        }
    }
}

impl Transport for Liar {
    fn info(&self) -> TransportInfo {
        self.inner.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(async move {
            let answer = self.answer(mail, options);
            if self.lie != Lie::IgnoresTheDeadline {
                return answer.await;
            }
            // Late, but not so late that the test takes a minute: the kind is what gives it away.
            let limit = options.deadline().unwrap_or(std::time::Duration::from_secs(5));
            match tokio::time::timeout(limit, answer).await {
                Ok(result) => result,
                Err(_) => Err(SendError::new(ErrorKind::Unknown, Disposition::NotAccepted).with_transport("memory")),
            }
        })
    }
}

/// Runs the case on a transport that lies, and on one that does not.
fn catches(case: &str, lie: Lie, info: Option<&TransportInfo>) {
    let picked = || cases().iter().filter(move |known| known.name() == case);
    assert_eq!(picked().count(), 1, "there is no case {case}");
    let memory = || match info {
        Some(info) => MemoryTransport::new().with_info(info.clone()),
        None => MemoryTransport::new(),
    };
    let honest = run_cases(picked(), || InMemory::layered(memory(), |peer| peer), &mut Vec::new());
    assert_eq!(
        (honest.passed(), honest.failed()),
        (1, 0),
        "{case} fails an honest transport"
    );
    let mut out = Vec::new();
    let lying = run_cases(
        picked(),
        || InMemory::layered(memory(), |inner| Liar { inner, lie }),
        &mut out,
    );
    assert_eq!(
        lying.failed(),
        1,
        "{case} does not catch {lie:?}: {}",
        String::from_utf8_lossy(&out)
    );
}

#[test]
fn a_lost_answer_called_safe_is_caught() {
    catches(
        "a_hang_up_after_the_final_dot_is_ambiguous_and_never_safe_to_retry",
        Lie::CallsLostSafe,
        None,
    );
    catches(
        "garbage_in_answer_to_a_whole_message_is_ambiguous",
        Lie::CallsLostSafe,
        None,
    );
    catches(
        "a_hang_after_the_final_dot_ends_by_the_deadline_and_is_ambiguous",
        Lie::CallsLostSafe,
        None,
    );
    catches(
        "a_lost_answer_leaves_the_refused_recipients_certain",
        Lie::CallsLostSafe,
        None,
    );
}

#[test]
fn a_lost_answer_called_success_is_caught() {
    catches(
        "a_hang_up_after_the_final_dot_is_ambiguous_and_never_safe_to_retry",
        Lie::CallsLostAccepted,
        None,
    );
}

#[test]
fn a_repeat_that_nobody_asked_for_is_caught() {
    catches(
        "a_hang_up_after_the_final_dot_is_ambiguous_and_never_safe_to_retry",
        Lie::RepeatsWhatWasLost,
        None,
    );
}

#[test]
fn a_hidden_refusal_is_caught() {
    catches(
        "one_refused_recipient_is_neither_success_nor_failure_of_the_whole",
        Lie::HidesRefusals,
        None,
    );
    catches(
        "a_recipient_refused_for_now_is_told_from_one_refused_for_good",
        Lie::HidesRefusals,
        None,
    );
}

#[test]
fn fates_in_another_order_are_caught() {
    catches(
        "each_recipient_has_a_fate_in_the_order_of_the_envelope",
        Lie::MixesTheOrder,
        None,
    );
}

#[test]
fn a_forgotten_outcome_is_caught() {
    catches(
        "when_all_are_refused_nothing_was_accepted_and_each_fate_is_known",
        Lie::ForgetsTheOutcome,
        None,
    );
}

#[test]
fn a_dropped_wish_is_caught() {
    let plain = TransportInfo::new("plain", posthaste_transport::Capabilities::wire());
    for case in [
        "an_unsupported_tag_is_an_error_before_any_io",
        "every_unsupported_wish_is_named_at_once",
        "a_schedule_is_never_dropped",
    ] {
        catches(case, Lie::DropsWishes, Some(&plain));
    }
}

#[test]
fn changed_bytes_are_caught() {
    catches("lines_that_begin_with_dots_arrive_as_they_are", Lie::ChangesBytes, None);
    catches(
        "dots_at_the_edges_of_chunks_arrive_as_they_are",
        Lie::ChangesBytes,
        None,
    );
}

#[test]
fn what_was_streamed_and_changed_is_caught() {
    catches("a_streamed_attachment_arrives_as_its_bytes", Lie::ChangesBytes, None);
}

#[test]
fn half_a_message_that_counts_as_sent_is_caught() {
    for case in [
        "a_source_that_fails_half_way_is_never_reported_as_accepted_and_the_peer_has_no_message",
        "a_source_that_ends_early_is_never_reported_as_accepted_and_the_peer_has_no_message",
        "a_source_that_gives_other_bytes_than_before_is_never_reported_as_accepted",
    ] {
        catches(case, Lie::SendsWhatItGot, None);
        catches(case, Lie::BlamesThePeer, None);
    }
}

#[test]
fn an_ignored_envelope_is_caught() {
    catches(
        "an_envelope_that_differs_from_the_headers_wins",
        Lie::IgnoresTheEnvelope,
        None,
    );
    catches("a_null_sender_stays_null", Lie::IgnoresTheEnvelope, None);
}

#[test]
fn an_ignored_deadline_is_caught() {
    catches(
        "a_hang_ends_by_the_deadline_with_nothing_accepted",
        Lie::IgnoresTheDeadline,
        None,
    );
}

#[test]
fn content_in_an_error_is_caught() {
    catches("no_error_shows_the_message_or_the_options", Lie::ShowsContent, None);
}

#[test]
fn an_error_without_a_name_is_caught() {
    catches("an_error_names_its_transport", Lie::ForgetsItsName, None);
}
