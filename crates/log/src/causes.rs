//! What caused a failure, as one text: a JSON array, which people and databases can read.

use redengine_core::record::{Details, Reason};

/// Makes the text of the causes of a reason; `None` if there are none.
pub(crate) fn encode(details: Option<&Details>) -> Option<String> {
    let causes = details?.reason.as_ref()?.causes();
    // OK because a list of texts is always JSON.
    let text = || serde_json::to_string(causes).expect("texts are JSON");
    (!causes.is_empty()).then(text)
}

/// Makes a reason of its message and the text of its causes.
pub(crate) fn decode(
    message: Option<impl Into<String>>,
    causes: Option<&str>,
) -> Result<Option<Reason>, String> {
    let Some(message) = message else { return Ok(None) };
    let causes: Vec<String> = match causes {
        Some(text) => serde_json::from_str(text).map_err(|error| {
            format!("its `causes` is `{text}`, not a JSON array of texts: {error}")
        })?,
        None => Vec::new(),
    };
    Ok(Some(Reason::new(message).with_causes(causes)))
}

/// Tells the message of a reason.
pub(crate) fn message(details: Option<&Details>) -> Option<&str> {
    Some(details?.reason.as_ref()?.message())
}
