//! Measures the code for texts that is written for speed.
#![allow(clippy::print_stdout)]

// Its modules bring their tests along, which need the library around them.
#[cfg(not(test))]
mod measure;

fn main() {
    #[cfg(not(test))]
    measure::measure();
}
