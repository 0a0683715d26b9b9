//! The command lines of the tools, from the same source files. So a tool's `args.rs` may use the
//! library, but no other file of its tool.

use clap::CommandFactory as _;

use crate::tool::Tool;

/// The definition of a tool's command line.
pub(crate) fn of(tool: Tool) -> clap::Command {
    match tool {
        Tool::Record => record::Args::command(),
        Tool::Build => build::Args::command(),
        Tool::Merge => merge::Args::command(),
        Tool::Mock => mock::Args::command(),
        Tool::Replay => replay::Args::command(),
    }
}

/// Includes the definition of a tool's command line, without the code that interprets it.
macro_rules! command_line {
    ($module:ident, $path:literal) => {
        #[path = $path]
        #[expect(dead_code, reason = "only the tool itself parses its command line")]
        mod $module;
    };
}

// Options that two of them share.
#[path = "../finalise.rs"]
mod finalise;
#[path = "../serving.rs"]
mod serving;
command_line!(build, "../hmt-build/args.rs");
command_line!(record, "../hmt-record/args.rs");
command_line!(merge, "../hmt-merge/args.rs");
command_line!(mock, "../hmt-mock/args.rs");
command_line!(replay, "../hmt-replay/args.rs");
