//! Reads the mail that comes back: delivery reports, complaints, automatic replies, and bounces in plain words.

mod auto_reply;
mod complaint;
mod delivery;
mod events;
mod fields;
mod notification;
mod original;
mod returned;
mod text;
mod transcript;

pub use auto_reply::AutoReply;
pub use complaint::Complaint;
pub use delivery::{Action, DeliveryReport, Form, RecipientReport};
pub use original::Original;
pub use returned::{ReadError, Returned};
