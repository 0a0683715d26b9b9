//! The mock server: router, choice of the answer, admin.
