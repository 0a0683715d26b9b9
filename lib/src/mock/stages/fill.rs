//! Fills in the content of an answer.

use super::super::answer::Answer;
use super::super::call::{Call, Context};
use super::lookup::MatchedOperation;
use super::negotiation::Choice;
use super::{example, made};

/// The answer for a choice: an example, or data generated from the schema.
pub(super) fn fill(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
    choice: &Choice<'_>,
) -> Answer {
    example::answer(context, call, operation, choice)
        .unwrap_or_else(|| made::answer(context, call, operation, choice))
}
