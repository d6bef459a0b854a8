//! Everything that can be found, in one table.

use std::fmt;

use crate::{
    Severity::{self, Error, Info, Ok as Fine, Warning},
    Source::{self, Bimi, Gmail, Outlook, Practice, Rfc, Ses, Yahoo},
};

macro_rules! codes {
    ($($name:ident $word:literal $severity:ident $why:literal [$($source:expr),*];)+) => {
        /// Names what was found. The words are stable; new ones may come.
        ///
        /// | code | severity | why it matters |
        /// | --- | --- | --- |
        $(#[doc = concat!("| `", $word, "` | ", stringify!($severity), " | ", $why, " |")])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!("`", $word, "`. ", $why)] $name,)+
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Gives the stable word, like `spf.missing`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// Tells how bad it is.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => $severity,)+ }
            }

            /// Tells why it matters.
            pub fn why(self) -> &'static str {
                match self { $(Self::$name => $why,)+ }
            }

            /// Tells who asks for it.
            pub fn sources(self) -> &'static [Source] {
                match self { $(Self::$name => &[$($source),*],)+ }
            }
        }
    };
}

codes! {
    DomainNonexistent "domain.nonexistent" Error "Receivers refuse mail from a domain that does not exist." [Rfc(5321, "2.3.5")];
    DomainPublicSuffix "domain.public_suffix" Warning "Others register names below it: what it publishes speaks for strangers." [Rfc(9989, "4.7")];
    DomainWildcardText "domain.wildcard_text" Warning "Every name below has this text: reports, keys and policies may be seen where there are none." [Rfc(4592, "2.1.1")];
    DomainParked "domain.parked" Fine "It says clearly that no mail comes from it or goes to it." [Rfc(7505, "4.2")];
    DnssecSecure "dnssec.secure" Fine "Answers cannot be forged." [Rfc(4035, "4.3")];
    DnssecUnsigned "dnssec.unsigned" Info "Answers can be forged on their way, and DANE cannot be used." [Rfc(4035, "4.3")];
    DnssecUnknown "dnssec.unknown" Info "The resolver that was asked does not say whether it validates." [Rfc(4035, "4.3")];
    DnssecBogus "dnssec.bogus" Error "Resolvers that validate give no answer: for them the name is gone." [Rfc(4035, "5.5")];
    DnsFailed "dns.failed" Error "Nothing is known of this name now. Receivers that get no answer either put mail off." [Rfc(7208, "2.6.6"), Rfc(5321, "5.1")];

    SpfOk "spf.ok" Fine "" [];
    SpfMissing "spf.missing" Error "Receivers cannot tell the domain's hosts from others." [Rfc(7208, "3"), Gmail, Yahoo, Outlook];
    SpfSeveral "spf.several" Error "With more than one record every check ends in an error." [Rfc(7208, "4.5")];
    SpfSyntax "spf.syntax" Error "A record that cannot be read makes every check end in an error." [Rfc(7208, "4.6")];
    SpfTooManyLookups "spf.too_many_lookups" Error "A check stops at the eleventh lookup, with an error." [Rfc(7208, "4.6.4")];
    SpfVoidLookups "spf.void_lookups" Error "A check may stop at the third lookup that finds nothing, with an error." [Rfc(7208, "4.6.4")];
    SpfLoop "spf.loop" Error "Records that lead to each other use up all lookups." [Rfc(7208, "4.6.4")];
    SpfIncludeMissing "spf.include_missing" Error "To include what does not exist is an error of the record that does it." [Rfc(7208, "5.2")];
    SpfIncludeBroken "spf.include_broken" Error "An error in what is included is an error of the whole record." [Rfc(7208, "5.2")];
    SpfPassAll "spf.pass_all" Error "Every host of the world may send for the domain." [Rfc(7208, "5.1")];
    SpfNeutralAll "spf.neutral_all" Warning "Of all other hosts it says nothing, as if there were no record." [Rfc(7208, "8.2")];
    SpfNoAll "spf.no_all" Warning "Of hosts that are not listed it says nothing, as if there were no record." [Rfc(7208, "4.7")];
    SpfPtr "spf.ptr" Warning "It is slow, unreliable, and should not be published; some receivers skip it." [Rfc(7208, "5.5")];
    SpfLong "spf.long" Warning "Answers over 512 octets need TCP or EDNS, and some receivers do not get them." [Rfc(7208, "3.4")];
    SpfRedirectIgnored "spf.redirect_ignored" Warning "Beside `all` a redirect has no effect." [Rfc(7208, "6.1")];
    SpfAddressFails "spf.address_fails" Error "Mail from this address does not pass." [Rfc(7208, "2.6"), Gmail, Yahoo, Outlook];

    DkimOk "dkim.ok" Fine "" [];
    DkimMissing "dkim.missing" Error "Signatures with this selector cannot be verified." [Rfc(6376, "3.6.2"), Gmail, Yahoo, Outlook];
    DkimNotFound "dkim.not_found" Info "Selectors cannot be listed; name those in use to have them looked at." [Rfc(6376, "3.1")];
    DkimGuessed "dkim.guessed" Info "Only selectors that many use were tried; name those in use to be sure." [Rfc(6376, "3.1")];
    DkimSeveral "dkim.several" Error "Which of several records counts is undefined." [Rfc(6376, "3.6.2.2")];
    DkimRevoked "dkim.revoked" Warning "No signature with this selector verifies any more." [Rfc(6376, "3.6.1")];
    DkimTooShort "dkim.too_short" Error "Keys below 1024 bits can be broken, and must not be accepted." [Rfc(8301, "3.2"), Gmail, Yahoo];
    DkimShort "dkim.short" Warning "Keys should have 2048 bits." [Rfc(8301, "3.2"), Gmail, Yahoo];
    DkimTesting "dkim.testing" Warning "Receivers may treat signed mail as if it were not signed." [Rfc(6376, "3.6.1")];
    DkimSha1 "dkim.sha1" Error "The key allows no hash but SHA-1, which must not be accepted." [Rfc(8301, "3.1")];
    DkimBroken "dkim.broken" Error "A key that cannot be read verifies nothing." [Rfc(6376, "3.6.1")];
    DkimKeyType "dkim.key_type" Error "Receivers do not know keys of this type." [Rfc(6376, "3.6.1"), Rfc(8463, "4")];
    DkimNotForMail "dkim.not_for_mail" Error "The key says that it is for something else." [Rfc(6376, "3.6.1")];
    DkimDangling "dkim.dangling" Error "The alias leads nowhere: there is no key." [Rfc(6376, "3.6.2")];
    DkimEd25519Only "dkim.ed25519_only" Warning "Many receivers verify RSA only." [Rfc(8463, "6"), Practice];

    DmarcOk "dmarc.ok" Fine "" [];
    DmarcMissing "dmarc.missing" Error "Anybody can put the domain into From, and big receivers refuse bulk mail." [Rfc(9989, "4.10"), Gmail, Yahoo, Outlook];
    DmarcSeveral "dmarc.several" Error "With more than one record none counts." [Rfc(9989, "4.10")];
    DmarcSyntax "dmarc.syntax" Error "A record that cannot be read asks for nothing." [Rfc(9989, "4.7")];
    DmarcInherited "dmarc.inherited" Fine "The policy of a domain above holds." [Rfc(9989, "4.10")];
    DmarcNone "dmarc.none" Warning "Forged mail is delivered as before; only reports are sent." [Rfc(9989, "4.7")];
    DmarcSubdomains "dmarc.subdomains" Warning "Forgers use a subdomain instead." [Rfc(9989, "4.7")];
    DmarcNonexistent "dmarc.nonexistent" Warning "Forgers use a subdomain that does not exist instead." [Rfc(9989, "4.7")];
    DmarcPercent "dmarc.percent" Info "The tag is no longer part of DMARC, and read in different ways." [Rfc(9989, "A.6")];
    DmarcTesting "dmarc.testing" Warning "Receivers apply the next weaker policy." [Rfc(9989, "4.7")];
    DmarcNoReports "dmarc.no_reports" Warning "Nobody learns of forgeries, nor of own mail that fails." [Rfc(9989, "4.7"), Gmail, Yahoo];
    DmarcReportAddress "dmarc.report_address" Warning "Reports do not go to an address that is no mailto URI." [Rfc(9989, "4.6")];
    DmarcReportUnauthorized "dmarc.report_unauthorized" Error "The other domain does not say that it wants the reports: they are not sent." [Rfc(9990, "4")];
    DmarcFailureReports "dmarc.failure_reports" Info "Few receivers send failure reports; they hold addresses and contents of mail." [Rfc(9989, "10.2")];
    DmarcStrict "dmarc.strict" Info "Mail signed for, or sent from, another subdomain does not count." [Rfc(9989, "4.4")];

    MxOk "mx.ok" Fine "" [];
    MxMissing "mx.missing" Warning "Replies and bounces go to the domain's own address, if one listens there." [Rfc(5321, "5.1")];
    MxNowhere "mx.nowhere" Error "Replies and bounces cannot be delivered; some receivers refuse such senders." [Rfc(5321, "5.1"), Outlook];
    MxNull "mx.null" Info "The domain takes no mail; some receivers refuse mail from it." [Rfc(7505, "4.2")];
    MxNullBeside "mx.null_beside" Error "A null MX must stand alone." [Rfc(7505, "3")];
    MxAlias "mx.alias" Error "An exchanger must not be an alias; some senders do not deliver." [Rfc(5321, "5.1"), Rfc(2181, "10.3")];
    MxAddress "mx.address" Error "An exchanger is a host name, not an address." [Rfc(5321, "5.1")];
    MxUnresolved "mx.unresolved" Error "The host has no address: nothing can be delivered there." [Rfc(5321, "5.1")];
    MxPrivate "mx.private" Error "The address cannot be reached from the internet." [Rfc(6890, "2.2")];
    MxTooMany "mx.too_many" Warning "SPF's `mx` allows ten, and senders do not try all of many." [Rfc(7208, "4.6.4")];

    StsOk "mta_sts.ok" Fine "" [];
    StsMissing "mta_sts.missing" Info "Who stands between can take the encryption away from mail to the domain." [Rfc(8461, "1")];
    StsRecord "mta_sts.record" Error "Senders ignore the record, and with it the policy." [Rfc(8461, "3.1")];
    StsNotFetched "mta_sts.not_fetched" Info "The policy was not looked at: no HTTPS client was given." [Rfc(8461, "3.3")];
    StsUnreachable "mta_sts.unreachable" Error "Without its policy the record has no effect." [Rfc(8461, "3.3")];
    StsPolicy "mta_sts.policy" Error "Senders ignore a policy that they cannot read." [Rfc(8461, "3.2")];
    StsTesting "mta_sts.testing" Warning "Senders only report; nothing is protected." [Rfc(8461, "5")];
    StsNone "mta_sts.none" Info "The policy is being taken back." [Rfc(8461, "8.3")];
    StsShort "mta_sts.short" Warning "Protection ends as soon as the policy cannot be fetched; weeks are recommended." [Rfc(8461, "3.2")];
    StsExchanger "mta_sts.exchanger" Error "Senders do not deliver to an exchanger that the policy leaves out." [Rfc(8461, "4.1")];
    StsExchangerTesting "mta_sts.exchanger_testing" Warning "Once the policy is enforced, senders do not deliver to an exchanger that it leaves out." [Rfc(8461, "4.1")];
    StsNoRecord "mta_sts.no_record" Warning "There is a policy, and no record leads senders to it." [Rfc(8461, "3.1")];

    TlsRptOk "tls_rpt.ok" Fine "" [];
    TlsRptMissing "tls_rpt.missing" Info "Nobody tells when mail cannot be delivered encrypted." [Rfc(8460, "3")];
    TlsRptRecord "tls_rpt.record" Error "Reports are not sent." [Rfc(8460, "3")];

    DaneOk "dane.ok" Fine "" [];
    DaneInsecure "dane.insecure" Warning "Without DNSSEC the records have no effect." [Rfc(7672, "2.2")];
    DaneUsage "dane.usage" Warning "Senders take usages 2 and 3 only." [Rfc(7672, "3.1.3")];
    DanePartial "dane.partial" Info "Who can block one exchanger leads mail to the unprotected one." [Rfc(7672, "2.2.1")];

    BimiOk "bimi.ok" Fine "" [];
    BimiRecord "bimi.record" Warning "The logo is not shown." [Bimi];
    BimiPolicy "bimi.policy" Warning "The logo is shown only if DMARC asks for quarantine or reject, for all mail." [Bimi];
    BimiCertificate "bimi.certificate" Info "Many receivers, Gmail among them, show only logos with a certificate." [Bimi, Practice];

    ReverseOk "reverse.ok" Fine "" [];
    ReverseMissing "reverse.missing" Error "Receivers refuse hosts whose address has no name." [Rfc(8601, "3"), Gmail, Yahoo];
    ReverseUnconfirmed "reverse.unconfirmed" Error "A name that does not lead back to the address proves nothing." [Rfc(8601, "3"), Gmail, Yahoo];
    ReverseGeneric "reverse.generic" Warning "The name looks like that of a dial-up line; such hosts are distrusted." [Yahoo, Practice];
    ReversePrivate "reverse.private" Error "Nobody sends to the internet from such an address." [Rfc(6890, "2.2")];

    MailFromOk "mail_from.ok" Fine "" [];
    MailFromMx "mail_from.mx" Error "Bounces cannot come back." [Rfc(5321, "6.1"), Ses("mail-from")];
    MailFromUnaligned "mail_from.unaligned" Warning "SPF does not count for DMARC: all rests on DKIM." [Rfc(9989, "4.4.2")];

    FromMissing "message.from_missing" Error "A message without author is refused." [Rfc(5322, "3.6.2"), Gmail];
    FromSeveral "message.from_several" Error "Receivers refuse messages with several authors or From fields; DMARC cannot be applied." [Rfc(5322, "3.6"), Gmail, Rfc(9989, "5.3.1")];
    FromDomain "message.from_domain" Error "The domain of From is not one that can be on the internet." [Rfc(5321, "2.3.5"), Outlook];
    FromMailbox "message.from_mailbox" Error "Only its operator sends for such a domain, and asks receivers to distrust others who do." [Gmail, Practice];
    AlignOk "align.ok" Fine "" [];
    AlignNone "align.none" Error "DMARC fails: big receivers refuse it." [Rfc(9989, "4.4"), Gmail, Yahoo, Outlook];
    AlignUnsigned "align.unsigned" Error "Once it is forwarded, only DKIM can pass, and bulk mail must be signed." [Rfc(9989, "7.4"), Gmail, Yahoo, Outlook];
    AlignDkim "align.dkim" Warning "Once it is forwarded, only DKIM can pass, and it does not count for From." [Rfc(9989, "4.4.1"), Rfc(9989, "7.4")];
    AlignSpf "align.spf" Info "SPF does not count for DMARC: all rests on DKIM." [Rfc(9989, "4.4.2")];
    ReplyTo "message.reply_to" Info "Answers go to another organisation than the author's, which forgers do too." [Rfc(5322, "3.6.2"), Outlook];
    UnsubscribeMissing "unsubscribe.missing" Error "Bulk mail must say how to leave." [Gmail, Yahoo, Rfc(2369, "3.2")];
    UnsubscribeClick "unsubscribe.one_click" Error "Leaving must take one click: List-Unsubscribe-Post, and one https URI." [Rfc(8058, "3.1"), Gmail, Yahoo];
    UnsubscribeUnsigned "unsubscribe.unsigned" Error "Mail programs offer one click only if DKIM covers both fields." [Rfc(8058, "3.1")];
    UnsubscribeOk "unsubscribe.ok" Fine "" [];
    SizeLimit "size.limit" Error "It is refused as too large." [Rfc(1870, "6.1")];
    SizeReceivers "size.receivers" Warning "Yahoo takes no more than 25 MB, and many take less." [Yahoo, Practice];
    HeaderMissing "header.missing" Error "The field must be there." [Rfc(5322, "3.6"), Gmail];
    HeaderNoId "header.no_message_id" Warning "Every message should have one; some receivers refuse those without." [Rfc(5322, "3.6.4"), Gmail];
    HeaderRepeated "header.repeated" Error "The field may stand once; readers differ in which one they show." [Rfc(5322, "3.6"), Gmail];
    HeaderDefect "header.defect" Error "Readers take it in different ways, or refuse it." [Rfc(5322, "2.1.1"), Rfc(7103, "7")];
    HeaderEightBit "header.eight_bit" Warning "Only servers with SMTPUTF8 take it." [Rfc(6532, "3")];
    HeaderReturnPath "header.return_path" Warning "The last server writes it, from the reverse-path; what is there before misleads." [Rfc(5321, "4.4")];
    HeaderBcc "header.bcc" Warning "All who get it may read whom it went to in secret, unless a server takes it out." [Rfc(5322, "3.6.3")];
    SubjectEmpty "message.subject_empty" Warning "Mail without a subject is taken for spam." [Rfc(5322, "3.6.5"), Practice];
    BodyNoText "body.no_text" Warning "Readers without HTML show nothing, and filters distrust it." [Rfc(2046, "5.1.4"), Practice];
    BodyEmpty "body.empty" Warning "It says nothing." [Practice];
    LinkPlain "link.plain_http" Warning "Who stands between sees and changes what is behind it." [Practice];
    LinkAddress "link.address" Warning "Links to bare addresses are taken for phishing." [Practice];
    LinkShortener "link.shortener" Warning "Shorteners hide where a link leads; filters block them." [Practice];
    LinkMismatch "link.mismatch" Error "The text shows another domain than the one where it leads: that is what phishing does." [Gmail, Practice];
    LinkForeign "link.foreign" Info "It leads to another organisation than the author's." [Practice];
    LinkHomograph "link.homograph" Warning "Letters of several scripts, or ones that look like others, are what forgers use." [Rfc(5890, "4.4")];
    LinkUser "link.user" Warning "What stands before the `@` looks like the host and is not." [Rfc(3986, "7.6")];
    AttachmentBlocked "attachment.blocked" Warning "Amazon SES refuses files of this type, and so do many receivers." [Ses("attachments")];
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
