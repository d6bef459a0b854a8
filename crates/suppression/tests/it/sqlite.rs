//! The list in a SQLite file.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use posthaste_address::KeyRules;
use posthaste_suppression::{
    Entry, Filter, ListErrorKind, Reason, SqlSettings, SqliteSuppressionList, SuppressionList, SuppressionListExt,
};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::suite::{List, each};
use crate::tests_of;

/// Keeps the folder until the list is dropped.
#[derive(Debug)]
struct InFolder(
    SqliteSuppressionList,
    #[expect(dead_code, reason = "removed when dropped")] TempDir,
);

async fn list() -> List {
    let folder = tempfile::tempdir().unwrap();
    let list = SqliteSuppressionList::open(folder.path().join("list.db"), SqlSettings::default()).await;
    Arc::new(InFolder(list.unwrap(), folder))
}

each!(tests_of list);

impl SuppressionList for InFolder {
    fn find<'a>(
        &'a self,
        lookup: &'a posthaste_suppression::Lookup<'a>,
    ) -> posthaste_suppression::ListFuture<'a, Vec<Option<Entry>>> {
        self.0.find(lookup)
    }

    fn put<'a>(&'a self, entries: &'a [Entry]) -> posthaste_suppression::ListFuture<'a, ()> {
        self.0.put(entries)
    }

    fn remove<'a>(
        &'a self,
        addresses: &'a [posthaste_address::EmailAddress],
        scope: &'a posthaste_suppression::Scope,
        reasons: posthaste_suppression::Reasons,
    ) -> posthaste_suppression::ListFuture<'a, u64> {
        self.0.remove(addresses, scope, reasons)
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> posthaste_suppression::ListFuture<'a, posthaste_suppression::Page> {
        self.0.list(filter)
    }

    fn remove_expired(&self, now: SystemTime) -> posthaste_suppression::ListFuture<'_, u64> {
        self.0.remove_expired(now)
    }
}

fn bounce(text: &str) -> Entry {
    Entry::new(text.parse().unwrap(), Reason::Bounce, SystemTime::UNIX_EPOCH)
}

#[tokio::test]
async fn what_was_put_is_there_after_a_restart_and_for_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.db");
    let first = SqliteSuppressionList::open(&path, SqlSettings::default())
        .await
        .unwrap();
    first.put(&[bounce("bob@example.net")]).await.unwrap();
    let second = SqliteSuppressionList::open(&path, SqlSettings::default())
        .await
        .unwrap();
    second.put(&[bounce("zoe@example.net")]).await.unwrap();
    for list in [first, second] {
        assert_eq!(list.list(&Filter::default()).await.unwrap().entries.len(), 2);
    }
}

#[tokio::test]
async fn looser_rules_find_more() {
    let folder = tempfile::tempdir().unwrap();
    let settings = SqlSettings::default()
        .with_rules(KeyRules::default().gmail())
        .with_connections(0);
    let list = SqliteSuppressionList::open(folder.path().join("list.db"), settings)
        .await
        .unwrap();
    list.put(&[bounce("a.da+news@googlemail.com")]).await.unwrap();
    let found = list
        .find_one(&"ADA@gmail.com".parse().unwrap(), &[], SystemTime::UNIX_EPOCH)
        .await;
    assert!(found.unwrap().is_some());
}

#[tokio::test]
async fn what_cannot_be_a_list_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("no/such/folder/list.db");
    let error = SqliteSuppressionList::open(nowhere, SqlSettings::default())
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.is_temporary()), (ListErrorKind::Config, false));

    let text = folder.path().join("text.db");
    std::fs::write(
        &text,
        "not a database, but long enough to have a header of one: ".repeat(20),
    )
    .unwrap();
    let error = SqliteSuppressionList::open(text, SqlSettings::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ListErrorKind::Refused);
    assert_eq!(error.to_string(), "suppression list: refused: the database says 26");
}

#[tokio::test]
async fn tables_of_a_later_version_are_left_alone_and_odd_rows_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.db");
    let list = SqliteSuppressionList::open(&path, SqlSettings::default())
        .await
        .unwrap();
    list.put(&[bounce("bob@example.net")]).await.unwrap();
    let mut other = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    sqlx::query("UPDATE posthaste_suppression SET reason = 'boredom'")
        .execute(&mut other)
        .await
        .unwrap();
    let filter = Filter::default();
    // What is not known is not looked for, but it is not passed over in silence where it stands in the way.
    assert_eq!(list.list(&filter).await.unwrap().entries, []);
    sqlx::query("UPDATE posthaste_suppression SET reason = 'bounce', address = 'x'")
        .execute(&mut other)
        .await
        .unwrap();
    let error = list.list(&filter).await.unwrap_err();
    assert_eq!(error.kind(), ListErrorKind::Corrupt);
    assert_eq!(
        error.to_string(),
        "suppression list: unreadable entry: column `address`"
    );

    sqlx::query("UPDATE posthaste_suppression_schema SET version = 2")
        .execute(&mut other)
        .await
        .unwrap();
    let error = SqliteSuppressionList::open(&path, SqlSettings::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ListErrorKind::Schema);
}

#[tokio::test]
async fn a_file_that_another_holds_is_waited_for_only_so_long() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.db");
    let settings = SqlSettings::default().with_timeout(Duration::from_millis(50));
    let list = SqliteSuppressionList::open(&path, SqlSettings::default())
        .await
        .unwrap();
    drop(list);
    let list = SqliteSuppressionList::open(&path, settings).await.unwrap();
    let mut other = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    let error = list.put(&[bounce("bob@example.net")]).await.unwrap_err();
    assert_eq!((error.kind(), error.is_temporary()), (ListErrorKind::TimedOut, true));
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    list.put(&[bounce("bob@example.net")]).await.unwrap();
}
