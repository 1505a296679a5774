//! Images as cameras and drawing programs make them.

use image::{DynamicImage, ImageFormat, RgbImage};
use std::io::Cursor;

/// A PNG of so many pixels, no two alike beside each other.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let image =
        RgbImage::from_fn(width, height, |x, y| image::Rgb([x, y, x + y].map(|n| u8::try_from(n * 37 % 256).unwrap())));
    let mut out = Cursor::new(Vec::new());
    DynamicImage::from(image).write_to(&mut out, ImageFormat::Png).unwrap();
    out.into_inner()
}

/// Pixels of an image.
pub fn png_size(bytes: &[u8]) -> (u32, u32) {
    let image = image::load_from_memory(bytes).unwrap();
    (image.width(), image.height())
}
