//! The exact recording of a request, if a spec has one.

use crate::conform::Verb;
use crate::recorded::Asked;

use super::super::answer::Answer;
use super::super::call::{Call, Context};

pub(super) fn answer(context: &Context<'_>, call: &Call<'_>) -> Option<Answer> {
    let known = matches!(call.verb(), Verb::Known(_));
    if !known || call.dynamic(context.settings) || call.preferences.skips_recordings() {
        return None;
    }
    let answer = context.catalogue.recordings().answer(&Asked::new(&call.request, call.host))?;
    Some(Answer::recorded(&answer))
}
