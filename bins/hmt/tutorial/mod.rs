//! `hmt tutorial`: records an API, builds specs from the recordings, and mocks the API, with the
//! real tools and in the user's terminal. The API is a part of this program, so that neither a
//! network nor another program is needed.

mod api;
mod http;
mod screen;
mod steps;
mod workshop;

use std::path::PathBuf;

use hmt_core::cli::Status;

use screen::{Left, Screen};
use workshop::Workshop;

/// How to run the tutorial.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Do not wait for input between the steps
    #[arg(long)]
    auto: bool,

    /// Copy the recordings and specs to this folder at the end
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Runs it. Everything happens in a temporary folder and on free ports of loopback.
///
/// # Errors
/// A step that did not work.
pub(crate) fn run(options: &Options) -> anyhow::Result<Status> {
    let screen = Screen::new(options.auto);
    let mut workshop = Workshop::open(screen)?;
    let steps: [fn(&mut Workshop) -> anyhow::Result<()>; 8] = [
        steps::welcome,
        steps::record,
        steps::build,
        steps::mock,
        steps::merge,
        steps::state,
        steps::check,
        steps::goodbye,
    ];
    for step in steps {
        match step(&mut workshop) {
            Err(error) if error.is::<Left>() => {
                workshop.screen.say("The tutorial ends here. Run `hmt tutorial` to start again.");
                break;
            }
            ended => ended?,
        }
    }
    workshop.close(options.keep.as_deref())?;
    Ok(Status::Done)
}
