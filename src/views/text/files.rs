//! Words about images that go along with a message.

pub const ATTACH: &str = "Add an image";
pub const ATTACH_FILE: &str = "Image";
pub const ATTACH_DO: &str = "Add";
pub const ATTACHED: &str = "Images to send";
/// What the browser offers to choose from; what comes is looked at.
pub const ATTACH_TYPES: &str = "image/png,image/jpeg,image/webp,image/gif";
pub const ATTACH_FAILED: &str = "The image could not be sent. Check the connection and add it again.";
pub const ATTACH_COMING: &str = "Your message goes as soon as the image is there.";
pub const ATTACH_NONE: &str = "Only images can be added: PNG, JPEG, WebP or GIF.";
pub const IMAGE: &str = "Image";
pub const IMAGE_SAVE: &str = "Save the original";
pub const IMAGE_CLOSE: &str = "Close";

pub fn attach_hint(max_mb: u32) -> String {
    format!("A PNG, JPEG, WebP or GIF of at most {max_mb} MB. The model sees a copy of at most 2,000 pixels a side.")
}

pub fn attach_large(max_mb: u32) -> String {
    format!("This image is too large: at most {max_mb} MB can be taken.")
}

pub fn image_show(name: &str) -> String {
    format!("Show {name}")
}
