//! Lists, mailboxes and addresses: never a panic, never a line end in a value, and what is written reads back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_address::{AddressList, Domain, EmailAddress, Mailbox};

fuzz_target!(|text: &str| {
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
