//! Receives one body: bounded in length and time, counted in the room chunk by chunk as it really comes in (a length
//! that is only promised holds nothing, so a stalled client shuts out nobody else).

use super::answer::Answer;
use super::room::{Held, Room};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body::Body;
use http_body_util::BodyExt as _;
use std::sync::Arc;
use std::time::Duration;

/// A body in memory, with the room that it takes.
#[derive(Debug)]
pub struct Received {
    pub bytes: Bytes,
    pub held: Held,
}

/// What is set aside for a body before its first byte is there.
const FIRST_BYTES: u64 = 16 * 1024;

/// Receives the body, or says how to refuse it.
pub async fn receive<B>(
    headers: &HeaderMap,
    body: B,
    bytes_max: u64,
    deadline: Duration,
    room: &Arc<Room>,
) -> Result<Received, Answer>
where
    B: Body<Data = Bytes> + Unpin,
{
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Answer::compressed());
    }
    let promised = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if promised.is_some_and(|length| length > bytes_max) {
        return Err(Answer::too_large());
    }
    if !room.fits(promised.unwrap_or(1)) {
        return Err(Answer::no_room());
    }
    match tokio::time::timeout(deadline, read(body, bytes_max, promised, room)).await {
        Ok(received) => received,
        Err(_) => Err(Answer::too_slow()),
    }
}

async fn read<B>(
    mut body: B,
    bytes_max: u64,
    promised: Option<u64>,
    room: &Arc<Room>,
) -> Result<Received, Answer>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut held = room.enter();
    let Some(first) = chunk(&mut body, 0, bytes_max, &mut held).await? else {
        return Ok(Received { bytes: Bytes::new(), held });
    };
    if body.is_end_stream() {
        // The whole body came in one piece: no copy.
        return Ok(Received { bytes: first, held });
    }
    let expected = promised.unwrap_or(0).clamp(first.len() as u64, FIRST_BYTES.max(first.len() as u64));
    let mut bytes = BytesMut::with_capacity(usize::try_from(expected).unwrap_or(first.len()));
    bytes.extend_from_slice(&first);
    drop(first);
    while let Some(next) = chunk(&mut body, bytes.len() as u64, bytes_max, &mut held).await? {
        bytes.extend_from_slice(&next);
    }
    Ok(Received { bytes: bytes.freeze(), held })
}

/// The next piece of data; trailers are passed over.
async fn chunk<B>(body: &mut B, so_far: u64, bytes_max: u64, held: &mut Held) -> Result<Option<Bytes>, Answer>
where
    B: Body<Data = Bytes> + Unpin,
{
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Err(Answer::broken()) };
        let Ok(data) = frame.into_data() else { continue };
        let length = data.len() as u64;
        if so_far + length > bytes_max {
            return Err(Answer::too_large());
        }
        if !held.grow(length) {
            return Err(Answer::no_room());
        }
        return Ok(Some(data));
    }
    Ok(None)
}
