//! Says what is right, wrong or weak about a mail domain, and about a message before it is sent.
