//! Keeps composed bodies: a steady answer has the same body whenever the same request comes.
//!
//! Composing an object of eight items with UUIDs takes about as long as the rest of an answer. A
//! kept body, unlike a kept answer, is also used if other headers of the request differ.

use std::ptr;

use bytes::Bytes;

use super::media_plan::MediaPlan;
use super::recent::Recent;

/// Longer bodies are not kept, so that all together have at most 32 MiB.
const MAX_BODY: usize = 32 << 10;

/// Bodies by media type and seed.
#[derive(Debug, Default)]
pub(in crate::mock) struct ComposedBodies(Recent<Composed>);

#[derive(Debug)]
struct Composed {
    /// The address of the plan. Plans live as long as this does.
    plan: usize,
    seed: u64,
    body: Bytes,
}

impl ComposedBodies {
    /// The body that `compose` gives for this plan and seed.
    pub(in crate::mock) fn get(
        &self,
        plan: &MediaPlan,
        seed: u64,
        compose: impl FnOnce() -> Bytes,
    ) -> Bytes {
        let plan = ptr::from_ref(plan).addr();
        let is_same = |kept: &Composed| (kept.plan, kept.seed) == (plan, seed);
        let kept = self.0.get(seed, |kept| is_same(kept).then(|| kept.body.clone()));
        kept.unwrap_or_else(|| {
            let body = compose();
            if body.len() <= MAX_BODY {
                self.0.offer(seed, || Composed { plan, seed, body: body.clone() });
            }
            body
        })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use crate::conform::Api;
    use crate::mock::catalogue::Spec;
    use crate::mock::catalogue::recent::SLOTS;
    use crate::spec::{Document, load};

    use super::*;

    const SPEC: &str = r#"{"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": {
        "/a": {"get": {"responses": {"200": {"description": "", "content": {
            "application/json": {}, "text/plain": {}}}}}}}}"#;

    #[test]
    fn what_is_asked_for_repeatedly_is_composed_twice() {
        let document: Document = load(SPEC.as_bytes(), "spec").expect("a spec");
        let spec = Spec::compile(Api::compile(&document).expect("compiles"), false);
        let [json, text] = &spec.operations[0].responses[0].media[..] else { panic!("two types") };
        let bodies = ComposedBodies::default();
        let composed = Cell::new(0);
        let ask = |plan: &MediaPlan, seed: u64, length: usize| {
            bodies.get(plan, seed, || {
                composed.set(composed.get() + 1);
                Bytes::from(vec![b'x'; length])
            })
        };
        for _ in 0..5 {
            assert_eq!(ask(json, 7, 10).len(), 10);
        }
        assert_eq!(composed.take(), 2);
        // Another plan with the same seed, and another seed in the same place.
        assert_eq!(ask(text, 7, 11).len(), 11);
        assert_eq!(ask(json, 7 + SLOTS, 12).len(), 12);
        assert_eq!(composed.take(), 2);
        for _ in 0..5 {
            assert_eq!(ask(json, 8, MAX_BODY + 1).len(), MAX_BODY + 1);
        }
        assert_eq!(composed.take(), 5);
    }
}
