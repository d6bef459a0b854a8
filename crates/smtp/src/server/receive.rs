//! A message's way in, by DATA or BDAT, and to the handler.

use posthaste_address::Envelope;

use super::Verdict;
use super::content::{Chunks, Content, Decoder, Pulse, Settled};
use super::conversation::{Conversation, Next, undecided};
use super::header::HeaderWatch;
use super::rates::Payer;
use super::talk::{Ended, Talk};
use super::transaction::Transaction;
use crate::protocol::{ChunkDecoder, DataDecoder};

impl Conversation {
    pub(super) async fn data(&mut self, talk: &mut Talk) -> Result<Next, Ended> {
        if talk.has_input() {
            // DATA is the last command of a group (RFC 2920 §3.1): what follows it now was sent by somebody who does not
            // read replies. It may be a message, and must not be taken for commands.
            return Ok(Next::Close(Verdict::refuse(503, (5, 0), "wait for the reply to DATA")));
        }
        if let Err(refusal) = self.ready_for_content() {
            return Ok(Next::Reply(refusal));
        }
        talk.say_plain(354, "end with a dot on a line of its own");
        let limits = &self.shared.settings.limits;
        // The handler may take its time before it reads.
        talk.flush(limits.idle).await?;
        let decoder = Decoder::Data(DataDecoder::new(limits.message_size, limits.text_line));
        self.receive(talk, decoder).await
    }

    pub(super) async fn bdat(&mut self, talk: &mut Talk, length: u64, last: bool) -> Result<Next, Ended> {
        let limits = &self.shared.settings.limits;
        if length > u64::try_from(limits.message_size).unwrap_or(u64::MAX) {
            // Reading so much only to throw it away would serve nobody.
            return Ok(Next::Close(Verdict::refuse(552, (3, 4), "message too big")));
        }
        let mut decoder = ChunkDecoder::new(limits.message_size, limits.text_line);
        decoder.begin(length);
        // The octets are read even if they are refused: otherwise they would be taken for commands.
        if let Err(refusal) = self.ready_for_content() {
            while decoder.left() > 0 {
                let input = talk.input(limits.content).await?;
                let used = decoder.advance(input, |_| ());
                talk.consume(used);
            }
            return Ok(Next::Reply(refusal));
        }
        let chunks = Chunks {
            decoder,
            last,
            patience: limits.idle_commands,
            told: false,
        };
        self.receive(talk, Decoder::Bdat(chunks)).await
    }

    /// Lets the handler read the message and decide.
    async fn receive(&mut self, talk: &mut Talk, decoder: Decoder) -> Result<Next, Ended> {
        let Some(Transaction { mail, recipients }) = self.transaction.take() else {
            return Ok(Next::Silent);
        };
        let Ok(mut envelope) = Envelope::new(mail.path.clone(), recipients) else {
            return Ok(Next::Reply(Verdict::refuse(554, (5, 1), "no valid recipients")));
        };
        if let Some(id) = mail.envelope_id.clone() {
            envelope = envelope.with_envelope_id(id);
        }
        if let Some(content) = mail.return_content {
            envelope = envelope.with_return_content(content);
        }
        let envelope = envelope.with_require_tls(mail.require_tls);
        let limits = &self.shared.settings.limits;
        if self.is_slow {
            // Who was told of none of the messages before for so long would send them again.
            talk.flush(limits.idle).await?;
        }
        let pulse = Pulse::default();
        let header = HeaderWatch::new(self.session.identity(), limits.hops);
        let memory = &self.shared.memory;
        let toll = self.shared.meters.octets.as_ref().zip(Payer::of(&self.session));
        let mut content = Content::new(talk, decoder, header, &mail, limits, &pulse, memory, toll);
        let handler = &self.shared.handler;
        let count = envelope.recipients().len();
        let mut verdicts = if self.session.lmtp {
            let work = handler.deliver(&self.session, &envelope, &mut content);
            pulse.watch(limits.handler, work).await.unwrap_or_default()
        } else {
            let work = handler.content(&self.session, &envelope, &mut content);
            let verdict = pulse.watch(limits.handler, work).await;
            vec![verdict.unwrap_or_else(undecided)]
        };
        self.is_slow |= pulse.stood_still();
        if self.session.lmtp {
            verdicts.resize_with(count, undecided);
        }
        let accepted = verdicts.iter().any(Verdict::is_accept);
        let said = |verdict: Verdict| vec![verdict; if self.session.lmtp { count } else { 1 }];
        let next = match content.settle(accepted).await? {
            Settled::Handler => verdicts,
            Settled::Instead(verdict) => said(verdict),
            Settled::Command(verdict) if verdict.closes() => return Ok(Next::Close(verdict)),
            Settled::Command(verdict) => return Ok(Next::Reply(verdict)),
        };
        if next.iter().any(Verdict::is_accept) {
            self.delivered();
        }
        Ok(Next::Replies(next))
    }

    /// Checks that there is a sender and a recipient.
    fn ready_for_content(&self) -> Result<(), Verdict> {
        match &self.transaction {
            None => Err(Verdict::refuse(503, (5, 1), "say MAIL and RCPT first")),
            // RFC 2033 §4.2 wants another code than everybody uses.
            Some(transaction) if transaction.recipients.is_empty() => Err(Verdict::refuse(
                if self.session.lmtp { 503 } else { 554 },
                (5, 1),
                "no valid recipients",
            )),
            Some(_) => Ok(()),
        }
    }
}
