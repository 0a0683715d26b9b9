//! Answers with the exact recording of a request, if a spec has one.

use crate::conform::Verb;
use crate::recorded::Lookup;

use super::super::answer::Answer;
use super::super::call::{Call, Context};

pub(super) fn answer(context: &Context<'_>, call: &Call<'_>) -> Option<Answer> {
    let known = matches!(call.verb(), Verb::Known(_));
    if !known || call.dynamic(context.settings) || call.preferences.skips_recordings() {
        return None;
    }
    let lookup = Lookup::new(&call.request, call.host);
    // Reading can fail only for recordings in a temporary file, and those of specs are in memory.
    let answer = context.catalogue.recordings().answer(&lookup).ok().flatten()?;
    Some(Answer::recorded(&answer))
}
