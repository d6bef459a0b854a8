//! One DNS resolver trait for mail: hickory in production, a zone in memory for tests.
