//! `hmt-merge`: specs in, one spec out.

mod args;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use hmt_core::cli::{self, Status, replace_file};
use hmt_core::merge;
use hmt_core::spec::{Document, check_refs, load_file, to_text};
use serde_json::Value;

use args::{Args, Config, Target};

fn main() -> ExitCode {
    let args = Args::parse();
    cli::run("hmt-merge", || run(&args.config()))
}

fn run(config: &Config) -> anyhow::Result<Status> {
    let documents = load(config)?;
    let root = merge::specs(&documents, config.policy)?;
    write(&root, &config.target)?;
    Ok(Status::Done)
}

/// Loads all specs before anything is written.
fn load(config: &Config) -> anyhow::Result<Vec<Document>> {
    let mut documents = Vec::new();
    for path in &config.specs {
        let document = if path.as_os_str() == "-" { args::stdin()? } else { load_file(path)? };
        check_refs(&document)?;
        for warning in &document.warnings {
            config.messages.warn(format_args!("{}: {warning}", document.source));
        }
        documents.push(document);
    }
    Ok(documents)
}

/// Writes the result: whole or not at all.
fn write(root: &Value, target: &Target) -> anyhow::Result<()> {
    let (Target::Stdout(format) | Target::File(_, format)) = target;
    let text = to_text(root, *format);
    // Recordings are traffic: a spec that holds them is its owner's alone.
    let private = root.get("x-hmt-replay").is_some();
    match target {
        Target::Stdout(_) => {
            let mut stdout = std::io::stdout().lock();
            stdout
                .write_all(text.as_bytes())
                .and_then(|()| stdout.flush())
                .context("cannot write standard output")
        }
        Target::File(path, _) => {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make the folder {}", folder.display()))?;
            }
            replace_file(path, text.as_bytes(), private)
                .with_context(|| format!("cannot write {}", path.display()))
        }
    }
}
