//! `hmt`, the front end: `hmt record …` runs the `hmt-record` in the same folder.
//!
//! The `hmt-*` programs do all the work. This program finds them, adds default folders, and has the
//! shell completions and the manual of all of them.

mod args;
mod commands;
mod completions;
mod defaults;
mod keep;
mod manual;
#[path = "../parse.rs"]
mod parse;
mod tool;
mod tutorial;
mod words;

use std::ffi::OsString;
use std::process::ExitCode;

use args::Task;
use hmt_core::cli::{self, Status};
use hmt_core::exchange::shown_text;
use tool::Tool;

fn main() -> ExitCode {
    cli::run("hmt", shown_text, || match args::read() {
        Task::Tool(tool, rest) => run(tool, rest),
        Task::Check(rest) => defaults::check(rest).run(),
        Task::Tutorial(options) => tutorial::run(&options),
        Task::Completions(shell) => completions::write(shell).map(|()| Status::Done),
        Task::Help(None) => args::print_help().map(|()| Status::Done),
        Task::Help(Some(page)) => manual::show(page),
    })
}

fn run(tool: Tool, args: Vec<OsString>) -> anyhow::Result<Status> {
    if tool == Tool::Record {
        return keep::record(args);
    }
    defaults::call(tool, args)?.run()
}
