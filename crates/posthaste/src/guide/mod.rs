//! Longer texts, one a task. Their code is compiled and run with the tests.

#[cfg(feature = "campaign")]
pub mod bulk;
#[cfg(feature = "sign")]
pub mod deliverability;
pub mod errors;
pub mod first_message;
#[cfg(feature = "doctor")]
pub mod publishing;
#[cfg(all(feature = "sign", feature = "smtp"))]
pub mod receiving;
pub mod testing;
#[cfg(all(feature = "smtp", feature = "doctor"))]
pub mod tls;
