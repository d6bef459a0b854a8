//! What servers say, and what they mean by it.

use super::{Codes, Phase, Reason};

/// Words that mean a reason. A text fits if all words of one of the lines stand in it, in that order.
type Phrases = (Reason, &'static [&'static [&'static str]]);

/// What is said so clearly that nothing else counts; the first that fits decides.
const CLEAR: &[Phrases] = &[
    (
        Reason::Network,
        &[
            &["host not found, try again"],
            &["temporary lookup failure"],
            &["temporary failure in name resolution"],
        ],
    ),
    (
        Reason::NoMail,
        &[
            &["null mx"],
            &["doesn't receive email"],
            &["does not accept mail"],
            &["domain", "not accept", "email"],
            &["system not accepting network messages"],
            &["smtp protocol returned a permanent error", "does not accept"],
        ],
    ),
    (
        Reason::Authentication,
        &[
            &["dmarc"],
            &["spf record"],
            &["spf check"],
            &["spf fail"],
            &["spf:", "fail"],
            &["dkim", "fail"],
            &["unauthenticated email"],
            &["unauthenticated mail"],
            &["multiple authentication checks failed"],
            &["not allowed to send from", "spf"],
            &["authentication checks failed"],
            &["sender id", "fail"],
            &["does not designate", "permitted sender"],
        ],
    ),
    (
        Reason::NoReverseName,
        &[
            &["reverse dns"],
            &["rdns"],
            &["ptr record"],
            &["dns ptr"],
            &["ptr resource record"],
            &["no ptr"],
            &["reverse lookup"],
            &["reverse host name"],
            &["reverse hostname"],
            &["cannot find your reverse"],
            &["cannot find your hostname"],
            &["client host rejected: cannot find"],
            &["mismatches client ip"],
            &["not have a valid ptr"],
            &["fix reverse"],
            &["resolve your ip"],
            &["has no dns name"],
        ],
    ),
    (
        Reason::Reputation,
        &[
            &["low reputation"],
            &["poor reputation"],
            &["bad reputation"],
            &["ip reputation"],
            &["domain reputation"],
            &["senderscore"],
            &["sender score"],
        ],
    ),
    (
        Reason::Virus,
        &[
            &["virus detected"],
            &["virus found"],
            &["virus infected"],
            &["contains", "virus"],
            &["because of a virus"],
            &["rejected", "virus"],
            &["blocked", "virus"],
            &["malware"],
            &["infected"],
            &["trojan"],
            &["mcspamsignature"],
        ],
    ),
    (
        Reason::RateLimited,
        &[
            &["frequency limited"],
            &["rate limit"],
            &["too many connections"],
            &["too many concurrent"],
            &["too many recipients"],
            &["too many messages"],
            &["too many emails"],
            &["connection rate"],
            &["sending rate"],
            &["message rate"],
            &["receiving mail at a rate"],
            &["receiving mail too quickly"],
            &["throttl"],
            &["exceeded", "per hour"],
            &["exceeded", "per day"],
            &["unexpected volume"],
            &["maximum number of connections"],
            &["too many", "this hour"],
            &["too many", "sessions"],
            &["try again later", "too many"],
            &["daily", "limit", "exceeded"],
        ],
    ),
    (
        Reason::MailboxFull,
        &[
            &["mailbox full"],
            &["mailbox is full"],
            &["mailfolder is full"],
            &["mail box is full"],
            &["inbox is full"],
            &["mailbox for user is full"],
            &["mailbox", "over quota"],
            &["over quota"],
            &["overquota"],
            &["quota exceeded"],
            &["exceeded quota"],
            &["exceeds quota"],
            &["quota violation"],
            &["quota full"],
            &["quota limit"],
            &["exceeded", "storage"],
            &["storage", "exceeded"],
            &["out of storage"],
            &["mailbox exceeds"],
            &["mailbox exceeded"],
            &["mailbox size limit"],
            &["mailbox has exceeded"],
            &["recipient's mailbox exceeded"],
            &["insufficient disk"],
            &["not enough space"],
            &["no space left", "mailbox"],
            &["account is over"],
            &["account is full"],
            &["user is over"],
            &["disk quota"],
            &["too much mail data"],
            &["exceeds allowed size"],
            &["full mailbox"],
            &["exceeding the amount of space"],
        ],
    ),
    (
        Reason::TooLarge,
        &[
            &["message too big"],
            &["message too large"],
            &["message is too large"],
            &["message is too big"],
            &["message size exceeds"],
            &["message length exceeds"],
            &["size exceeds"],
            &["exceeds", "message size"],
            &["exceeds", "maximum size"],
            &["exceeds size limit"],
            &["mail size limit exceeded"],
            &["message file too big"],
            &["max message size"],
            &["maximum message size"],
            &["size limit exceeded"],
            &["line limit exceeded"],
            &["larger than", "limit"],
            &["too large for"],
        ],
    ),
    (
        Reason::Malformed,
        &[
            &["not rfc 5322 compliant"],
            &["rfc 5322 compliant"],
            &["rfc 2822 compliant"],
            &["not rfc compliant"],
            &["violates rfc"],
            &["multiple addresses in from"],
            &["multiple", "in from: header"],
            &["duplicate header"],
            &["bare lf"],
            &["bare linefeed"],
            &["bare newline"],
            &["missing", "header", "rfc"],
        ],
    ),
    (
        Reason::Content,
        &[
            &["headers too large"],
            &["header size"],
            &["media error"],
            &["attachment", "not allowed"],
            &["attachment", "blocked"],
            &["attachment", "prohibited"],
            &["file type", "not allowed"],
            &["improper use of 8-bit data"],
            &["header error"],
            &["executable"],
        ],
    ),
    (
        Reason::Tls,
        &[
            &["starttls", "fail"],
            &["tls", "required"],
            &["starttls", "first"],
            &["tls negotiation"],
            &["tls handshake"],
            &["must issue a starttls"],
            &["cannot start tls"],
            &["starttls"],
        ],
    ),
    (
        Reason::RelayDenied,
        &[
            &["relay access denied"],
            &["relaying denied"],
            &["relay denied"],
            &["relay not permitted"],
            &["relaying not allowed"],
            &["relay not allowed"],
            &["relaying is not allowed"],
            &["unable to relay"],
            &["not configured to relay"],
            &["cannot relay"],
            &["relaying prohibited"],
            &["we do not relay"],
            &["insecure mail relay"],
            &["isn't in my list of allowed rcpthosts"],
            &["is not a valid domain", "relay"],
            &["not permitted to relay"],
            &["no relaying"],
            &["relaying mail"],
        ],
    ),
    (
        Reason::Moved,
        &[
            &["no longer on server"],
            &["has moved to"],
            &["has been moved"],
            &["mailbox has moved"],
            &["user not local; please try"],
            &["has changed", "address"],
        ],
    ),
    (
        Reason::Filtered,
        &[
            &["recipient preferences"],
            &["message filtered"],
            &["group", "may not exist", "permission to post"],
            &["by a filter"],
            &["blocked by user"],
            &["user's filter"],
            &["recipient", "has blocked"],
            &["recipient", "refuses"],
        ],
    ),
    (
        Reason::Spam,
        &[
            &["spam", "signature"],
            &["- spam"],
            &["spam message"],
            &["scored as spam"],
            &["spam score"],
            &["considered spam"],
            &["spam content"],
            &["content", "spam"],
            &["classified as spam"],
            &["identified as spam"],
            &["detected as spam"],
            &["looks like spam"],
            &["appears to be spam"],
            &["spam detected"],
            &["spam classification"],
            &["spam-like"],
            &["is spam"],
            &["rejected", "spam"],
            &["suspected spam"],
            &["message content rejected"],
            &["unsolicited"],
            &["junk mail"],
            &[", ube,"],
            &["blocked for spam"],
            &["anti-spam"],
            &["antispam"],
        ],
    ),
    (
        Reason::Blocked,
        &[
            &["blocked using"],
            &["client host rejected"],
            &["blacklist"],
            &["block list"],
            &["blocklist"],
            &["spamhaus"],
            &["spamcop"],
            &["barracuda", "block"],
            &["dnsbl"],
            &["rbl"],
            &["sbl"],
            &["is listed"],
            &["been listed"],
            &["are listed"],
            &["currently listed"],
            &["listed at"],
            &["banned sending ip"],
            &["banned ip"],
            &["ip address", "blocked"],
            &["ip", "has been blocked"],
            &["ip", "is blocked"],
            &["invalid ip for sending"],
            &["your ip"],
            &["ip address", "rejected"],
            &["my name was rejected"],
            &["helo command rejected"],
            &["ehlo", "rejected"],
            &["access from", "denied"],
            &["connection refused by", "policy"],
            &["not accepting connections"],
            &["connection dropped"],
            &["host network not allowed"],
            &["no smtp service"],
            &["does not like", "your server"],
            &["temporarily deferred due to", "complaints"],
            &["temporarily deferred"],
            &["please use", "smtp"],
            &["email is redundant"],
            &["e-mail is redundant"],
            &["aup#"],
        ],
    ),
    (
        Reason::SenderRefused,
        &[
            &["sender address rejected"],
            &["sender rejected"],
            &["sender refused"],
            &["sender denied"],
            &["domain of sender address"],
            &["sender domain", "not exist"],
            &["sender verify failed"],
            &["sender address", "invalid"],
            &["sender", "not allowed"],
            &["unroutable sender"],
            &["from address", "rejected"],
            &["sender unknown"],
            &["envelope sender"],
            &["does not accept bounces"],
            &["mailfrom", "rejected"],
            &["not authorized to send"],
            &["not permitted to send"],
            &["sender is not"],
        ],
    ),
    (
        Reason::Disabled,
        &[
            &["mailbox disabled"],
            &["account disabled"],
            &["account has been disabled"],
            &["account is disabled"],
            &["account has been suspended"],
            &["account is suspended"],
            &["account suspended"],
            &["account inactive"],
            &["account is inactive"],
            &["account that you tried to reach is inactive"],
            &["account that you tried to reach is disabled"],
            &["mailbox is inactive"],
            &["inactive mailbox"],
            &["inactive user"],
            &["inactive account"],
            &["account is blocked"],
            &["account is locked"],
            &["account", "locked"],
            &["mailbox locked"],
            &["mailbox is disabled"],
            &["mailbox currently suspended"],
            &["user disabled"],
            &["user is disabled"],
            &["disabled recipient"],
            &["disabled user"],
            &["suspended account"],
            &["mailbox unavailable or access denied"],
            &["not accepting messages"],
            &["deactivated"],
            &["user suspended"],
        ],
    ),
    (
        Reason::NoDomain,
        &[
            &["host unknown"],
            &["unknown host"],
            &["domain does not exist"],
            &["domain doesn't exist"],
            &["no such domain"],
            &["unknown domain"],
            &["invalid domain"],
            &["nonexistent domain"],
            &["non-existent domain"],
            &["bad destination system"],
            &["bad destination host"],
            &["domain name not found"],
            &["domain not found"],
            &["host or domain name not found"],
            &["host not found"],
            &["illegal host/domain"],
            &["couldn't find any host"],
            &["unrouteable mail domain"],
            &["unrouteable domain"],
            &["unroutable domain"],
            &["no mail hosts for domain"],
            &["domain is not reachable"],
            &["domain must exist"],
            &["name or service not known"],
            &["dns error", "nxdomain"],
            &["responded with code nxdomain"],
            &["recipient domain", "not exist"],
            &["no mx or a records"],
            &["no valid hosts"],
        ],
    ),
    (
        Reason::Program,
        &[
            &["procmail"],
            &["maildrop"],
            &["pipe to |"],
            &["child process", "fail"],
            &["local delivery failed"],
            &["command failed"],
            &["command died"],
            &["mailer error"],
            &["x-unix; "],
            &["exit status"],
            &["returned error code"],
        ],
    ),
    (
        Reason::Expired,
        &[
            &["retry timeout exceeded"],
            &["retry time not reached"],
            &["envelope expired"],
            &["message expired"],
            &["in the queue too long"],
            &["in queue too long"],
            &["queue too long"],
            &["delivery time expired"],
            &["seconds. giving up"],
            &["i've given up trying"],
            &["message will be retried"],
            &["has been delayed"],
            &["failing for a long time"],
            &["could not be delivered for"],
            &["connection timed out"],
            &["operation timed out"],
            &["connect timed out"],
            &[": timed out"],
            &["timed out"],
            &["did not accept our requests to connect"],
            &["could not deliver for the last"],
            &["host not reachable"],
            &["delivery expired"],
            &["resources temporarily unavailable"],
            &["too old"],
            &["unable to deliver message after multiple retries"],
        ],
    ),
    (
        Reason::Network,
        &[
            &["connection refused"],
            &["connection reset"],
            &["connection lost"],
            &["lost connection"],
            &["network is unreachable"],
            &["network unreachable"],
            &["no route to host"],
            &["unable to establish an smtp connection"],
            &["establish an smtp connection"],
            &["name service error"],
            &["dns error"],
            &["lookup failure"],
            &["name server: host name lookup"],
            &["routing loop"],
            &["mail loop"],
            &["too many hops"],
            &["loops back to myself"],
            &["loop detected"],
            &["hop count exceeded"],
            &["mail forwarding loop"],
            &["connection closed"],
            &["could not connect"],
            &["couldn't connect"],
        ],
    ),
    (
        Reason::NoMailbox,
        &[
            &["user unknown"],
            &["unknown user"],
            &["user not found"],
            &["no such user"],
            &["no such recipient"],
            &["no such mailbox"],
            &["no such account"],
            &["no such address"],
            &["no such person"],
            &["no such local user"],
            &["no mailbox here"],
            &["no mailbox by that name"],
            &["no mailbox found"],
            &["mailbox not found"],
            &["mailbox does not exist"],
            &["mailbox unavailable"],
            &["mailbox unknown"],
            &["mailbox not available"],
            &["mailbox doesn't exist"],
            &["unknown mailbox"],
            &["unknown recipient"],
            &["recipient unknown"],
            &["recipient not found"],
            &["recipnotfound"],
            &["recipientnotfound"],
            &["recipient name is not recognized"],
            &["recipient does not exist"],
            &["recipient invalid"],
            &["recipient no longer"],
            &["unknown address"],
            &["unknown account"],
            &["unknown local part"],
            &["unknown or illegal alias"],
            &["unknown alias"],
            &["invalid recipient"],
            &["invalid mailbox"],
            &["invalid user"],
            &["invalid address"],
            &["invalid final delivery userid"],
            &["address unknown"],
            &["address invalid"],
            &["address does not exist"],
            &["address rejected", "not exist"],
            &["address not found"],
            &["address couldn't be found"],
            &["address no longer"],
            &["account does not exist"],
            &["account that you tried to reach does not exist"],
            &["account not found"],
            &["account not available"],
            &["user does not exist"],
            &["user doesn't exist"],
            &["user doesn't have"],
            &["user is unknown"],
            &["user not known"],
            &["user invalid"],
            &["user unavailable"],
            &["not a known user"],
            &["not a valid user"],
            &["not a valid mailbox"],
            &["not a valid recipient"],
            &["not a valid address"],
            &["isn't a valid"],
            &["does not have an account"],
            &["doesn't have an account"],
            &["not listed in"],
            &["not our customer"],
            &["is not known here"],
            &["doesn't exist here"],
            &["does not exist here"],
            &["undeliverable address"],
            &["unrouteable address"],
            &["unroutable address"],
            &["recipient address rejected: access denied"],
            &["bad destination mailbox address"],
            &["destinataire invalide"],
            &["destinataire inconnu"],
            &["utilisateur inconnu"],
            &["benutzer unbekannt"],
            &["usuario desconocido"],
            &["mailbox has been removed"],
            &["no longer valid"],
            &["no longer in use"],
            &["person at this address"],
            &["nobody by that name"],
            &["there is no one"],
            &["unknown or invalid"],
        ],
    ),
    (
        Reason::System,
        &[
            &["service unavailable"],
            &["service currently unavailable"],
            &["service temporarily unavailable"],
            &["temporary failure"],
            &["temporarily unavailable"],
            &["temporary local problem"],
            &["local problem"],
            &["transaction failed"],
            &["internal error"],
            &["internal server error"],
            &["system error"],
            &["system problem"],
            &["configuration error"],
            &["local configuration"],
            &["unable to contact"],
            &["upstream error"],
            &["lock failure"],
            &["input/output error"],
            &["no space left"],
            &["insufficient system"],
            &["duplicated message-id"],
            &["requested action aborted"],
            &["server error"],
        ],
    ),
    (
        Reason::Policy,
        &[
            &["policy"],
            &["access denied"],
            &["not authorized"],
            &["not permitted"],
            &["forbidden"],
            &["security reasons"],
            &["potential security"],
        ],
    ),
    (
        Reason::NoMailbox,
        &[
            &["recipient address rejected"],
            &["address rejected"],
            &["recipient rejected"],
            &["not exist"],
        ],
    ),
];

/// Brings a text into the form that the phrases have: lower case, runs of white space as one space.
pub(super) fn normalize(said: &str) -> String {
    let mut words = String::with_capacity(said.len());
    let mut space = true;
    for c in said.chars() {
        if c.is_whitespace() {
            if !space {
                words.push(' ');
            }
            space = true;
        } else {
            let plain = if matches!(c, '\u{2019}' | '\u{2018}' | '`') {
                '\''
            } else {
                c
            };
            words.extend(plain.to_lowercase());
            space = false;
        }
    }
    words
}

/// Finds what a normalized text means.
pub(super) fn find(words: &str, codes: Codes, phase: Phase) -> Option<Reason> {
    let reason = CLEAR
        .iter()
        .find(|(_, lines)| lines.iter().any(|line| stands_in(words, line)))
        .map(|(reason, _)| *reason)?;
    Some(match reason {
        Reason::NoMailbox if is_filter(words, codes, phase) => Reason::Filtered,
        // The sender's domain is what does not exist.
        Reason::NoDomain | Reason::NoMailbox if phase == Phase::Sender => Reason::SenderRefused,
        // The name that was said in EHLO.
        Reason::NoDomain if phase == Phase::Connect => Reason::Blocked,
        reason => reason,
    })
}

/// Tells whether all words stand in the text in their order, each where a word begins.
fn stands_in(text: &str, words: &[&str]) -> bool {
    let mut from = 0;
    words.iter().all(|word| match begins_at(text, word, from) {
        Some(at) => {
            from = at + word.len();
            true
        }
        None => false,
    })
}

/// Returns where `word` stands, from `from` on, with no letter in front of it.
fn begins_at(text: &str, word: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += text.get(at..)?.find(word)?;
        let before = text.get(..at)?.chars().next_back();
        let begins = !word.starts_with(char::is_alphabetic) || !before.is_some_and(char::is_alphabetic);
        if begins {
            return Some(at);
        }
        at += word.chars().next()?.len_utf8();
    }
}

/// Tells whether "user unknown" is what a filter says.
///
/// A server that has taken the recipient and says it of the message does not mean the address, nor does one that gives a status of
/// policy with it: filters answer that way. Those of the mobile carriers of Japan do without any status, as `550 Unknown user bob@example.ne.jp` and `550 : User unknown`; of an
/// address that does not exist they say `550 <bob@example.ne.jp>: User unknown`.
fn is_filter(words: &str, codes: Codes, phase: Phase) -> bool {
    let says_unknown = [
        "user unknown",
        "unknown user",
        "recipient unknown",
        "user not found",
        "mailbox unavailable",
    ]
    .iter()
    .any(|said| words.contains(said));
    let by_policy = codes.status().is_some_and(|status| status.subject() == 7);
    let names_mailbox = words.contains("550 <") && words.contains(">: user unknown");
    let declines_status = words.contains("5.0.0") && says_unknown;
    if says_unknown && (phase == Phase::Content && !names_mailbox || by_policy) || declines_status {
        return true;
    }
    let is_vague = codes
        .status()
        .is_none_or(|status| status.detail() == 0 && matches!(status.subject(), 0 | 2 | 3));
    let names_somebody = |text: &str| {
        text.trim_start()
            .split(' ')
            .next()
            .is_some_and(|word| word.contains('@'))
    };
    if words.contains("[user unknown]") {
        return true;
    }
    is_vague
        && codes.reply() == Some(550)
        && (words.contains("550 : user unknown")
            || words.contains("550: : user unknown")
            || words
                .split_once("unknown user ")
                .is_some_and(|(_, rest)| names_somebody(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_decide_before_codes() {
        for (said, phase, reason) in [
            (
                "550 5.1.1 <bob@example.net>: Recipient address rejected: Over quota",
                Phase::Recipient,
                Reason::MailboxFull,
            ),
            (
                "550 5.1.1 <bob@example.net>... User Unknown",
                Phase::Unknown,
                Reason::NoMailbox,
            ),
            (
                "550 5.1.1 <bob@example.net>... User Unknown",
                Phase::Content,
                Reason::Filtered,
            ),
            ("550 Unknown user bob@example.ne.jp", Phase::Unknown, Reason::Filtered),
            (
                "550 <bob@example.ne.jp>: User unknown",
                Phase::Unknown,
                Reason::NoMailbox,
            ),
            (
                "553 5.1.8 example.org does not exist",
                Phase::Sender,
                Reason::SenderRefused,
            ),
            (
                "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
                Phase::Unknown,
                Reason::Blocked,
            ),
        ] {
            assert_eq!(Reason::find(said, phase), reason, "{said}");
        }
    }

    #[test]
    fn phrases_are_normal_and_stand_once() {
        let mut seen = std::collections::HashSet::new();
        for (reason, lines) in CLEAR {
            for line in *lines {
                assert!(
                    line.iter()
                        .all(|word| !word.is_empty() && normalize(word).trim() == word.trim()),
                    "{line:?}"
                );
                assert!(seen.insert(line), "{reason:?} {line:?} stands twice");
            }
        }
    }
}
