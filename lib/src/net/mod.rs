//! Hyper plumbing shared by the servers: listener, limits, timers, drain, TLS, HTTP to exchange, problem+json, target routing.
