//! Which URLs are those of SNS. They are read by hand and as they stand, so that no two parsers see two hosts in one.

/// Hosts from which certificates come, and at which subscriptions are confirmed.
#[derive(Clone, Debug)]
pub(super) enum Hosts {
    Amazon,
    Named(Vec<String>),
}

impl Hosts {
    /// Tells whether a URL is that of a certificate: `https://HOST/NAME.pem` and nothing else.
    pub(super) fn has_certificate(&self, url: &str) -> bool {
        let Some(path) = self.path_of(url) else { return false };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        match path.strip_suffix(".pem") {
            Some(name) => !name.is_empty() && name.len() <= 128 && name.bytes().all(is_name),
            None => false,
        }
    }

    /// Tells whether a URL confirms a subscription: `https://HOST/?Action=ConfirmSubscription&…`.
    pub(super) fn has_confirmation(&self, url: &str) -> bool {
        let Some(path) = self.path_of(url) else { return false };
        let is_query = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\' | b'"' | b'<' | b'>');
        let Some(query) = path.strip_prefix('?').filter(|query| query.bytes().all(is_query)) else {
            return false;
        };
        query.split('&').any(|pair| pair == "Action=ConfirmSubscription")
    }

    /// Returns what stands behind `https://HOST/` if the host is one of these.
    fn path_of<'a>(&self, url: &'a str) -> Option<&'a str> {
        let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
        let is_one = match self {
            Self::Amazon => is_amazon(host),
            Self::Named(hosts) => hosts.iter().any(|one| one == host),
        };
        is_one.then_some(path)
    }
}

/// Tells whether a host is `sns.REGION.amazonaws.com`, or the same in China.
fn is_amazon(host: &str) -> bool {
    let host = host.strip_suffix(".cn").unwrap_or(host);
    let region = host
        .strip_prefix("sns.")
        .and_then(|rest| rest.strip_suffix(".amazonaws.com"));
    region.is_some_and(is_region)
}

/// Tells whether a label is a region: `eu-west-1`. Names of other services are none, above all not those of S3, where `sns` could be a
/// bucket of anybody's: `sns.s3-us-west-2`.
fn is_region(label: &str) -> bool {
    let mut words = label.split('-');
    let is_area = |word: &str| (2..=12).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let area = words.next().is_some_and(is_area);
    let number = words
        .next_back()
        .is_some_and(|word| (1..=2).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit()));
    let mut between = words.peekable();
    area && number && between.peek().is_some() && between.all(is_area)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_of_sns_and_their_certificates() {
        let amazon = Hosts::Amazon;
        for right in [
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-x.pem",
            "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-x.pem",
            "https://sns.us-gov-west-1.amazonaws.com/a.pem",
        ] {
            assert!(amazon.has_certificate(right), "{right}");
        }
        for wrong in [
            "https://sns.s3-us-west-2.amazonaws.com/a.pem",
            "https://sns.lambda.amazonaws.com/a.pem",
            "https://sns.us-east-1.amazonaws.com/a/b.pem",
            "https://sns.us-east-1.amazonaws.com/%2e%2e/b.pem",
            "https://sns.us-east-1.amazonaws.com/.pem",
            "https://sns.us-east-1.amazonaws.com/a.pem#x",
            "https://sns.us-east-1.amazonaws.com/a.pem?x=.pem",
            "https://user@sns.us-east-1.amazonaws.com/a.pem",
            "https://sns.us-east-1.amazonaws.com:443/a.pem",
            "HTTPS://sns.us-east-1.amazonaws.com/a.pem",
            "https://sns.us-east-1.amazonaws.com\t/a.pem",
            " https://sns.us-east-1.amazonaws.com/a.pem",
            "https://sns.-1.amazonaws.com/a.pem",
            "https://sns.us-1.amazonaws.com/a.pem",
            "https://sns..amazonaws.com/a.pem",
        ] {
            assert!(!amazon.has_certificate(wrong), "{wrong}");
        }
    }

    #[test]
    fn confirmations_confirm_and_do_nothing_else() {
        let amazon = Hosts::Amazon;
        assert!(
            amazon.has_confirmation(
                "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=a:b&Token=1"
            )
        );
        for wrong in [
            "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&x=Action=ConfirmSubscription",
            "https://sns.us-east-1.amazonaws.com/",
            "https://sns.us-east-1.amazonaws.com/x?Action=ConfirmSubscription",
            "http://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription",
            "https://127.0.0.1/?Action=ConfirmSubscription",
            "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&a=\r\nHost: x",
        ] {
            assert!(!amazon.has_confirmation(wrong), "{wrong}");
        }
        let named = Hosts::Named(vec!["sns.example.net".into()]);
        assert!(named.has_confirmation("https://sns.example.net/?Action=ConfirmSubscription"));
        assert!(!named.has_confirmation("https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription"));
    }
}
