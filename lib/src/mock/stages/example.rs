//! Answers with an example of the spec.

use super::super::answer::{Answer, AnswerSource};
use super::super::call::{Call, Context};
use super::lookup::MatchedOperation;
use super::negotiation::Choice;

pub(super) fn answer(
    context: &Context<'_>,
    call: &Call<'_>,
    operation: &MatchedOperation<'_>,
    choice: &Choice<'_>,
) -> Option<Answer> {
    let media = choice.media.as_ref()?;
    if call.dynamic(context.settings) && choice.example.is_none() {
        return None;
    }
    let named = choice.example.and_then(|name| media.plan.example(Some(name)));
    let body = named.or_else(|| media.plan.example(None))?;
    let mut answer = super::made::head(context, call, choice);
    let schemas = &operation.spec.api.schemas;
    answer.body = media.plan.example_as(&media.media_type, body, schemas);
    answer.source = Some(AnswerSource::Example);
    Some(answer)
}
