//! Email providers' HTTP APIs behind one send trait: pure encode and decode each, one driver for all.
#![doc = ""]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod adapter;
mod adapters;
mod addresses;
mod batch;
mod driver;
mod error;
mod form;
mod http;
mod json;
mod receipt;
mod registry;
mod secret;
mod settings;
mod submission;

pub use adapter::{Adapter, AuthorizeFuture, Context, Profile};
pub use adapters::{Postmark, SendGrid};
pub use batch::{Batch, BatchOutcome, Personal, Recipients};
pub use driver::Provider;
pub use error::ProviderError;
pub use form::Form;
#[cfg(feature = "client")]
#[cfg_attr(docsrs, doc(cfg(feature = "client")))]
pub use http::{ClientError, ReqwestClient};
pub use http::{HttpClient, HttpError, HttpFuture, HttpRequest, HttpResponse, Method, Progress};
pub use json::Json;
pub use receipt::{CopyReceipt, Fault, Receipt};
pub use registry::{Entry, FromSettings, connect, providers};
pub use secret::{Secret, SecretError};
pub use settings::{Settings, SettingsError};
pub use submission::{Copy, Submission};
