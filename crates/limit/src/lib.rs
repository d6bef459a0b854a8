//! Send rates and rolling quotas, decided together.
