//! Lists in SQL databases.

#[cfg(feature = "postgres")]
mod postgres;
mod row;
mod settings;
#[cfg(feature = "sqlite")]
mod sqlite;
mod work;

#[cfg(feature = "postgres")]
pub use postgres::PostgresSuppressionList;
pub use settings::SqlSettings;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteSuppressionList;

/// The version of the tables that this code works with.
const VERSION: i32 = 1;
