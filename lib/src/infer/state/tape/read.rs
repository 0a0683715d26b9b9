//! Reads the body of a message onto a tape, in the fastest way that its form allows.

use super::{Held, Tape, literal};
use crate::exchange::{Body, NotJson, mended_json};

impl Tape {
    /// Reads a body as JSON. The result is cached, so it must only be called with the same body
    /// until [`Tapes::forget`].
    ///
    /// # Errors
    /// What the body is instead.
    pub(crate) fn read(
        &mut self,
        body: &Body<'_>,
        content_type: Option<&str>,
    ) -> Result<(), NotJson> {
        let held = match self.held {
            Some(held) => held,
            None => self.read_anew(body, content_type),
        };
        self.held = Some(held);
        match held {
            Held::Literal | Held::Text | Held::Mended => Ok(()),
            Held::Nothing(why) => Err(why),
        }
    }

    /// The text of the body that was read, for [`str`](Self::str).
    pub(crate) fn text<'t>(&'t self, body: &'t Body<'_>) -> &'t str {
        let text = match self.held {
            Some(Held::Literal) => body.literal(),
            Some(Held::Text) => body.as_str(),
            Some(Held::Mended) => Some(self.mended.as_str()),
            Some(Held::Nothing(_)) | None => None,
        };
        text.unwrap_or_default()
    }

    fn read_anew(&mut self, body: &Body<'_>, content_type: Option<&str>) -> Held {
        if let Some(literal) = body.literal() {
            self.clear();
            if literal::read(self, literal) {
                return Held::Literal;
            }
        }
        let mut fault = None;
        if let Some(text) = body.as_str() {
            match self.parse(text) {
                Ok(()) => return Held::Text,
                Err(error) => fault = Some(NotJson::of(text.as_bytes(), &error)),
            }
        }
        if let Some(text) = mended_json(body, content_type) {
            match self.parse(&text) {
                Ok(()) => {
                    self.mended = text.into_owned();
                    return Held::Mended;
                }
                Err(error) => fault = Some(NotJson::of(text.as_bytes(), &error)),
            }
        }
        Held::Nothing(fault.unwrap_or(NotJson::Other))
    }
}
