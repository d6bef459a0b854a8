//! When two addresses count as one.

use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::email::expected_at;
use crate::{AddressError, AddressErrorKind as Kind, Domain, EmailAddress, ParseOptions, local_part};

/// Says when two addresses count as one: what is left of an address to compare, or to look up in a suppression list.
///
/// Two [`EmailAddress`]es are equal when they are the same address by the standards: needless quotes, the case of the domain,
/// A-labels or U-labels, and composed or decomposed letters make no difference; the case of the local part does, since only
/// the receiving host may interpret it (RFC 5321 §2.4). People and lists are laxer than that, and how much laxer is a choice:
///
/// | step, in this order | `exact()` | `default()` | what it joins |
/// | --- | --- | --- | --- |
/// | the spelling of [`EmailAddress`] | yes | yes | `"ada"@EXAMPLE.org`, `ada@example.org` |
/// | [`same_domain`](Self::same_domain) | - | - | `ada@googlemail.com`, `ada@gmail.com` |
/// | [`ignore_case`](Self::ignore_case) of the local part | `postmaster` only | yes | `Ada@example.org`, `ada@example.org` |
/// | [`ignore_subaddress`](Self::ignore_subaddress) | - | - | `ada+news@example.org`, `ada@example.org` |
/// | [`ignore_dots_at`](Self::ignore_dots_at) a domain | - | - | `a.da@gmail.com`, `ada@gmail.com` |
///
/// Case is that of Unicode's simple letters: each to its lower case, `ς` to `σ`; `ß` and `ss` stay two, as do full-width and
/// other compatibility forms (RFC 6532 §3.1 warns of NFKC). `postmaster` has no case by RFC 5321 §2.3.5.
///
/// Looser rules find more in a suppression list, which errs on the side of not sending; used to drop duplicates, they drop a
/// recipient wherever a host does tell the two apart. A store of keys is good for the rules it was made with: change them, and
/// make the keys anew.
///
/// # Examples
///
/// ```
/// use std::collections::HashSet;
///
/// use posthaste_address::{AddressKey, EmailAddress, KeyRules};
///
/// let rules = KeyRules::default().ignore_subaddress('+');
/// let address: EmailAddress = "Ada+News@Example.org".parse()?;
/// assert_eq!(rules.key(&address).as_str(), "ada@example.org");
/// assert_eq!(KeyRules::exact().key(&address).as_str(), "Ada+News@example.org");
///
/// let suppressed: HashSet<AddressKey> = ["ada@example.org".parse()?].into();
/// assert!(suppressed.contains(&rules.key(&address)));
/// # Ok::<(), posthaste_address::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRules {
    ignore_case: bool,
    separator: Option<char>,
    domains: BTreeMap<Domain, Habits>,
    /// Never a chain: what stands on the right stands nowhere on the left.
    aliases: BTreeMap<Domain, Domain>,
}

/// What the hosts of one domain are known to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Habits {
    separator: Option<char>,
    ignore_dots: bool,
}

impl Default for KeyRules {
    /// Ignores the case of local parts, and nothing else that could make a difference.
    fn default() -> Self {
        Self {
            ignore_case: true,
            ..Self::exact()
        }
    }
}

impl KeyRules {
    /// Compares as [`EmailAddress`] does, but for `postmaster`, which has no case (RFC 5321 §2.3.5).
    #[must_use]
    pub fn exact() -> Self {
        Self {
            ignore_case: false,
            separator: None,
            domains: BTreeMap::new(),
            aliases: BTreeMap::new(),
        }
    }

    /// Sets whether the case of local parts makes no difference.
    #[must_use]
    pub fn ignore_case(mut self, ignore: bool) -> Self {
        self.ignore_case = ignore;
        self
    }

    /// Drops what stands behind the first `separator` of every local part, with it: `ada+news` becomes `ada` (RFC 5233).
    ///
    /// Only hosts know whether they have subaddresses; `+` is what most of those that do take for a separator. A local part
    /// that begins with the separator is kept as it is.
    #[must_use]
    pub fn ignore_subaddress(mut self, separator: char) -> Self {
        self.separator = Some(separator);
        self
    }

    /// Drops what stands behind `separator`, as [`Self::ignore_subaddress`], at one domain; this comes before the general rule.
    #[must_use]
    pub fn ignore_subaddress_at(mut self, domain: Domain, separator: char) -> Self {
        self.domains.entry(domain).or_default().separator = Some(separator);
        self
    }

