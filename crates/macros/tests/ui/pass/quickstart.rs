use redengine::prelude::*;

#[task("daily")]
async fn do_daily() {}

#[condition]
fn file_exists(path: &str) -> bool {
    std::path::Path::new(path).exists()
}

#[task("daily & file_exists('x.csv')")]
fn load(limit: Param<usize>) -> Result {
    println!("at most {}", *limit);
    Ok(())
}

#[task(file_exists("x.csv"), name = "the third")]
async fn third() {}

fn main() {
    let session = Session::builder().param("limit", 5_usize).as_default().build().unwrap();
    let names: Vec<String> = session.tasks().iter().map(|task| task.name.to_string()).collect();
    assert_eq!(names, ["do_daily", "load", "the third"]);
    assert_eq!(&**session.task("load").unwrap().start.text(), "daily & file_exists('x.csv')");
}
