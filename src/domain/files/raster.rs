//! What is made of an image that somebody sends: its kind by its content, and a copy that pages show and models see. The
//! copy is turned upright, is of a bounded size, and has nothing of what cameras write beside the picture. Pure.

use image::{
    DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, Rgb, RgbImage, codecs::jpeg::JpegEncoder,
};
use std::io::Cursor;

/// Pixels of the longer side of the copy: Anthropic takes no more when a request has many images; OpenAI scales what is larger
/// than 2048 down, others what is smaller than this.
const LONGEST: u32 = 2000;
/// An image that is unpacked to more is refused: 50 million pixels are what large cameras make.
pub const MOST_PIXELS: u64 = 50_000_000;
/// The same of an image that was such a copy before.
pub const COPY_PIXELS: u64 = 2048 * 2048;
/// Memory for unpacking: such an image with 4 bytes a pixel, and room for the decoder.
const MOST_MEMORY: u64 = 320 * 1024 * 1024;
/// A drawing is kept without loss up to so many bytes; a photograph never is.
const MOST_LOSSLESS: usize = 1024 * 1024;
/// Of JPEG, from 1 to 100.
const QUALITY: u8 = 85;

/// An image, and its copy.
pub struct Made {
    /// Of what came.
    pub media_type: &'static str,
    pub view: Vec<u8>,
    pub view_type: &'static str,
    pub width: u32,
    pub height: u32,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It is no image, or of a kind that is not taken.
    Kind,
    /// It begins like an image, and cannot be read to its end.
    Broken,
    /// It has too many pixels.
    Large,
}

impl Wrong {
    /// For the person who sent it.
    #[must_use]
    pub fn sentence(self, name: &str) -> String {
        match self {
            Self::Kind => format!("“{name}” is not an image that can be sent: choose a PNG, JPEG, WebP or GIF."),
            Self::Broken => {
                format!("“{name}” could not be read: the image is damaged. Save it anew, or choose another.")
            }
            Self::Large => {
                format!("“{name}” has too many pixels: at most {} million. Make it smaller.", MOST_PIXELS / 1_000_000)
            }
        }
    }
}

/// Its kind, by how it begins.
///
/// # Errors
/// [`Wrong::Kind`].
pub fn kind(bytes: &[u8]) -> Result<ImageFormat, Wrong> {
    let taken = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif];
    image::guess_format(bytes).ok().filter(|format| taken.contains(format)).ok_or(Wrong::Kind)
}

/// # Errors
/// What is wrong with it, also more than so many pixels.
pub fn make(bytes: &[u8], most_pixels: u64) -> Result<Made, Wrong> {
    let format = kind(bytes)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(|_| Wrong::Broken)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > most_pixels || limits.reserve(decoder.total_bytes()).is_err() {
        return Err(Wrong::Large);
    }
    let upright = decoder.orientation().map_err(|_| Wrong::Broken)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(|_| Wrong::Broken)?;
    if width.max(height) > LONGEST {
        image = image.thumbnail(LONGEST, LONGEST);
    }
    image.apply_orientation(upright);
    let (view, view_type) = encode(&image, format).ok_or(Wrong::Broken)?;
    Ok(Made { media_type: format.to_mime_type(), view, view_type, width: image.width(), height: image.height() })
}

fn encode(image: &DynamicImage, from: ImageFormat) -> Option<(Vec<u8>, &'static str)> {
    let mut out = Cursor::new(Vec::new());
    if from != ImageFormat::Jpeg {
        let plain: DynamicImage = if image.has_alpha() { image.to_rgba8().into() } else { image.to_rgb8().into() };
        plain.write_to(&mut out, ImageFormat::Png).ok()?;
        if out.get_ref().len() <= MOST_LOSSLESS {
            return Some((out.into_inner(), "image/png"));
        }
        out = Cursor::new(Vec::new());
    }
    on_white(image).write_with_encoder(JpegEncoder::new_with_quality(&mut out, QUALITY)).ok()?;
    Some((out.into_inner(), "image/jpeg"))
}

