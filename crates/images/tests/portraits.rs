//! What becomes of what people send.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Cursor;

use image::{DynamicImage, ImageBuffer, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use portcullis_domain::ports::{Portrait, PortraitError, Portraits};
use portcullis_images::{MAX_SIDE, PORTRAIT_SIDE, PortraitMaker};

/// A picture that is red at its left and blue at its right.
fn opaque(width: u32, height: u32) -> DynamicImage {
    let half = |x, _| if x < width / 2 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) };
    RgbImage::from_fn(width, height, half).into()
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

async fn make(content: Vec<u8>) -> Result<Portrait, PortraitError> {
    let maker = PortraitMaker::new(1);
    maker.make(maker.admit()?, content).await
}

fn decoded(portrait: &Portrait) -> DynamicImage {
    let format = ImageFormat::from_mime_type(portrait.content_type.as_str()).unwrap();
    image::load_from_memory_with_format(&portrait.content, format).unwrap()
}

#[tokio::test]
async fn jpeg_png_and_webp_become_portraits() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let portrait = make(encoded(&opaque(300, 200), format)).await.unwrap();
        assert_eq!((portrait.content_type.as_str(), portrait.extension), ("image/jpeg", "jpg"));
        let seen = decoded(&portrait).to_rgb8();
        assert_eq!(seen.dimensions(), (300, 200), "{format:?}");
        assert!(seen.get_pixel(10, 100)[0] > 200 && seen.get_pixel(290, 100)[2] > 200);
    }
}

#[tokio::test]
async fn what_can_be_looked_through_stays_so() {
    let ghost = RgbaImage::from_pixel(20, 20, Rgba([1, 2, 3, 40]));
    let portrait = make(encoded(&ghost.clone().into(), ImageFormat::WebP)).await.unwrap();
    assert_eq!((portrait.content_type.as_str(), portrait.extension), ("image/png", "png"));
    assert_eq!(decoded(&portrait).to_rgba8(), ghost);
}

#[tokio::test]
async fn large_pictures_are_scaled_down_and_keep_their_shape() {
    let portrait = make(encoded(&opaque(3000, 1500), ImageFormat::Png)).await.unwrap();
    let seen = decoded(&portrait);
    assert_eq!((seen.width(), seen.height()), (PORTRAIT_SIDE, PORTRAIT_SIDE / 2));
    let small = make(encoded(&opaque(1, 1), ImageFormat::Png)).await.unwrap();
    assert_eq!(decoded(&small).width(), 1);
}

/// An EXIF block that says where it was taken and that the camera was turned.
fn exif(orientation: u16) -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    tiff.extend(orientation.to_be_bytes());
    tiff.extend(b"\0\0\0\0\0\0GPS 48.2082 N 16.3738 E");
    let body = [b"Exif\0\0", tiff.as_slice()].concat();
    let length = u16::try_from(body.len() + 2).unwrap();
    [&[0xFF, 0xE1][..], &length.to_be_bytes(), &body].concat()
}

#[tokio::test]
async fn a_turned_camera_is_heeded_and_its_place_is_forgotten() {
    let jpeg = encoded(&opaque(40, 20), ImageFormat::Jpeg);
    let turned = [&jpeg[..2], &exif(6), &jpeg[2..]].concat();
    let portrait = make(turned).await.unwrap();
    let seen = decoded(&portrait).to_rgb8();
    assert_eq!(seen.dimensions(), (20, 40));
    assert!(seen.get_pixel(10, 2)[0] > 200 && seen.get_pixel(10, 37)[2] > 200);
    assert!(!portrait.content.windows(3).any(|bytes| bytes == b"GPS"));
}

#[tokio::test]
async fn nothing_behind_the_end_of_a_picture_is_kept() {
    let mut png = encoded(&opaque(10, 10), ImageFormat::Png);
    png.extend(b"<script>alert(1)</script>");
    let portrait = make(png).await.unwrap();
    assert!(!portrait.content.windows(6).any(|bytes| bytes == b"script"));
}

#[tokio::test]
async fn what_is_no_picture_is_refused() {
    for content in [&b""[..], b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a"] {
        let refused = make(content.to_vec()).await;
        assert!(matches!(refused, Err(PortraitError::Unsupported)), "{refused:?}");
    }
}

#[tokio::test]
async fn half_a_picture_is_damaged() {
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let whole = encoded(&opaque(300, 200), format);
        let refused = make(whole[..whole.len() / 2].to_vec()).await;
        assert!(matches!(refused, Err(PortraitError::Damaged(_))), "{format:?}: {refused:?}");
    }
}

/// The beginning of a PNG of 16 bits a colour and four colours, a few rows of it.
fn deep_png(side: u32) -> Vec<u8> {
    let mut bytes = encoded(
        &DynamicImage::ImageRgba16(ImageBuffer::from_pixel(side, 1, Rgba([1, 2, 3, 4]))),
        ImageFormat::Png,
    );
    // The height stands in the first chunk, of which a checksum is kept.
    bytes[20..24].copy_from_slice(&side.to_be_bytes());
    let checksum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// As PNG computes it (RFC 2083, 15.3).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    })
}

#[tokio::test]
async fn a_picture_that_would_take_too_much_memory_is_not_decoded() {
    // Of one colour, 9000 pixels wide: some kilobytes of PNG.
    let wide = RgbImage::new(MAX_SIDE + 1, 16);
    let refused = make(encoded(&wide.into(), ImageFormat::Png)).await;
    assert!(matches!(refused, Err(PortraitError::TooLarge(MAX_SIDE))), "{refused:?}");
    // No side is too long; of 16 bits a colour it would take 512 MiB.
    let refused = make(deep_png(MAX_SIDE)).await;
    assert!(
        matches!(refused, Err(PortraitError::TooLarge(enough)) if enough == MAX_SIDE / 2),
        "{refused:?}"
    );
}

#[tokio::test]
async fn more_than_can_wait_are_turned_away_and_later_served() {
    let maker = PortraitMaker::new(1);
    let content = encoded(&opaque(1500, 1500), ImageFormat::Png);
    let sent: Vec<_> = (0..40)
        .map(|_| {
            let (maker, content) = (maker.clone(), content.clone());
            tokio::spawn(async move { maker.make(maker.admit()?, content).await })
        })
        .collect();
    let (mut made, mut refused) = (0, 0);
    for one in sent {
        match one.await.unwrap() {
            Ok(_) => made += 1,
            Err(PortraitError::Overloaded) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((made, refused), (9, 31));
    assert!(maker.make(maker.admit().unwrap(), content).await.is_ok());
}
