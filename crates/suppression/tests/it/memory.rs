//! The list in memory.

use std::sync::Arc;
use std::time::SystemTime;

use posthaste_address::KeyRules;
use posthaste_suppression::{Entry, ListErrorKind, MemorySuppressionList, Reason, SuppressionList, SuppressionListExt};

use crate::suite::{List, each};
use crate::tests_of;

async fn list() -> List {
    Arc::new(MemorySuppressionList::new())
}

each!(tests_of list);

fn bounce(text: &str) -> Entry {
    Entry::new(text.parse().unwrap(), Reason::Bounce, SystemTime::UNIX_EPOCH)
}

#[tokio::test]
async fn a_full_list_takes_nothing_new_and_says_so() {
    let list = MemorySuppressionList::new().with_max_entries(2);
    list.put(&[bounce("a@example.org"), bounce("b@example.org")])
        .await
        .unwrap();
    list.put(&[bounce("A@example.org").with_detail("again")]).await.unwrap();
    let error = list
        .put(&[bounce("a@example.org"), bounce("c@example.org")])
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.is_temporary()), (ListErrorKind::Full, false));
    assert_eq!(error.to_string(), "suppression list: full: 2 entries are the most");
    assert_eq!(list.len(), 2);
}

#[tokio::test]
async fn looser_rules_find_more() {
    let list = MemorySuppressionList::with_rules(KeyRules::default().gmail());
    list.put(&[bounce("a.da+news@googlemail.com")]).await.unwrap();
    let found = list
        .find_one(&"ADA@gmail.com".parse().unwrap(), &[], SystemTime::UNIX_EPOCH)
        .await;
    assert!(found.unwrap().is_some());
    assert!(!list.clone().is_empty());
}
