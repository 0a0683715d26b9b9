//! Requests generated responses for every operation of some specs from a mock, and checks each with
//! an independent validator (the crate `boon`; `jsonschema` for patterns with look-around or
//! back-references), which shares no code with HMT.
#![allow(clippy::print_stdout, clippy::print_stderr, unreachable_pub)]

mod client;
mod judge;

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use clap::Parser;
use serde_json::Value;

use client::Client;
use judge::{Case, Judge, Schema, Verdict};

/// Validate the generated responses of a mock with an independent validator
#[derive(Parser)]
struct Args {
    /// The program to test
    #[arg(long, default_value = "target/release/hmt-mock")]
    mock: PathBuf,

    /// Number of requests for the default response of each operation
    #[arg(long, default_value_t = 1000)]
    count: u64,

    /// OpenAPI documents
    #[arg(required = true)]
    specs: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut good = true;
    for spec in &args.specs {
        match judge(&args, spec) {
            Ok(valid) => good &= valid,
            Err(error) => {
                eprintln!("{}: {error}", spec.display());
                good = false;
            }
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A mock that ends with this program.
struct Mock {
    child: Child,
    authority: String,
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(args: &Args, spec: &Path) -> Result<Mock, Box<dyn Error>> {
    let mut child = Command::new(&args.mock)
        .args(["-p", "0", "--no-admin", "--no-validate"])
        .arg(spec)
        .stderr(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(child.stderr.take().ok_or("no standard error")?).lines();
    loop {
        let line = lines.next().ok_or("the mock ended")??;
        if let Some((_, authority)) = line.split_once("listening on http://") {
            let authority = authority.to_owned();
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(Mock { child, authority });
        }
        println!("  {line}");
    }
}

fn judge(args: &Args, spec: &Path) -> Result<bool, Box<dyn Error>> {
    println!("{}", spec.display());
    let text = std::fs::read_to_string(spec)?;
    let document: Value = match serde_json::from_str(&text) {
        Ok(document) => document,
        Err(_) => serde_saphyr::from_str(&text)?,
    };
    let begun = Instant::now();
    let mut judge = Judge::new(document)?;
    let cases: Vec<(Case, Schema)> = judge
        .cases()
        .into_iter()
        .map(|case| match judge.compile(&case.schema) {
            Ok(schema) => Ok((case, schema)),
            Err(error) => Err(format!("{}: {error}", case.schema)),
        })
        .collect::<Result<_, _>>()?;
    let schemas = judge.schemas;
    println!("  schemas compiled in {:.1} s", begun.elapsed().as_secs_f64());
    let operations: std::collections::BTreeSet<_> =
        cases.iter().map(|(case, _)| (&case.method, &case.template)).collect();
    let begun = Instant::now();
    let mock = start(args, spec)?;
    let next = Mutex::new(cases.iter());
    let work = || -> Result<Verdict, String> {
        let mut verdict = Verdict::default();
        let mut client = Client::connect(&mock.authority).map_err(|error| error.to_string())?;
        loop {
            let case: Option<&(Case, Schema)> =
                next.lock().map_err(|_| "another worker failed")?.next();
            let Some((case, schema)) = case else { return Ok(verdict) };
            let count = if case.usual { args.count } else { args.count.div_ceil(10) };
            let asked = client.ask(case, count, |status, body| {
                verdict.add(case, &schemas, schema, status, body);
            });
            asked.map_err(|error| format!("{} {}: {error}", case.method, case.template))?;
        }
    };
    let mut verdict = Verdict::default();
    std::thread::scope(|scope| -> Result<(), String> {
        let workers = [scope.spawn(work), scope.spawn(work)];
        for worker in workers {
            verdict.merge(worker.join().map_err(|_| "a worker panicked")??);
        }
        Ok(())
    })?;
    let wrong: u64 = verdict.violations.values().map(|(count, _)| count).sum();
    println!(
        "  {} operations, {} responses, {} answers, {wrong} not valid, {:.1} s",
        operations.len(),
        cases.len(),
        verdict.answers,
        begun.elapsed().as_secs_f64()
    );
    for (name, (count, first)) in &verdict.violations {
        println!("  {count} x {name}: {}", first.chars().take(400).collect::<String>());
    }
    Ok(wrong == 0)
}
