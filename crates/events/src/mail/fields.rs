//! Groups of fields, as delivery reports have them (RFC 3464 §2.1).

use posthaste_mime::RawPart;

/// How much of a part is read.
const MOST_OCTETS: usize = 256 * 1024;
/// Most groups that are read: one for the message, one for each recipient.
const MOST_GROUPS: usize = 1001;
/// Most fields of one group.
const MOST_FIELDS: usize = 64;

/// One group of fields: names in lower case, values unfolded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    fields: Vec<(String, String)>,
}

impl Group {
    /// Returns a field's value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let (_, value) = fields.find(|(own, value)| own == name && !value.is_empty())?;
        Some(value)
    }

    /// Returns a value without the type in front of it: `rfc822; bob@example.net`.
    pub(super) fn untyped(&self, name: &str) -> Option<&str> {
        let value = self.get(name)?;
        let bare = match value.split_once(';') {
            Some((kind, rest)) if !kind.contains([' ', '@']) => rest,
            _ => value,
        };
        Some(bare.trim()).filter(|value| !value.is_empty())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// Reads the groups of fields of a part; what is behind its first 256 KiB is left alone.
pub(super) fn of_part(part: &RawPart) -> Vec<Group> {
    let octets = part.decoded();
    read(&String::from_utf8_lossy(octets.get(..MOST_OCTETS).unwrap_or(&octets)))
}

/// Reads groups of fields, with empty lines between them. Lines that are no field are passed over.
pub(super) fn read(text: &str) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut group = Group::default();
    for line in text.lines() {
        if groups.len() == MOST_GROUPS {
            return groups;
        }
        if line.trim().is_empty() {
            if !group.is_empty() {
                groups.push(std::mem::take(&mut group));
            }
            continue;
        }
        if line.starts_with([' ', '\t'])
            && let Some((_, value)) = group.fields.last_mut()
        {
            value.push(' ');
            value.push_str(line.trim());
            continue;
        }
        let Some((name, value)) = line.trim_start().split_once(':') else {
            continue;
        };
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if is_name && group.fields.len() < MOST_FIELDS {
            group.fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    if !group.is_empty() {
        groups.push(group);
    }
    groups
}
