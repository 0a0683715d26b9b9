//! Keeps composed bodies: a steady answer has the same body whenever the same request comes.
//!
//! Composing an object of eight items with UUIDs takes about as long as the rest of an answer. The
//! memory is bounded, and reading takes no lock.

use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use bytes::Bytes;

use super::media_plan::MediaPlan;

/// How many bodies are kept at most. Each has one place, which a newer one takes over.
const PLACES: u64 = 1024;
/// Longer bodies are not kept, so that all together have at most 32 MiB.
const MAX_BODY: usize = 32 << 10;

/// Bodies by media type and seed.
pub(in crate::mock) struct ComposedBodies {
    places: Box<[CacheSlot]>,
}

#[derive(Default)]
struct CacheSlot {
    /// The last seed that was asked for. A body is kept from the second time on, so that requests
    /// that never come again do not displace others.
    last: AtomicU64,
    kept: ArcSwapOption<Composed>,
}

struct Composed {
    /// The address of the plan. Plans live as long as this does.
    plan: usize,
    seed: u64,
    body: Bytes,
}

impl Default for ComposedBodies {
    fn default() -> Self {
        ComposedBodies { places: (0..PLACES).map(|_| CacheSlot::default()).collect() }
    }
}

impl fmt::Debug for ComposedBodies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComposedBodies").finish_non_exhaustive()
    }
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
        let place = &self.places[usize::try_from(seed % PLACES).unwrap_or_default()];
        if let Some(kept) = &*place.kept.load()
            && (kept.plan, kept.seed) == (plan, seed)
        {
            return kept.body.clone();
        }
        let body = compose();
        if place.last.swap(seed, Ordering::Relaxed) == seed && body.len() <= MAX_BODY {
            place.kept.store(Some(Composed { plan, seed, body: body.clone() }.into()));
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use crate::conform::Api;
    use crate::mock::catalogue::Spec;
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
        assert_eq!(ask(json, 7 + PLACES, 12).len(), 12);
        assert_eq!(composed.take(), 2);
        for _ in 0..5 {
            assert_eq!(ask(json, 8, MAX_BODY + 1).len(), MAX_BODY + 1);
        }
        assert_eq!(composed.take(), 5);
    }
}
