//! The library behind HMT, the HTTP Mocking Toolkit: the architecture in one page.
//!
//! One idea holds the house together: **an exchange is a line, a spec is a file, and everything else is a filter
//! between them.** Whoever knows the two formats (`man/hmt-exchange.5`, `man/hmt-spec.5`) can put any program
//! between two of ours.
//!
//! ```text
//!  live HTTP ─┐                              ┌─> spec.yaml ─┬─> hmt-mock ──> HTTP
//!  HAR, JSONL ┴─ hmt-record ──> exchanges ───┴─ hmt-build   └─> hmt-merge ──> spec.yaml
//!                                    │
//!                                    └──> hmt-replay serve ──> HTTP
//! ```
//!
//! # Layout
//!
//! From the bottom up; each module's own page says what it deals with and what not.
//!
//! * [`exchange`]: a recorded request and its response, and its line of JSON. [`stream`]: where such lines come
//!   from and go to: files, folders, pipes, topics.
//! * [`spec`]: OpenAPI documents as ordered trees. [`schema`]: their schemas, compiled to be checked and joined.
//!   [`format`](mod@format): string formats, one small file each. [`conform`]: an exchange held against a spec.
//! * [`infer`]: exchanges become a state, a state becomes a spec. [`merge`]: several specs become one.
//! * [`build`](mod@build): exchanges are read, folded and written as a spec; the work of `hmt-build`.
//! * [`fake`]: data made from a schema. [`recorded`]: answers found among recordings.
//! * [`net`]: the plumbing of HTTP servers. [`record`], [`mock`], [`replay`]: the three servers.
//! * [`cli`]: being a good Unix process. The executables in `bins/` are its only users.
//!
//! # Who may import whom
//!
//! This table is the law, and `scripts/check-layers` holds the code against it: nothing else is allowed.
//! The executables may import everything.
//!
//! | module | may import |
//! |---|---|
//! | `exchange`, `format`, `cli` | nothing of ours |
//! | `stream` | `exchange` |
//! | `spec` | nothing of ours |
//! | `schema` | `spec`, `format` |
//! | `conform` | `exchange`, `spec`, `schema` |
//! | `recorded` | `exchange`, `spec` |
//! | `infer` | `exchange`, `schema`, `spec`, `format` |
//! | `merge` | `infer`, `schema`, `spec` |
//! | `build` | `exchange`, `stream`, `infer`, `merge`, `spec`, `conform` |
//! | `fake` | `schema`, `spec`, `format` |
//! | `net` | `exchange` |
//! | `record` | `exchange`, `stream`, `net`, `conform` |
//! | `mock` | `exchange`, `stream`, `net`, `spec`, `schema`, `conform`, `recorded`, `fake`, `format` |
//! | `replay` | `exchange`, `stream`, `net`, `recorded` |
//!
//! Async lives in `net`, `record`, `mock` and `replay`; Kafka's threads are librdkafka's own, behind `stream`; all else is plain synchronous code that can be tested with
//! a byte slice. Functions take readers, writers, listeners and shutdown futures; none opens a standard stream or a
//! port. Errors are a small precise type for each module; `anyhow`, with context, only in `cli` and the executables.
//!
//! # Where do I add …?
//!
//! | to add | write | register |
//! |---|---|---|
//! | a source or sink of exchanges | `stream/NAME.rs` | one line in the locator table |
//! | a string format | `format/NAME.rs` | one line in `FORMATS`; builder, validator and faker all have it |
//! | an inference rule | `infer/finalise/NAME.rs` | one line in the rule list |
//! | an admin endpoint | `mock/admin/NAME.rs` | one line in `ROUTES` |

pub mod build;
pub mod cli;
pub mod conform;
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
pub mod schema;
pub mod spec;
pub mod stream;
