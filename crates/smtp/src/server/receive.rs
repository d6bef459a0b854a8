//! A message's way in, by DATA or BDAT, and to the handler.

use bytes::{Buf, Bytes, BytesMut};
use posthaste_address::{AddressList, Envelope};

use super::conversation::{Conversation, Next, Transaction};
use super::talk::{Ended, Talk};
use super::{Identity, Incoming, Verdict};
use crate::protocol::{ContentFault, DataReader, check_lines, count_received};

/// What came by BDAT so far (RFC 3030).
#[derive(Default)]
pub(super) struct Chunks {
    content: BytesMut,
}

impl Conversation {
    pub(super) async fn data(&mut self, talk: &mut Talk) -> Result<Next, Ended> {
        if let Err(refusal) = self.ready_for_content() {
            return Ok(Next::Reply(refusal));
        }
        if self
            .transaction
            .as_ref()
            .is_some_and(|transaction| transaction.chunks.is_some())
        {
            return Ok(Next::Reply(Verdict::refuse(
                503,
                (5, 1),
                "the message was begun with BDAT",
            )));
        }
        if talk.has_input() {
            // DATA is the last command of a group (RFC 2920 §3.1): what follows it now was sent by somebody who does not
            // read replies.
            return Ok(Next::Close(Verdict::refuse(503, (5, 0), "wait for the reply to DATA")));
        }
        talk.say_plain(354, "end with a dot on a line of its own");
        let limits = self.limits();
        let mut reader = DataReader::new(limits.message_size, limits.text_line);
        while !reader.is_done() {
            let input = talk.input().await?;
            let used = reader.advance(input);
            input.advance(used);
        }
        let Some(transaction) = self.transaction.take() else {
            return Ok(Next::Silent);
        };
        Ok(match reader.finish() {
            Ok(content) => Next::Reply(self.hand_over(transaction, content).await),
            Err(fault) => refuse(fault),
        })
    }

    pub(super) async fn bdat(&mut self, talk: &mut Talk, length: u64, last: bool) -> Result<Next, Ended> {
        let limits = self.limits();
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > limits.message_size {
            // Reading so much only to throw it away would serve nobody.
            return Ok(Next::Close(Verdict::refuse(552, (3, 4), "message too big")));
        }
        // The octets are read even if they are refused: otherwise they would be taken for commands.
        if let Err(refusal) = self.ready_for_content() {
            take(talk, length, None).await?;
            return Ok(Next::Reply(refusal));
        }
        let Some(mut transaction) = self.transaction.take() else {
            return Ok(Next::Silent);
        };
        let mut chunks = transaction.chunks.take().unwrap_or_default();
        if chunks.content.len() + length > limits.message_size {
            take(talk, length, None).await?;
            return Ok(Next::Reply(Verdict::refuse(552, (3, 4), "message too big")));
        }
        take(talk, length, Some(&mut chunks.content)).await?;
        if !last {
            transaction.chunks = Some(chunks);
            self.transaction = Some(transaction);
            return Ok(Next::Reply(Verdict::accept_with(format!("{length} octets"))));
        }
        Ok(match check_lines(&chunks.content, limits.text_line) {
            Ok(()) => Next::Reply(self.hand_over(transaction, chunks.content.freeze()).await),
            Err(fault) => refuse(fault),
        })
    }

    /// Checks what is true of every message, and lets the handler decide.
    async fn hand_over(&mut self, transaction: Transaction, content: Bytes) -> Verdict {
        if count_received(&content) >= self.shared.settings.limits.hops {
            return Verdict::refuse(554, (4, 6), "routing loop");
        }
        let bound = self.session.identity.as_ref().filter(|identity| identity.is_bound());
        if bound.is_some_and(|identity| !wrote(identity, &content)) {
            return Verdict::refuse(550, (7, 1), "the message's From is not your address");
        }
        let Transaction { mail, recipients, .. } = transaction;
        let Ok(mut envelope) = Envelope::new(mail.path, recipients) else {
            return Verdict::refuse(554, (5, 1), "no valid recipients");
        };
        if let Some(id) = mail.envelope_id {
            envelope = envelope.with_envelope_id(id);
        }
        if let Some(content) = mail.return_content {
            envelope = envelope.with_return_content(content);
        }
        let envelope = envelope.with_require_tls(mail.require_tls);
        let incoming = Incoming {
            session: self.session.clone(),
            envelope,
            content,
            smtputf8: mail.smtputf8,
        };
        let verdict = self.decide(self.shared.handler.data(&self.session, incoming)).await;
        if verdict.is_accept() {
            self.delivered();
        }
        verdict
    }

