//! The suite that every posthaste transport must pass, with a scriptable fake peer.