/// JPEG knows no transparency.
fn on_white(image: &DynamicImage) -> RgbImage {
    if !image.has_alpha() {
        return image.to_rgb8();
    }
    let from = image.to_rgba8();
    RgbImage::from_fn(from.width(), from.height(), |x, y| {
        let [r, g, b, alpha] = from.get_pixel(x, y).0.map(u32::from);
        let mix = |part: u32| u8::try_from((part * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX);
        Rgb([mix(r), mix(g), mix(b)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbaImage;

    fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    /// Noise, which no format makes small.
    fn noise(width: u32, height: u32, alpha: u8) -> DynamicImage {
        let mut seed = 1_u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        RgbaImage::from_fn(width, height, |_, _| image::Rgba([next(), next(), next(), alpha])).into()
    }

    #[test]
    fn the_kind_is_that_of_the_content() {
        let drawing = DynamicImage::new_rgb8(30, 20);
        for (format, media_type) in [
            (ImageFormat::Png, "image/png"),
            (ImageFormat::Jpeg, "image/jpeg"),
            (ImageFormat::Gif, "image/gif"),
            (ImageFormat::WebP, "image/webp"),
        ] {
            let made = make(&encoded(&drawing, format), MOST_PIXELS).ok().unwrap();
            let view_type = if format == ImageFormat::Jpeg { "image/jpeg" } else { "image/png" };
            assert_eq!((made.media_type, made.view_type), (media_type, view_type));
            assert_eq!((made.width, made.height), (30, 20));
            let view = image::load_from_memory(&made.view).unwrap();
            assert_eq!((view.width(), view.height()), (30, 20));
        }
        let wrong = |bytes: &[u8]| make(bytes, MOST_PIXELS).err();
        assert_eq!(wrong(b""), Some(Wrong::Kind));
        assert_eq!(wrong(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), Some(Wrong::Kind));
        assert_eq!(wrong(b"<html><script>alert(1)</script>"), Some(Wrong::Kind));
        assert_eq!(wrong(b"%PDF-1.7"), Some(Wrong::Kind));
        let whole = encoded(&noise(64, 64, 255), ImageFormat::Png);
        assert_eq!(wrong(&whole[..whole.len() / 2]), Some(Wrong::Broken));
        assert_eq!(wrong(b"\x89PNG\r\n\x1a\nand nothing of the kind"), Some(Wrong::Broken));
    }

    /// S21: what unpacks to too much is refused before it is unpacked.
    #[test]
    fn too_many_pixels() {
        let mut bomb = encoded(&DynamicImage::new_rgb8(8, 8), ImageFormat::Gif);
        for at in [6, 8] {
            bomb[at..at + 2].copy_from_slice(&20_000_u16.to_le_bytes());
        }
        assert_eq!(make(&bomb, MOST_PIXELS).err(), Some(Wrong::Large));
    }

    #[test]
    fn the_copy_is_bounded() {
        let made = make(&encoded(&DynamicImage::new_rgb8(3000, 100), ImageFormat::Png), MOST_PIXELS).ok().unwrap();
        assert_eq!((made.width, made.height), (2000, 67));
        // a photograph as PNG would be megabytes
        let made = make(&encoded(&noise(1000, 1000, 255), ImageFormat::Png), MOST_PIXELS).ok().unwrap();
        assert_eq!(made.view_type, "image/jpeg");
        assert!(made.view.len() < 2_000_000, "{}", made.view.len());
    }

    #[test]
    fn see_through_is_white_where_it_has_to_be() {
        assert_eq!(on_white(&noise(2, 2, 0)).get_pixel(1, 1).0, [255; 3]);
        let solid = noise(2, 2, 255);
        assert_eq!(on_white(&solid).get_pixel(1, 1).0[..], solid.to_rgba8().get_pixel(1, 1).0[..3]);
    }

    /// A camera held upright writes a picture that lies, and how to turn it; where it was taken stands beside that.
    #[test]
    fn turned_upright_and_without_a_trace() {
        let jpeg = encoded(&DynamicImage::new_rgb8(40, 20), ImageFormat::Jpeg);
        // Exif with one entry: Orientation (0x0112), SHORT, 6 (turn right)
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        exif.extend(b"taken at home");
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let mut shot = jpeg[..2].to_vec();
        shot.extend([0xff, 0xe1]);
        shot.extend(length);
        shot.extend(&exif);
        shot.extend(&jpeg[2..]);
        let made = make(&shot, MOST_PIXELS).ok().unwrap();
        assert_eq!((made.width, made.height), (20, 40));
        assert!(!made.view.windows(4).any(|four| four == b"home"));
    }
}
