//! What the server looks at in a message's header while it passes by.

use memchr::memchr;
use posthaste_address::AddressList;

use super::{Identity, Verdict};

/// The most octets of `From` fields that are looked at.
const MAX_FROM: usize = 64 * 1024;

/// Counts the `Received` fields of a message that comes in pieces, and checks its authors.
pub(super) struct HeaderWatch<'c> {
    /// Who logged in, if it may not send as anybody.
    bound: Option<&'c Identity>,
    hops: usize,
    received: usize,
    /// The start of a line whose end did not come yet.
    line: Vec<u8>,
    /// The values of `From` fields, unfolded.
    from: Vec<Vec<u8>>,
    in_from: bool,
    ended: bool,
}

impl<'c> HeaderWatch<'c> {
    /// Watches a message from `identity` that may have fewer than `hops` `Received` fields.
    pub(super) fn new(identity: Option<&'c Identity>, hops: usize) -> Self {
        Self {
            bound: identity.filter(|identity| identity.is_bound()),
            hops,
            received: 0,
            line: Vec::new(),
            from: Vec::new(),
            in_from: false,
            ended: false,
        }
    }

    /// Looks at what comes next; refuses the message once it is clear that it cannot be taken.
    pub(super) fn look(&mut self, piece: &[u8]) -> Result<(), Verdict> {
        let mut rest = piece;
        while !self.ended {
            let Some(end) = memchr(b'\n', rest) else {
                self.line.extend_from_slice(rest);
                // What is longer than any line may be says nothing more.
                self.line.truncate(MAX_FROM);
                return Ok(());
            };
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            if self.line.is_empty() {
                self.see(line);
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.see(&whole);
            }
            if self.ended {
                self.judge()?;
            }
        }
        Ok(())
    }

    /// Ends a message, which may have been nothing but a header.
    pub(super) fn finish(&mut self) -> Result<(), Verdict> {
        if self.ended {
            return Ok(());
        }
        let line = std::mem::take(&mut self.line);
        self.see(&line);
        self.ended = true;
        self.judge()
    }

    fn see(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.first() {
            None => self.ended = true,
            Some(b' ' | b'\t') => {
                if let (true, Some(field)) = (self.in_from, self.from.last_mut()) {
                    field.extend_from_slice(line);
                    field.truncate(MAX_FROM + 1);
                }
            }
            Some(first) => {
                self.in_from = false;
                match first.to_ascii_lowercase() {
                    b'r' => {
                        let name = line.get(..9).unwrap_or_default();
                        self.received += usize::from(name.eq_ignore_ascii_case(b"received:"));
                    }
                    b'f' if self.bound.is_some() => {
                        let mut parts = line.splitn(2, |&byte| byte == b':');
                        let name = parts.next().unwrap_or_default().trim_ascii_end();
                        self.in_from = name.eq_ignore_ascii_case(b"from");
                        if self.in_from {
                            // Two are one too many already.
                            self.from.truncate(1);
                            self.from.push(parts.next().unwrap_or_default().to_vec());
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn judge(&self) -> Result<(), Verdict> {
        if self.received >= self.hops {
            return Err(Verdict::refuse(554, (4, 6), "routing loop"));
        }
        match self.bound {
            Some(identity) if !self.wrote(identity) => {
                Err(Verdict::refuse(550, (7, 1), "the message's From is not your address"))
            }
            _ => Ok(()),
        }
    }

    /// Whether every author that the message's one `From` field names is `identity`'s.
    fn wrote(&self, identity: &Identity) -> bool {
        let [field] = self.from.as_slice() else { return false };
        if field.len() > MAX_FROM {
            return false;
        }
        let Ok(authors) = String::from_utf8_lossy(field).parse::<AddressList>() else {
            return false;
        };
        let mut authors = authors.mailboxes().peekable();
        authors.peek().is_some() && authors.all(|author| identity.may_send_as(author.address()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made of `content`, cut in two everywhere.
    fn code(identity: Option<&Identity>, content: &str) -> u16 {
        let codes: Vec<_> = (0..=content.len())
            .map(|at| {
                let mut watch = HeaderWatch::new(identity, 3);
                let (left, right) = content.as_bytes().split_at(at);
                let result = watch
                    .look(left)
                    .and_then(|()| watch.look(right))
                    .and_then(|()| watch.finish());
                result.map_or_else(|verdict| verdict.code(), |()| 250)
            })
            .collect();
        assert!(
            codes.windows(2).all(|pair| pair[0] == pair[1]),
            "{content:?}: {codes:?}"
        );
        codes[0]
    }

    #[test]
    fn binds_authors() {
        let identity = Identity::new("a").with_domain("a.example".parse().unwrap());
        let check = |content: &str| code(Some(&identity), content) == 250;
        assert!(check(
            "Subject: x\r\nFrom: Ada <ada@a.example>\r\n\r\nFrom: x@b.example\r\n"
        ));
        assert!(check("FROM : ada@a.example,\r\n bob@a.example\r\n\r\n"));
        assert!(check("From: ada@a.example"));
        for content in [
            "",
            "Subject: none\r\n\r\n",
            "From: ceo@b.example\r\n\r\n",
            "From: ada@a.example\r\nFrom: ceo@b.example\r\n\r\n",
            "From: ada@a.example\r\nfrom: ada@a.example\r\nFROM: ada@a.example\r\n\r\n",
            "From: ada@a.example,\r\n ceo@b.example\r\n\r\n",
            "From: \r\n\r\n",
            "From: \"ada@a.example\" <ceo@b.example>\r\n\r\n",
        ] {
            assert!(!check(content), "{content:?}");
        }
    }

    #[test]
    fn counts_hops_in_the_header_only() {
        let hop = "Received: from a\r\n by b\r\n";
        assert_eq!(code(None, &format!("{hop}{hop}X: y\r\n\r\n{hop}{hop}")), 250);
        assert_eq!(code(None, &format!("{hop}X: y\r\n{hop}RECEIVED:{hop}\r\n")), 554);
    }

    #[test]
    fn holds_no_more_than_it_must() {
        let identity = Identity::new("a").with_domain("a.example".parse().unwrap());
        let mut watch = HeaderWatch::new(Some(&identity), 3);
        watch.look(b"From: ada@a.example,\r\n").unwrap();
        for _ in 0..10_000 {
            watch.look(b" ada@a.example,\r\n").unwrap();
        }
        let mut endless = HeaderWatch::new(None, 3);
        for _ in 0..10_000 {
            endless.look(&[b'x'; 100]).unwrap();
        }
        assert!(watch.from[0].len() <= MAX_FROM + 1 && endless.line.len() <= MAX_FROM);
        assert_eq!(watch.finish().unwrap_err().code(), 550);
    }
}
