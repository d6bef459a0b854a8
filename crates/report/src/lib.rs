//! Reads and writes DMARC aggregate reports, ARF failure reports and TLS-RPT reports.
