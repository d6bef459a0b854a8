//! The services, as they describe themselves.

use super::Preset;
use crate::tls::Tls;

const TWO: &[(u16, Tls)] = &[(587, Tls::Required), (2525, Tls::Required)];
const THREE: &[(u16, Tls)] = &[(587, Tls::Required), (2525, Tls::Required), (25, Tls::Required)];

const fn implicit(name: &'static str, host: &'static str, port: u16) -> Preset {
    Preset::new(name, host, port, Tls::Implicit)
}

const fn starttls(name: &'static str, host: &'static str, port: u16) -> Preset {
    Preset::new(name, host, port, Tls::Required)
}

/// For what catches mail in tests.
const fn clear(name: &'static str, host: &'static str, port: u16) -> Preset {
    Preset::new(name, host, port, Tls::None)
}

/// Those that send for programs, then those that have mailboxes or catch mail in tests.
pub(super) const SERVICES: &[Preset] = &[
    implicit("ses", "email-smtp.{region}.amazonaws.com", 465)
        .also(&[
            (2465, Tls::Implicit),
            (587, Tls::Required),
            (2587, Tls::Required),
            (25, Tls::Required),
        ])
        .with_aliases(&["amazon-ses"])
        .with_note("SMTP credentials, which are not the keys of the API"),
    implicit("sendgrid", "smtp.sendgrid.net", 465)
        .also(THREE)
        .user("apikey"),
    implicit("sendgrid-eu", "smtp.eu.sendgrid.net", 465)
        .also(THREE)
        .user("apikey"),
    implicit("mailgun", "smtp.mailgun.org", 465).also(TWO),
    implicit("mailgun-eu", "smtp.eu.mailgun.org", 465).also(TWO),
    starttls("postmark", "smtp.postmarkapp.com", 587)
        .also(&[(25, Tls::Required), (2525, Tls::Required)])
        .token_twice(),
    implicit("resend", "smtp.resend.com", 465)
        .also(&[
            (2465, Tls::Implicit),
            (587, Tls::Required),
            (2587, Tls::Required),
            (25, Tls::Required),
        ])
        .user("resend"),
    starttls("brevo", "smtp-relay.brevo.com", 587)
        .also(&[(465, Tls::Implicit), (2525, Tls::Required)])
        .with_aliases(&["sendinblue"]),
    starttls("mailjet", "in-v3.mailjet.com", 587).also(&[
        (465, Tls::Implicit),
        (25, Tls::Required),
        (80, Tls::Required),
        (588, Tls::Required),
        (2525, Tls::Required),
    ]),
    starttls("sparkpost", "smtp.sparkpostmail.com", 587)
        .also(&[(2525, Tls::Required)])
        .user("SMTP_Injection"),
    starttls("sparkpost-eu", "smtp.eu.sparkpostmail.com", 587)
        .also(&[(2525, Tls::Required)])
        .user("SMTP_Injection"),
    starttls("mailersend", "smtp.mailersend.net", 587).also(&[(2525, Tls::Required)]),
    starttls("mailtrap", "live.smtp.mailtrap.io", 587)
        .also(&[(2525, Tls::Required)])
        .user("api"),
    starttls("mailtrap-bulk", "bulk.smtp.mailtrap.io", 587)
        .also(&[(2525, Tls::Required)])
        .user("api"),
    starttls("mailtrap-sandbox", "sandbox.smtp.mailtrap.io", 2525).also(&[(587, Tls::Required)]),
    starttls("mandrill", "smtp.mandrillapp.com", 587)
        .also(&[(465, Tls::Implicit), (2525, Tls::Required)])
        .user("any")
        .with_note("any user name does"),
    starttls("azure", "smtp.azurecomm.net", 587),
    implicit("scaleway", "smtp.tem.scaleway.com", 465).also(&[
        (2465, Tls::Implicit),
        (587, Tls::Required),
        (2587, Tls::Required),
    ]),
    starttls("zeptomail", "smtp.zeptomail.com", 587)
        .also(&[(465, Tls::Implicit)])
        .user("emailapikey"),
    starttls("zeptomail-eu", "smtp.zeptomail.eu", 587)
        .also(&[(465, Tls::Implicit)])
        .user("emailapikey"),
    starttls("zeptomail-in", "smtp.zeptomail.in", 587)
        .also(&[(465, Tls::Implicit)])
        .user("emailapikey"),
    starttls("smtp2go", "mail.smtp2go.com", 2525).also(&[
        (587, Tls::Required),
        (8025, Tls::Required),
        (25, Tls::Required),
        (465, Tls::Implicit),
    ]),
    implicit("elasticemail", "smtp.elasticemail.com", 465).also(&[(2525, Tls::Required)]),
    implicit("sendpulse", "smtp-pulse.com", 465).also(&[(587, Tls::Required), (2525, Tls::Required)]),
    starttls("loops", "smtp.loops.so", 587).user("loops"),
    starttls("mailpace", "smtp.mailpace.com", 587)
        .with_aliases(&["ohmysmtp"])
        .token_twice(),
    starttls("infobip", "smtp-api.infobip.com", 587).user("App"),
    starttls("mailomat", "smtp.mailomat.cloud", 587),
    implicit("forwardemail", "smtp.forwardemail.net", 465)
        .also(&[(587, Tls::Required)])
        .with_aliases(&["fe"]),
    starttls("sendcloud", "smtp.sendcloud.net", 2525),
    starttls("tipimail", "smtp.tipimail.com", 587),
    implicit("turbosmtp", "pro.turbo-smtp.com", 465),
    implicit("turbosmtp-eu", "pro.eu.turbo-smtp.com", 465),
    starttls("dynectemail", "smtp.dynect.net", 25).with_note("retired"),
    implicit("alibaba-directmail", "smtpdm.aliyun.com", 465),
    starttls("oracle", "smtp.email.{region}.oci.oraclecloud.com", 587),
    implicit("1und1", "smtp.1und1.de", 465).login(),
    implicit("126", "smtp.126.com", 465),
    implicit("163", "smtp.163.com", 465),
    implicit("aliyun", "smtp.aliyun.com", 465).with_domains(&["aliyun.com"]),
    implicit("aliyun-qiye", "smtp.qiye.aliyun.com", 465),
    starttls("aol", "smtp.aol.com", 587).with_domains(&["aol.com"]),
    implicit("aruba", "smtps.aruba.it", 465)
        .with_aliases(&["aruba-pec"])
        .with_domains(&["aruba.it", "pec.aruba.it"])
        .login(),
    implicit("bluewin", "smtpauths.bluewin.ch", 465).with_domains(&["bluewin.ch"]),
    starttls("bol", "smtp.bol.com.br", 587).with_domains(&["bol.com.br"]),
    starttls("debugmail", "debugmail.io", 25),
    starttls("disroot", "disroot.org", 587)
        .with_domains(&["disroot.org"])
        .login(),
    starttls("ethereal", "smtp.ethereal.email", 587).with_aliases(&["ethereal.email"]),
    implicit("fastmail", "smtp.fastmail.com", 465).with_domains(&["fastmail.fm"]),
    implicit("feishu-mail", "smtp.feishu.cn", 465).with_aliases(&["feishu"]),
    starttls("gandi-mail", "mail.gandi.net", 587).with_aliases(&["gandi"]),
    implicit("gmail", "smtp.gmail.com", 465)
        .with_aliases(&["google-mail"])
        .also(&[(587, Tls::Required)])
        .with_domains(&["gmail.com", "googlemail.com"])
        .tokens(),
    implicit("gmail-workspace", "smtp-relay.gmail.com", 465)
        .with_aliases(&["google-workspace-mail"])
        .also(&[(587, Tls::Required)])
        .tokens(),
    starttls("gmx", "mail.gmx.com", 587).with_domains(&["gmx.com", "gmx.net", "gmx.de"]),
    starttls("godaddy", "smtpout.secureserver.net", 25),
    starttls("godaddy-asia", "smtp.asia.secureserver.net", 25),
    starttls("godaddy-europe", "smtp.europe.secureserver.net", 25),
    starttls("hot.ee", "mail.hot.ee", 25),
    starttls("hotmail", "smtp-mail.outlook.com", 587)
        .with_aliases(&["outlook", "outlook.com", "hotmail.com"])
        .with_domains(&["hotmail.com", "outlook.com"])
        .tokens(),
    starttls("icloud", "smtp.mail.me.com", 587)
        .with_aliases(&["me", "mac"])
        .with_domains(&["me.com", "mac.com"]),
    starttls("infomaniak", "mail.infomaniak.com", 587).with_domains(&["ik.me", "ikmail.com", "etik.com"]),
    implicit("kolabnow", "smtp.kolabnow.com", 465)
        .with_aliases(&["kolab"])
        .with_domains(&["kolabnow.com"])
        .login(),
    implicit("loopia", "mailcluster.loopia.se", 465),
    starttls("mail.ee", "smtp.mail.ee", 25),
    implicit("mail.ru", "smtp.mail.ru", 465),
    starttls("mailcatch.app", "sandbox-smtp.mailcatch.app", 2525),
    clear("maildev", "localhost", 1025),
    starttls("mailosaur", "mailosaur.io", 25),
    starttls("naver", "smtp.naver.com", 587),
    implicit("one", "send.one.com", 465),
    implicit("openmailbox", "smtp.openmailbox.org", 465).with_aliases(&["omb", "openmailbox.org"]),
    starttls("outlook365", "smtp.office365.com", 587).tokens(),
    starttls("proton", "smtp.protonmail.ch", 587)
        .with_aliases(&["protonmail", "proton.me", "protonmail.com", "protonmail.ch"])
        .with_domains(&["proton.me", "protonmail.com", "pm.me", "protonmail.ch"]),
    implicit("qiye.aliyun", "smtp.mxhichina.com", 465),
    implicit("qq", "smtp.qq.com", 465).with_domains(&["qq.com"]),
    implicit("qqex", "smtp.exmail.qq.com", 465)
        .with_aliases(&["qq-enterprise"])
        .with_domains(&["exmail.qq.com"]),
    implicit("runbox", "smtp.runbox.com", 465).with_domains(&["runbox.com"]),
    implicit("seznam", "smtp.seznam.cz", 465)
        .with_aliases(&["seznam-email"])
        .with_domains(&["seznam.cz", "email.cz", "post.cz", "spoluzaci.cz"]),
    implicit("tutanota", "smtp.tutanota.com", 465).with_domains(&[
        "tutanota.com",
        "tuta.com",
        "tutanota.de",
        "tuta.io",
    ]),
    implicit("yahoo", "smtp.mail.yahoo.com", 465)
        .with_domains(&["yahoo.com"])
        .tokens(),
    implicit("yandex", "smtp.yandex.ru", 465).with_domains(&["yandex.ru"]),
    starttls("zimbra", "smtp.zimbra.com", 587).with_aliases(&["zimbra-collaboration"]),
    implicit("zoho", "smtp.zoho.com", 465).login(),
    clear("mailpit", "localhost", 1025).with_aliases(&["mailhog"]),
    clear("greenmail", "localhost", 3025),
    clear("smtp4dev", "localhost", 25),
    starttls("proton-bridge", "127.0.0.1", 1025).with_note("its certificate is its own: add it to the roots"),
    starttls("microsoft365-direct", "{region}.mail.protection.outlook.com", 25)
        .with_note("the tenant's own mail host, in place of a region; without a login"),
    starttls("microsoft365-hve", "smtp-hve.office365.com", 587).tokens(),
    implicit("ovh", "ssl0.ovh.net", 465),
    starttls("ionos", "smtp.ionos.com", 587),
    starttls("ionos-de", "smtp.ionos.de", 587),
    implicit("hostinger", "smtp.hostinger.com", 465),
    implicit("namecheap", "mail.privateemail.com", 465).with_aliases(&["private-email"]),
    implicit("rackspace", "secure.emailsrvr.com", 465),
    implicit("workmail", "smtp.mail.{region}.awsapps.com", 465).with_aliases(&["amazon-workmail"]),
];
