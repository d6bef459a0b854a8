//! serde for what is text: read with `FromStr`, written with `Display`.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::{
    Address, AddressKey, AddressList, Domain, EmailAddress, EnvelopeId, Group, Mailbox, Notify, OriginalRecipient,
    ReturnContent,
};

struct TextVisitor<T>(PhantomData<T>, &'static str);

impl<T> Visitor<'_> for TextVisitor<T>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! as_text {
    ($($type:ty: $what:literal),+ $(,)?) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(TextVisitor(PhantomData, $what))
            }
        }
    )+};
}

as_text! {
    Address: "an email address or a group",
    AddressKey: "the key of an email address",
    AddressList: "a list of email addresses",
    Domain: "a domain name",
    EmailAddress: "an email address",
    EnvelopeId: "an envelope id",
    Group: "a group of email addresses",
    Mailbox: "an email address with or without a name",
    Notify: "`NEVER`, or some of `SUCCESS`, `FAILURE`, `DELAY`",
    OriginalRecipient: "an address behind its type and a semicolon",
    ReturnContent: "`FULL` or `HDRS`",
}
