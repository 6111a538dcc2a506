//! Images, recognised by their first bytes, whatever the sender claims. SVG is a document with scripts, so it is not one here.

/// An image that browsers show and that runs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
}

impl Image {
    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
        }
    }
}

/// The image that `bytes` are (WHATWG MIME Sniffing, 6.1).
#[must_use]
pub fn image(bytes: &[u8]) -> Option<Image> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Image::Png),
        [0xff, 0xd8, 0xff, ..] => Some(Image::Jpeg),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Image::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', b'V', b'P', ..] => Some(Image::Webp),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_four_kinds_are_images() {
        assert_eq!(image(b"\x89PNG\r\n\x1a\n..."), Some(Image::Png));
        assert_eq!(image(b"\xff\xd8\xff\xe0"), Some(Image::Jpeg));
        assert_eq!(image(b"GIF89a"), Some(Image::Gif));
        assert_eq!(image(b"RIFF1234WEBPVP8 "), Some(Image::Webp));
        for other in [&b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..], b"GIF88a", b"", b"\x89PNG", b"BM"] {
            assert_eq!(image(other), None);
        }
    }
}