    /// Checks that there is a sender and a recipient.
    fn ready_for_content(&self) -> Result<(), Verdict> {
        match &self.transaction {
            None => Err(Verdict::refuse(503, (5, 1), "say MAIL and RCPT first")),
            Some(transaction) if transaction.recipients.is_empty() => {
                Err(Verdict::refuse(554, (5, 1), "no valid recipients"))
            }
            Some(_) => Ok(()),
        }
    }
}

/// Reads `length` octets, into `room` or nowhere.
async fn take(talk: &mut Talk, length: usize, mut room: Option<&mut BytesMut>) -> Result<(), Ended> {
    let mut left = length;
    while left > 0 {
        let input = talk.input().await?;
        let piece = input.split_to(left.min(input.len()));
        left -= piece.len();
        if let Some(room) = &mut room {
            room.extend_from_slice(&piece);
        }
    }
    Ok(())
}

/// Tells of a fault. One that smells of smuggling ends the session: what follows it may be meant for another server's
/// eyes.
fn refuse(fault: ContentFault) -> Next {
    match fault {
        ContentFault::BareLineEnd => Next::Close(Verdict::refuse(554, (6, 0), "bare CR or LF in the message")),
        ContentFault::TooBig => Next::Reply(Verdict::refuse(552, (3, 4), "message too big")),
        fault => Next::Reply(Verdict::refuse(554, (6, 0), fault.to_string())),
    }
}

/// Whether every author that the message's one `From` field names is `identity`'s.
fn wrote(identity: &Identity, content: &[u8]) -> bool {
    let mut fields = from_fields(content).into_iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return false;
    };
    let Ok(authors) = String::from_utf8(field).unwrap_or_default().parse::<AddressList>() else {
        return false;
    };
    let mut authors = authors.mailboxes().peekable();
    authors.peek().is_some() && authors.all(|author| identity.may_send_as(author.address()))
}

/// Collects the values of all `From` fields, unfolded.
fn from_fields(content: &[u8]) -> Vec<Vec<u8>> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    let mut inside = false;
    for line in content.split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if matches!(line.first(), Some(b' ' | b'\t')) {
            if let (true, Some(field)) = (inside, fields.last_mut()) {
                field.extend_from_slice(line);
            }
            continue;
        }
        let mut parts = line.splitn(2, |&byte| byte == b':');
        let name = parts.next().unwrap_or_default().trim_ascii_end();
        inside = name.eq_ignore_ascii_case(b"from");
        if inside {
            fields.push(parts.next().unwrap_or_default().to_vec());
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binds_authors() {
        let identity = Identity::new("a").with_domain("a.example".parse().unwrap());
        let check = |content: &str| wrote(&identity, content.as_bytes());
        assert!(check(
            "Subject: x\r\nFrom: Ada <ada@a.example>\r\n\r\nFrom: x@b.example\r\n"
        ));
        assert!(check("FROM : ada@a.example,\r\n bob@a.example\r\n\r\n"));
        for content in [
            "Subject: none\r\n\r\n",
            "From: ceo@b.example\r\n\r\n",
            "From: ada@a.example\r\nFrom: ceo@b.example\r\n\r\n",
            "From: ada@a.example,\r\n ceo@b.example\r\n\r\n",
            "From: \r\n\r\n",
            "From: \"ada@a.example\" <ceo@b.example>\r\n\r\n",
        ] {
            assert!(!check(content), "{content:?}");
        }
    }
}
