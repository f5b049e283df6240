use redengine::prelude::*;

#[condition("file {pth} exists")]
fn misspelt_argument(path: &str) -> bool {
    !path.is_empty()
}

#[condition("file {path} exists")]
fn missing_argument(_path: &str, _least: u32) -> bool {
    true
}

#[condition("file {path} is {path}")]
fn argument_twice(path: &str) -> bool {
    !path.is_empty()
}

#[condition("it is a work day")]
fn no_argument() -> bool {
    true
}

#[condition("{path} exists")]
fn begins_with_an_argument(path: &str) -> bool {
    !path.is_empty()
}

#[condition("after file {path}")]
fn begins_as_the_language(path: &str) -> bool {
    !path.is_empty()
}

#[condition("in folder {path}", poll = "10 s")]
async fn begins_as_a_window(path: &str) -> bool {
    !path.is_empty()
}

#[condition("gas price below {limit}")]
fn begins_as_a_slip(limit: f64) -> Result<bool> {
    Ok(limit > 0.0)
}

#[condition("file {path} & disk exist")]
fn operator(path: &str) -> bool {
    !path.is_empty()
}

#[condition("file {path} waited for")]
fn operator_over_time(path: &str) -> bool {
    !path.is_empty()
}

#[condition("file {path} and more")]
fn operator_in_words(path: &str) -> bool {
    !path.is_empty()
}

#[condition("file {path} is true")]
fn value(path: &str) -> bool {
    !path.is_empty()
}

#[condition("file {path exists")]
fn open_brace(path: &str) -> bool {
    !path.is_empty()
}

#[condition("e-mail from {sender}: 'x'")]
fn characters(sender: &str) -> bool {
    !sender.is_empty()
}

#[condition("")]
fn empty(path: &str) -> bool {
    !path.is_empty()
}

#[condition("file {path} exists", "there is a file {path}")]
fn two_phrases(path: &str) -> bool {
    !path.is_empty()
}

#[task("dayly & file 'x.csv' exists")]
async fn slips_beside_phrases() {}

#[task("file 'x.csv' exists and hourly")]
async fn operators_in_words() {}

fn main() {}
