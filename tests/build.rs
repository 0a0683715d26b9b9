//! Tests of build.
