//! Every DNS record that a domain needs to send and receive mail, as typed values.
