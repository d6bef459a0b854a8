//! MAIL and RCPT: who sends, and to whom.

use posthaste_address::{EmailAddress, Recipient};

use super::Verdict;
use super::conversation::Conversation;
use super::rates::Payer;
use crate::protocol::{Body, ForwardPath, Mail, Rcpt};

/// What was said since MAIL.
pub(super) struct Transaction {
    pub(super) mail: Mail,
    pub(super) recipients: Vec<Recipient>,
}

impl Conversation {
    pub(super) async fn mail(&mut self, mail: Mail) -> Verdict {
        let settings = &self.shared.settings;
        if self.session.helo.is_none() {
            return Verdict::refuse(503, (5, 1), "say EHLO first");
        }
        if self.transaction.is_some() {
            return Verdict::refuse(503, (5, 1), "a sender was named already");
        }
        if settings.require_tls && !self.session.is_secure() {
            return Verdict::refuse(530, (7, 0), "say STARTTLS first");
        }
        if settings.require_auth && self.session.identity.is_none() {
            return Verdict::refuse(530, (7, 0), "log in first");
        }
        let notification = mail.return_content.is_some() || mail.envelope_id.is_some();
        let offers_require_tls = settings.require_tls_extension && self.session.is_secure();
        if (notification && !settings.dsn) || (mail.require_tls && !offers_require_tls) {
            return unrecognised();
        }
        if mail.body == Some(Body::BinaryMime) {
            return Verdict::refuse(501, (5, 4), "BINARYMIME is not offered");
        }
        let size_limit = u64::try_from(settings.limits.message_size).unwrap_or(u64::MAX);
        if mail.size.is_some_and(|size| size > size_limit) {
            return Verdict::refuse(552, (3, 4), "message too big");
        }
        if settings.limits.messages.is_some_and(|most| self.messages >= most) {
            return Verdict::goodbye((7, 0), "enough messages for one connection");
        }
        if let Some(refusal) = self.refuse_sender(mail.path.as_ref()) {
            return refusal;
        }
        if let (Some(meter), Some(payer)) = (&self.shared.meters.messages, Payer::of(&self.session))
            && !meter.admits(&payer)
        {
            return Verdict::defer(450, (7, 1), "too many messages, try again later");
        }
        let verdict = self.decide(self.shared.handler.mail(&self.session, &mail)).await;
        if verdict.is_accept() {
            self.messages = self.messages.saturating_add(1);
            self.transaction = Some(Transaction {
                mail,
                recipients: Vec::new(),
            });
        }
        verdict
    }

    /// Refuses a sender that is not the client's.
    fn refuse_sender(&self, sender: Option<&EmailAddress>) -> Option<Verdict> {
        let identity = self.session.identity.as_ref()?;
        let theirs = sender.is_none_or(|sender| identity.may_send_as(sender));
        (!theirs).then(|| Verdict::refuse(553, (7, 1), "not your address"))
    }

    pub(super) async fn rcpt(&mut self, rcpt: Rcpt) -> Verdict {
        let settings = &self.shared.settings;
        let Some(transaction) = &self.transaction else {
            return Verdict::refuse(503, (5, 1), "say MAIL first");
        };
        if rcpt.non_ascii && !transaction.mail.smtputf8 {
            return Verdict::refuse(553, (6, 7), "address needs SMTPUTF8");
        }
        if (rcpt.notify.is_some() || rcpt.original_recipient.is_some()) && !settings.dsn {
            return unrecognised();
        }
        if transaction.recipients.len() >= settings.limits.recipients {
            return Verdict::defer(452, (5, 3), "too many recipients");
        }
        let address = match rcpt.path {
            ForwardPath::Address(address) => address,
            ForwardPath::Postmaster => match format!("postmaster@{}", self.shared.hostname).parse() {
                Ok(address) => address,
                Err(_) => return Verdict::refuse(550, (1, 1), "no postmaster here"),
            },
        };
        if !self.may_relay() && !self.is_local(&address) {
            return Verdict::relay_denied();
        }
        if let (Some(meter), Some(payer)) = (&self.shared.meters.recipients, Payer::of(&self.session))
            && !meter.admits(&payer)
        {
            return Verdict::defer(450, (7, 1), "too many recipients, try again later");
        }
        let mut recipient = Recipient::from(address);
        if let Some(notify) = rcpt.notify {
            recipient = recipient.with_notify(notify);
        }
        if let Some(original) = rcpt.original_recipient {
            recipient = recipient.with_original_recipient(original);
        }
        let verdict = self.decide(self.shared.handler.rcpt(&self.session, &recipient)).await;
        if verdict.is_accept()
            && let Some(transaction) = &mut self.transaction
        {
            transaction.recipients.push(recipient);
        }
        verdict
    }

    fn is_local(&self, address: &EmailAddress) -> bool {
        match &self.shared.settings.local_domains {
            Some(domains) => domains.contains(address.domain()) || *address.domain() == self.shared.hostname,
            None => true,
        }
    }

    /// Whether the client may send to any domain.
    fn may_relay(&self) -> bool {
        let networks = &self.shared.settings.relay_for;
        self.session.identity.is_some()
            || (!networks.is_empty()
                && self
                    .session
                    .peer_ip()
                    .is_some_and(|ip| networks.iter().any(|network| network.contains(ip))))
    }
}

fn unrecognised() -> Verdict {
    Verdict::refuse(555, (5, 4), "parameter not recognised")
}
