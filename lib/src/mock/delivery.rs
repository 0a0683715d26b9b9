//! Sends an answer to the client: at once and completely, or late, slowly, truncated or not at all.

mod body;

use bytes::Bytes;
use http::Response;
use rand::RngCore as _;

use crate::net::Withheld;

use super::answer::Answer;
use super::fault::DeliveryFault;

pub(super) use body::ResponseBody;

/// Bytes of garbage: more than one packet of most networks.
const GARBAGE: usize = 2048;

/// The answer as a message. The answer to a HEAD has the length of the body that it lacks.
pub(super) fn to_response(answer: Answer, head: bool) -> Response<ResponseBody> {
    let length = answer.body.len();
    let body = if head { Bytes::new() } else { answer.body };
    let body = match answer.delivery.fault {
        None => ResponseBody::whole(body),
        Some(DeliveryFault::Reset) => return Withheld::Reset.response(ResponseBody::default()),
        Some(DeliveryFault::Empty) => return Withheld::Close.response(ResponseBody::default()),
        Some(DeliveryFault::Garbage) => {
            let mut bytes = vec![0; GARBAGE];
            rand::rng().fill_bytes(&mut bytes);
            // No client may take it for the start of a status line.
            bytes[0] = 0xff;
            return Withheld::Bytes(bytes.into()).response(ResponseBody::default());
        }
        // There is no body to truncate, so the whole response is withheld.
        Some(DeliveryFault::Truncate) if body.is_empty() => {
            return Withheld::Close.response(ResponseBody::default());
        }
        Some(DeliveryFault::Truncate) => ResponseBody::truncated(&body),
        Some(DeliveryFault::Slow(rate)) => ResponseBody::slow(body, rate),
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    if head && length > 0 {
        response.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    }
    response
}