    /// Drops the dots of local parts at one domain whose hosts do so.
    #[must_use]
    pub fn ignore_dots_at(mut self, domain: Domain) -> Self {
        self.domains.entry(domain).or_default().ignore_dots = true;
        self
    }

    /// Counts `alias` as another name of `domain`; rules for one domain are looked up under the latter.
    #[must_use]
    pub fn same_domain(mut self, alias: Domain, domain: Domain) -> Self {
        let domain = self.aliases.get(&domain).cloned().unwrap_or(domain);
        if alias != domain {
            for known in self.aliases.values_mut().filter(|known| **known == alias) {
                *known = domain.clone();
            }
            self.aliases.insert(alias, domain);
        }
        self
    }

    /// Adds what Gmail publishes about `gmail.com`: dots make no difference, `+` begins a subaddress, `googlemail.com` is
    /// another name of it. Domains of customers that Google hosts have other rules and are not meant.
    #[must_use]
    pub fn gmail(self) -> Self {
        let (gmail, other) = (Domain::known("gmail.com"), Domain::known("googlemail.com"));
        self.ignore_dots_at(gmail.clone())
            .ignore_subaddress_at(gmail.clone(), '+')
            .same_domain(other, gmail)
    }

    /// Makes the key of an address.
    #[must_use]
    pub fn key(&self, address: &EmailAddress) -> AddressKey {
        let domain = self.aliases.get(address.domain()).unwrap_or(address.domain());
        let habits = self.domains.get(domain).copied().unwrap_or_default();
        let mut local = address.unquoted_local_part();
        if self.ignore_case || local.eq_ignore_ascii_case("postmaster") {
            local = lower_case(local);
        }
        if let Some(separator) = habits.separator.or(self.separator) {
            let end = local.find(separator).filter(|end| *end > 0);
            local = match local {
                Cow::Borrowed(text) => Cow::Borrowed(end.and_then(|end| text.get(..end)).unwrap_or(text)),
                Cow::Owned(mut text) => {
                    text.truncate(end.unwrap_or(text.len()));
                    Cow::Owned(text)
                }
            };
        }
        if habits.ignore_dots && local.contains(|c| c != '.') {
            local = Cow::Owned(local.replace('.', ""));
        }
        AddressKey::new(&local, domain)
    }
}

/// Makes each letter lower case by itself: where a word ends makes no difference.
fn lower_case(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(text.to_ascii_lowercase());
        }
        return text;
    }
    let lower = text.chars().flat_map(char::to_lowercase);
    Cow::Owned(lower.map(|c| if c == 'ς' { 'σ' } else { c }).collect())
}

/// What is left of an address to compare it by, made by [`KeyRules`]: text in the form of an address.
///
/// As text it can be stored and read back; reading applies the rules of [`KeyRules::exact`] only, so that keys of other rules
/// come out as they went in. It hashes and compares as its text does, so maps of keys can be asked for a `&str`. It is not for
/// sending to: nobody said that such an address exists.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressKey(Box<str>);

impl AddressKey {
    fn new(local: &str, domain: &Domain) -> Self {
        let local = local_part::canonical(local);
        let mut text = String::with_capacity(local.len() + 1 + domain.as_str().len());
        text.push_str(&local);
        text.push('@');
        text.push_str(domain.as_str());
        Self(text.into_boxed_str())
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AddressKey {
    type Err = AddressError;

    /// Reads what [`AddressKey::as_str`] gave, address literals included.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::new(Kind::Empty, 0));
        }
        // No limit of length: some letters are longer in lower case.
        let (local, at) = local_part::read(text)?;
        let rest = text.get(at..).unwrap_or_default();
        let domain = rest.strip_prefix('@').ok_or_else(|| expected_at(rest, at))?;
        let options = ParseOptions::default().domain_literals(true);
        let domain = Domain::parse_for_mail(domain, options).map_err(|error| error.shifted(at + 1))?;
        if local.eq_ignore_ascii_case("postmaster") {
            return Ok(Self::new("postmaster", &domain));
        }
        Ok(Self::new(&local, &domain))
    }
}

impl TryFrom<&str> for AddressKey {
    type Error = AddressError;

    fn try_from(text: &str) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl TryFrom<String> for AddressKey {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl AsRef<str> for AddressKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for AddressKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AddressKey({})", self.0)
    }
}
