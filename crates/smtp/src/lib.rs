//! SMTP both ways: a client transport, and a server that hands over what it accepted.
