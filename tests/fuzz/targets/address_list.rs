//! Lists, mailboxes, addresses and their keys: never a panic, never a line end in a value, and what is written reads back;
//! what the grammar takes means the same when read leniently.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_address::{AddressKey, AddressList, Domain, EmailAddress, KeyRules, Mailbox, ParseOptions};

/// The key of an address is its own key, under rules of every kind.
fn check_keys(address: &EmailAddress) {
    let literals = ParseOptions::default().domain_literals(true);
    let loose = KeyRules::default()
        .ignore_subaddress('+')
        .ignore_dots_at(address.domain().clone())
        .gmail();
    for rules in [KeyRules::exact(), KeyRules::default(), loose] {
        let key = address.key(&rules);
        assert!(!key.as_str().contains(['\r', '\n', '\0']), "{key:?}");
        assert_eq!(key.as_str().parse::<AddressKey>().as_ref(), Ok(&key));
        if let Ok(again) = EmailAddress::parse_with(key.as_str(), &literals) {
            assert_eq!(again.key(&rules), key, "{address:?}");
        }
    }
    let parts = EmailAddress::from_parts(&address.unquoted_local_part(), address.domain());
    assert!(
        address.unquoted_local_part().is_empty() || parts.as_ref() == Ok(address),
        "{address:?}"
    );
}

fuzz_target!(|text: &str| {
    let literals = ParseOptions::default().domain_literals(true);
    let lenient = AddressList::parse_leniently(text, &literals);
    for unreadable in lenient.unreadable() {
        assert!(unreadable.error().offset() <= text.len());
    }
    let lenient = lenient.into_list();
    let written = lenient.to_string();
    assert!(!written.contains(['\r', '\n', '\0']), "{written:?}");
    assert_eq!(
        AddressList::parse_with(&written, &literals).as_ref(),
        Ok(&lenient),
        "{written:?}"
    );
    if let Ok(list) = AddressList::parse_with(text, &literals) {
        assert_eq!(list, lenient);
        list.mailboxes().map(Mailbox::address).for_each(check_keys);
    }
    if let Ok(list) = text.parse::<AddressList>() {
        for mailbox in list.mailboxes() {
            let written = mailbox.to_string();
            assert!(!written.contains(['\r', '\n', '\0']), "{written:?}");
            assert_eq!(written.parse::<Mailbox>().as_ref(), Ok(mailbox), "{written:?}");
        }
    }
    if let Ok(address) = text.parse::<EmailAddress>() {
        assert_eq!(address.to_string().parse::<EmailAddress>().as_ref(), Ok(&address));
    }
    if let Ok(domain) = text.parse::<Domain>() {
        assert_eq!(domain.to_string().parse::<Domain>().as_ref(), Ok(&domain));
    }
});
