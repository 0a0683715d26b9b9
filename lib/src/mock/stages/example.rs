//! Answers with an example of the spec.

use super::super::answer::{Answer, Source};
use super::super::call::{Call, Context};
use super::negotiation::Choice;

pub(super) fn answer(
    context: &Context<'_>,
    call: &Call<'_>,
    choice: &Choice<'_>,
) -> Option<Answer> {
    let media = choice.media.as_ref()?;
    if call.dynamic(context.settings) && choice.example.is_none() {
        return None;
    }
    let named = choice.example.and_then(|name| media.plan.example(Some(name)));
    let body = named.or_else(|| media.plan.example(None))?;
    let mut answer = super::made::head(context, call, choice);
    answer.body = body.clone();
    answer.source = Some(Source::Example);
    Some(answer)
}
