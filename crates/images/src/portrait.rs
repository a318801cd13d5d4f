//! One picture, from bytes to bytes.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::error::LimitErrorKind;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use portcullis_domain::Cause;
use portcullis_domain::object::ContentType;
use portcullis_domain::ports::{Portrait, PortraitError};

/// Most pixels on a side of what is sent: what cameras of telephones give.
pub const MAX_SIDE: u32 = 8192;
/// Most memory that one picture may take: [`MAX_SIDE`] squared, of 4 bytes.
const MAX_PICTURE: u64 = 256 * 1024 * 1024;
/// Most memory that a decoder may take beside it.
const MAX_DECODER: u64 = 64 * 1024 * 1024;
/// Most pixels on a side of what is kept: sharp at 256 on a screen of double
/// density.
pub const PORTRAIT_SIDE: u32 = 512;
/// JPEG's quality, of 100: nobody sees a difference to the original.
const QUALITY: u8 = 85;

const FORMATS: [ImageFormat; 3] = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP];

/// What the bytes say they are; what the client calls them does not matter.
fn format_of(content: &[u8]) -> Result<ImageFormat, PortraitError> {
    let format = image::guess_format(content).map_err(|_| PortraitError::Unsupported)?;
    if FORMATS.contains(&format) { Ok(format) } else { Err(PortraitError::Unsupported) }
}

pub(crate) fn make(content: &[u8]) -> Result<Portrait, PortraitError> {
    let format = format_of(content)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    limits.max_alloc = Some(MAX_DECODER);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    // The library leaves it to us to hold the picture itself against a limit.
    if decoder.total_bytes() > MAX_PICTURE {
        // Its sides are not too long, but its pixels are deep.
        return Err(PortraitError::TooLarge(MAX_SIDE / 2));
    }
    let orientation = decoder.orientation().map_err(unreadable)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    if picture.width().max(picture.height()) > PORTRAIT_SIDE {
        picture = picture.resize(PORTRAIT_SIDE, PORTRAIT_SIDE, FilterType::CatmullRom);
    }
    picture.apply_orientation(orientation);
    encode(&picture)
}

/// What can be looked through stays so; all else is smaller as JPEG.
fn encode(picture: &DynamicImage) -> Result<Portrait, PortraitError> {
    let mut content = Vec::new();
    let (written, content_type, extension) = if picture.color().has_alpha() {
        let picture = picture.to_rgba8();
        (picture.write_with_encoder(PngEncoder::new(&mut content)), "image/png", "png")
    } else {
        let encoder = JpegEncoder::new_with_quality(&mut content, QUALITY);
        (picture.to_rgb8().write_with_encoder(encoder), "image/jpeg", "jpg")
    };
    let failed = |error: Cause| PortraitError::Failed(error);
    written.map_err(|error| failed(error.into()))?;
    let content_type = ContentType::parse(content_type).map_err(|error| failed(error.into()))?;
    Ok(Portrait { content, content_type, extension })
}

fn unreadable(error: ImageError) -> PortraitError {
    match error {
        ImageError::Limits(limit) => match limit.kind() {
            LimitErrorKind::Unsupported { .. } => PortraitError::Failed(limit.into()),
            _ => PortraitError::TooLarge(MAX_SIDE),
        },
        error => PortraitError::Damaged(error.into()),
    }
}
