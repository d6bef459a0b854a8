//! Which ARC fields there are, and how they make sets (RFC 8617 §5.2, steps 1 to 3).

use aws_lc_rs::digest::{Context, SHA256};

use super::MOST_SETS;
use super::chain::{Broken, FieldKind, Reason};
use super::payload::{instance as number, split_instance};
use super::seal::is_marked_failed;
use super::validate::Limits;
use crate::dkim::{Canonicalization, Field, Fields, Tags, push_field};

/// One ARC field, with as much of it as can be read.
#[derive(Debug)]
pub(super) struct ArcField<'f, 'a> {
    pub(super) kind: FieldKind,
    pub(super) field: &'f Field<'a>,
    /// The instance.
    instance: Result<u8, Reason>,
    /// The tags of a signature.
    pub(super) tags: Option<Tags<'a>>,
    /// The results of ARC-Authentication-Results.
    pub(super) results: &'a str,
}

impl<'f, 'a> ArcField<'f, 'a> {
    fn parse(kind: FieldKind, field: &'f Field<'a>) -> Self {
        let mut parsed = Self {
            kind,
            field,
            instance: Err(Reason::Instance),
            tags: None,
            results: "",
        };
        match std::str::from_utf8(field.value()) {
            Err(_) => parsed.instance = Err(Reason::NotText),
            Ok(text) if kind == FieldKind::AuthenticationResults => {
                if let Some((instance, results)) = split_instance(text) {
                    parsed.instance = Ok(instance);
                    parsed.results = results;
                }
            }
            Ok(text) => match Tags::parse(text) {
                Ok(tags) => {
                    parsed.instance = tags.get("i").and_then(number).ok_or(Reason::Instance);
                    parsed.tags = Some(tags);
                }
                Err(error) => parsed.instance = Err(Reason::Tags(error)),
            },
        }
        parsed
    }

    /// The tags; none of ARC-Authentication-Results.
    pub(super) fn tags(&self) -> Result<&Tags<'a>, Reason> {
        self.tags.as_ref().ok_or(Reason::NotText)
    }
}

/// The three fields of one instance.
#[derive(Debug)]
pub(super) struct RawSet<'s, 'f, 'a> {
    pub(super) instance: u8,
    pub(super) results: &'s ArcField<'f, 'a>,
    pub(super) signature: &'s ArcField<'f, 'a>,
    pub(super) seal: &'s ArcField<'f, 'a>,
}

impl<'s, 'f, 'a> RawSet<'s, 'f, 'a> {
    /// RFC 8617 §5.1.1: the order in which seals cover the fields of a set.
    pub(super) fn fields(&self) -> [&'s ArcField<'f, 'a>; 3] {
        [self.results, self.signature, self.seal]
    }
}

/// All ARC fields of a message.
#[derive(Debug)]
pub(super) struct Collected<'f, 'a> {
    fields: Vec<ArcField<'f, 'a>>,
    /// What limit they are beyond; then they are not parsed.
    excess: Option<Reason>,
    fingerprint: [u8; 32],
}

impl<'f, 'a> Collected<'f, 'a> {
    /// RFC 8617 §5.2, step 1.
    pub(super) fn new(fields: &'f Fields<'a>, limits: &Limits) -> Self {
        let of_kind = |field: &Field<'_>| {
            FieldKind::ALL
                .into_iter()
                .find(|kind| field.is(kind.as_str().as_bytes()))
        };
        let found: Vec<(FieldKind, &Field<'_>)> = fields
            .iter()
            .filter_map(|field| Some((of_kind(field)?, field)))
            .collect();
        let octets: usize = found.iter().map(|(_, field)| field.raw.len()).sum();
        let most = |kind| found.iter().filter(|(other, _)| *other == kind).count();
        let excess = if FieldKind::ALL.into_iter().map(most).any(|count| count > limits.sets) {
            Some(Reason::TooManySets)
        } else if octets > limits.octets {
            Some(Reason::TooLong)
        } else {
            None
        };
        Self {
            fingerprint: fingerprint(found.iter().map(|(_, field)| *field)),
            fields: match excess {
                None => found
                    .into_iter()
                    .map(|(kind, field)| ArcField::parse(kind, field))
                    .collect(),
                Some(_) => Vec::new(),
            },
            excess,
        }
    }

    /// Says whether the message has no ARC field at all.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.excess.is_none()
    }

    pub(super) fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// The highest instance of any field; the highest possible of a chain beyond the limits.
    pub(super) fn highest(&self) -> u8 {
        if self.excess.is_some() {
            return MOST_SETS;
        }
        let instances = self.fields.iter().filter_map(|field| field.instance.as_ref().ok());
        instances.max().copied().unwrap_or(0)
    }

    /// RFC 8617 §5.2, steps 1 and 2: no more sets than there may be, and the newest not sealed as broken.
    pub(super) fn check_newest(&self) -> Result<(), Broken> {
        if let Some(reason) = &self.excess {
            return Err(Broken {
                reason: reason.clone(),
                instance: None,
                field: None,
            });
        }
        let newest = self.highest();
        let is_failed = self.fields.iter().any(|field| {
            field.kind == FieldKind::Seal
                && field.instance == Ok(newest)
                && field.tags.as_ref().is_some_and(is_marked_failed)
        });
        if is_failed {
            return Err(Broken::at(newest, FieldKind::Seal, Reason::MarkedFailed));
        }
        Ok(())
    }

    /// RFC 8617 §5.2, step 3: instances from 1 up without a gap, and exactly one of each field for each.
    pub(super) fn sets(&self) -> Result<Vec<RawSet<'_, 'f, 'a>>, Broken> {
        let mut slots: Vec<[Option<&ArcField<'f, 'a>>; 3]> = vec![[None; 3]; usize::from(self.highest())];
        for field in &self.fields {
            let instance = field.instance.clone().map_err(|reason| Broken {
                reason,
                instance: None,
                field: Some(field.kind),
            })?;
            let slot = slots
                .get_mut(usize::from(instance) - 1)
                .and_then(|slots| slots.get_mut(field.kind as usize));
            if slot.is_none_or(|slot| slot.replace(field).is_some()) {
                return Err(Broken::at(instance, field.kind, Reason::Duplicate));
            }
        }
        let numbered = (1..=MOST_SETS).zip(slots);
        numbered
            .map(|(instance, [results, signature, seal])| {
                let missing = |kind| Broken::at(instance, kind, Reason::Missing);
                Ok(RawSet {
                    instance,
                    results: results.ok_or_else(|| missing(FieldKind::AuthenticationResults))?,
                    signature: signature.ok_or_else(|| missing(FieldKind::MessageSignature))?,
                    seal: seal.ok_or_else(|| missing(FieldKind::Seal))?,
                })
            })
            .collect()
    }
}

/// The hash of fields in canonical form, so that refolding does not change it.
fn fingerprint<'f>(fields: impl Iterator<Item = &'f Field<'f>>) -> [u8; 32] {
    let mut hash = Context::new(&SHA256);
    let mut canonical = Vec::new();
    for field in fields {
        canonical.clear();
        push_field(&mut canonical, field.raw, Canonicalization::Relaxed);
        hash.update(&canonical);
    }
    let mut octets = [0; 32];
    octets.copy_from_slice(hash.finish().as_ref());
    octets
}
