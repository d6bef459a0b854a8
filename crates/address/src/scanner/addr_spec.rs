//! `local@domain`, with all that may stand around its dots in a header field.

use super::Scanner;
use crate::email::expected_at;
use crate::local_part::{Grammar, atom_length, check_identifier, is_break, is_phrase_text, missing_atom, read_quoted};
use crate::{AddressError, Domain, EmailAddress};

impl Scanner<'_> {
    /// Reads `local@domain`, white space and comments allowed around its dots and its `@`.
    pub(crate) fn addr_spec(&mut self) -> Result<EmailAddress, AddressError> {
        let start = self.position;
        let local = self.local_part()?;
        let written = self.text.get(start..self.position).unwrap_or_default();
        if !self.eat('@') {
            return Err(expected_at(self.rest(), self.position));
        }
        let domain = self.domain()?;
        check_identifier(&local, written, self.options)
            .and_then(|()| EmailAddress::assemble(&local, domain))
            .map_err(|error| error.shifted(start).within(self.text))
    }

    /// Reads words between dots up to the `@` and gives what they mean (`obs-local-part`).
    fn local_part(&mut self) -> Result<String, AddressError> {
        let mut local = String::new();
        loop {
            self.skip_space()?;
            let rest = self.rest();
            if rest.starts_with('"') {
                let (value, length) =
                    read_quoted(rest, Grammar::Header).map_err(|error| error.shifted(self.position))?;
                local.push_str(&value);
                self.position += length;
            } else {
                let length = atom_length(rest);
                if length == 0 {
                    let offset = usize::from(!local.is_empty());
                    return Err(missing_atom(rest, offset).shifted(self.position - offset));
                }
                local.push_str(rest.get(..length).unwrap_or_default());
                self.position += length;
            }
            self.skip_space()?;
            if !self.eat('.') {
                return Ok(local);
            }
            local.push('.');
        }
    }

    /// Reads a domain: a literal, or labels between dots (`obs-domain`).
    pub(super) fn domain(&mut self) -> Result<Domain, AddressError> {
        self.skip_space()?;
        let start = self.position;
        if self.rest().starts_with('[') {
            let length = self.rest().find(']').map_or(self.rest().len(), |close| close + 1);
            let text = self.rest().get(..length).unwrap_or_default();
            self.position += length;
            return Domain::parse_for_mail(text, self.options).map_err(|error| error.shifted(start));
        }
        let mut name = String::new();
        // Where in the name each label begins, and where in the text: comments may stand between them.
        let mut labels = Vec::new();
        loop {
            let rest = self.rest();
            let length = rest.find(ends_label).unwrap_or(rest.len());
            labels.push((name.len(), self.position));
            name.push_str(rest.get(..length).unwrap_or_default());
            self.position += length;
            let label_end = self.position;
            self.skip_space()?;
            if !self.eat('.') {
                self.position = label_end;
                break;
            }
            name.push('.');
            self.skip_space()?;
        }
        Domain::parse_for_mail(&name, self.options).map_err(|error| {
            let begun = labels.iter().rev().find(|(in_name, _)| *in_name <= error.offset());
            let (in_name, in_text) = begun.copied().unwrap_or((0, start));
            error.moved(in_name, in_text).within(self.text)
        })
    }
}

/// What cannot be part of a label, and what ends one.
fn ends_label(c: char) -> bool {
    is_break(c) || (c.is_ascii() && !is_phrase_text(c)) || c.is_whitespace()
}
