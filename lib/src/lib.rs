//! The library behind HMT, the HTTP Mocking Toolkit: the architecture in one page.
//!
//! The design follows one idea: **an exchange is a line, a spec is a file, and everything else is a
//! filter between them.** The two formats (`man/hmt-exchange.5`, `man/hmt-spec.5`) are documented,
//! so any other program can be put between two HMT tools.
//!
//! ```text
//!  live HTTP ─┐                              ┌─> spec.yaml ─┬─> hmt-mock ──> HTTP
//!  HAR, JSONL ┴─ hmt-record ──> exchanges ───┴─ hmt-build   └─> hmt-merge ──> spec.yaml
//!                                    │
//!                                    ├──> hmt-replay serve ──> HTTP
//!                                    └──> hmt-replay send ──> HTTP ──> exchanges
//! ```
//!
//! # Layout
//!
//! From the bottom up; the documentation of each module says what belongs to it and what does not.
//!
//! * [`exchange`]: a recorded request with its response, and its line of JSON. [`stream`]: sources
//!   and sinks of such lines: files, folders, pipes, topics.
//! * [`spec`]: OpenAPI documents as ordered trees. [`schema`]: their schemas, compiled for checking
//!   and joining. [`format`](mod@format): string formats, one small file each. [`conform`]: checks
//!   exchanges against a spec.
//! * [`check`]: compares exchanges with specs, and sums up the findings. [`report`]: reports for
//!   people and programs.
//! * [`diff`](mod@diff): the changes between two specs, and what they mean for clients.
//! * [`infer`]: folds exchanges to a state, and converts a state to a spec. [`merge`]: merges
//!   specs.
//! * [`build`](mod@build): the implementation of `hmt-build`: reads and folds exchanges, writes a
//!   spec.
//! * [`fake`]: generates data from a schema. [`recorded`]: finds answers among recordings.
//! * [`net`]: the common parts of HTTP servers. [`record`], [`mock`], [`replay`]: the three
//!   servers.
//! * [`units`]: durations and sizes as users write them. [`cli`]: Unix process conventions. Only
//!   the executables in `bins/` use it.
//!
//! # Which modules may import which
//!
//! `scripts/check-layers` checks the code against this table: other imports are not allowed. The
//! executables may import everything.
//!
//! | module | may import |
//! |---|---|
//! | `exchange`, `format`, `units` | no other module |
//! | `cli` | `units` |
//! | `stream` | `exchange` |
//! | `spec` | no other module |
//! | `schema` | `spec`, `format` |
//! | `conform` | `exchange`, `spec`, `schema` |
//! | `recorded` | `exchange`, `spec`, `units` |
//! | `infer` | `exchange`, `schema`, `spec`, `format` |
//! | `merge` | `exchange`, `infer`, `schema`, `spec`, `conform`, `recorded` |
//! | `report` | no other module |
//! | `check` | `exchange`, `spec`, `schema`, `conform`, `infer`, `report`, `units` |
//! | `diff` | `spec`, `schema`, `report` |
//! | `build` | `exchange`, `stream`, `infer`, `merge`, `spec`, `conform`, `check`, `report` |
//! | `fake` | `schema`, `spec`, `format` |
//! | `net` | `exchange` |
//! | `record` | `exchange`, `stream`, `net`, `check` |
//! | `mock` | `exchange`, `stream`, `net`, `spec`, `schema`, `conform`, `recorded`, `fake`, `format`, `units` |
//! | `replay` | `exchange`, `stream`, `net`, `recorded`, `report`, `units` |
//!
//! Only the servers (`net`, `record`, `mock`, `replay`), their log in `stream` and parts of `cli`
//! are asynchronous. Kafka's threads belong to librdkafka, behind `stream`. Everything else is
//! synchronous code that can be tested with a byte slice. Functions take readers, writers,
//! listeners and shutdown futures; none opens a standard stream or a port. Each module has its own
//! small error type; `anyhow`, with context, is only used in `cli` and the executables.
//!
//! # Code written for speed
//!
//! Such code is in a few files, behind ordinary functions. Each file states the gain, and its tests
//! compare it with a simple implementation. `cargo run --release --features bench --bin NAME`
//! measures it.
//!
//! | file | purpose | measured by |
//! |---|---|---|
//! | `exchange/escape/` | writes JSON strings | `text-speed` |
//! | `exchange/unescape.rs` | reads JSON strings | `text-speed` |
//! | `infer/state/tape/literal.rs` | parses JSON within JSON | `text-speed` |
//! | `infer/sketch/key.rs` | compares short texts | `text-speed` |
//! | `exchange/redact/scan/` | searches for many words | `redact-speed` |
//!
//! # Where to add something
//!
//! | to add | write | register |
//! |---|---|---|
//! | a capture format | `stream/NAME.rs` | one row in `FORMATS` of `stream/detect.rs` |
//! | a sink | `stream/NAME_sink.rs` | one case in `open` of `stream/rotate.rs` |
//! | a locator of sources and sinks | `stream/NAME.rs` | one variant of `Locator` |
//! | a string format | `format/NAME.rs` | one row in `FORMATS`, for builder, validator and faker |
//! | an inference rule | `infer/finalise/paths/NAME.rs` or `schemas/NAME.rs` | one call in `infer/finalise/document/paths.rs` |
//! | a format of reports | `report/NAME.rs` | one row in `FORMATS` of `report` |
//! | an admin endpoint | `mock/admin/NAME.rs` | one row in `ROUTES` of `mock/admin/router.rs` |
//! | a stage of the mock | `mock/stages/NAME.rs` | one call in `mock/stages/mod.rs`, in order |
//! | a flag of a program | a field in `bins/PROGRAM/args.rs` | the manual page in `man/` |
//!
//! # Where to change something
//!
//! | to change | see |
//! |---|---|
//! | the 404 and 405 of the mock | `mock/stages/missing.rs` |
//! | a preference of clients (`Prefer`) | `mock/preferences.rs`, `mock/stages/fault.rs` |
//! | which of two values a merge keeps | `merge/context.rs`, `schema/join.rs` for schemas |
//! | which path segments are values | `infer/state/class.rs` |
//! | the key of Kafka messages | `stream/kafka/sink.rs` |
//! | how much of a body the recorder keeps | `record/copy.rs` |
//! | the order and repetition of recorded responses | `recorded/sequence.rs` |
//! | names and formats of secrets | `exchange/redact/table.rs` |

pub mod build;
pub mod check;
pub mod cli;
pub mod conform;
pub mod diff;
pub mod exchange;
pub mod fake;
pub mod format;
pub mod infer;
pub mod merge;
pub mod mock;
pub mod net;
pub mod record;
pub mod recorded;
pub mod replay;
pub mod report;
pub mod schema;
pub mod spec;
pub mod stream;
pub mod units;
