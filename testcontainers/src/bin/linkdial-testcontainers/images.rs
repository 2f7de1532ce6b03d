use std::error::Error;
use std::io::Write as _;
use std::time::Instant;

use linkdial_testcontainers::{ImageState, LocalImage, LocalImages};

/// Builds every image that the engine lacks, or lists them; the vendor's are left alone.
pub(crate) fn run(list: bool) -> Result<(), Box<dyn Error>> {
    let images = LocalImages::find()?;
    let mut output = std::io::stdout().lock();
    for image in LocalImage::all() {
        let (state, reference) = (images.state(image)?, image.reference());
        if list {
            writeln!(output, "{}\t{reference}\t{state}", image.server())?;
            continue;
        }
        let told = match state {
            ImageState::Vendor => "there, from the vendor".to_owned(),
            ImageState::Local => "there, built here".to_owned(),
            _ => {
                writeln!(output, "{reference}: building")?;
                let begin = Instant::now();
                if images.build(image)? {
                    format!("built in {} s", begin.elapsed().as_secs())
                } else {
                    "built by somebody else meanwhile".to_owned()
                }
            }
        };
        writeln!(output, "{reference}: {told}")?;
    }
    Ok(output.flush()?)
}
