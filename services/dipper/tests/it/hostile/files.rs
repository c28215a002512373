//! Writers of picture files that no picture program would write.

use flate2::{Compress, Compression, FlushCompress};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// A small picture of 160 x 96 pixels.
pub fn small() -> DynamicImage {
    RgbImage::from_fn(160, 96, |x, y| {
        let [x, y] = [x, y].map(|at| u8::try_from(at).unwrap());
        Rgb([x, 2 * y, 255 - x])
    })
    .into()
}

/// It as a file of a format.
pub fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    small().write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// It as a grey JPEG.
pub fn grey_jpeg() -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut file, 90);
    small().to_luma8().write_with_encoder(encoder).unwrap();
    file
}

/// A JPEG's segment.
pub fn segment(marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).unwrap();
    [&[0xFF, marker], &length.to_be_bytes()[..], payload].concat()
}

/// A JPEG with a segment after its start.
pub fn with_segment(jpeg: &[u8], marker: u8, payload: &[u8]) -> Vec<u8> {
    [&jpeg[..2], &segment(marker, payload), &jpeg[2..]].concat()
}

/// What a JPEG of one colour is like.
pub struct PlainJpeg {
    /// The marker of its frame: which kind of JPEG it is.
    pub frame: u8,
    /// Bits a channel.
    pub depth: u8,
    /// How many channels.
    pub channels: u8,
    /// The size that it states.
    pub size: (u16, u16),
    /// How many blocks there are, whatever the size demands.
    pub blocks: usize,
}

impl PlainJpeg {
    /// An ordinary one of 64 x 64 pixels.
    pub fn new(frame: u8, channels: u8) -> Self {
        Self {
            frame,
            depth: 8,
            channels,
            size: (64, 64),
            blocks: 64,
        }
    }

    /// Its file: in each block the same grey, by two codes of one bit.
    pub fn file(&self) -> Vec<u8> {
        let (width, height) = self.size;
        let mut frame = vec![self.depth];
        frame.extend([height.to_be_bytes(), width.to_be_bytes()].concat());
        frame.push(self.channels);
        let mut scan = vec![self.channels];
        for channel in 1..=self.channels {
            frame.extend([channel, 0x11, 0]);
            scan.extend([channel, 0]);
        }
        // A progressive scan has the first coefficient only.
        let last = if self.frame == 0xC2 { 0 } else { 63 };
        scan.extend([0, last, 0]);
        let one_code = |class: u8| [&[class, 1][..], &[0; 15], &[0]].concat();
        let bits = 2 * self.blocks * usize::from(self.channels);
        [
            vec![0xFF, 0xD8],
            segment(0xDB, &[&[0][..], &[1; 64]].concat()),
            segment(self.frame, &frame),
            segment(0xC4, &one_code(0)),
            segment(0xC4, &one_code(0x10)),
            segment(0xDA, &scan),
            vec![0; bits / 8],
            vec![0xFF, 0xD9],
        ]
        .concat()
    }

    /// Its file as a print shop makes it: with Adobe's mark, which says how the channels are meant.
    pub fn adobe_file(&self, transform: u8) -> Vec<u8> {
        let mark = [&b"Adobe\0\x64\0\0\0\0"[..], &[transform]].concat();
        with_segment(&self.file(), 0xEE, &mark)
    }
}

/// EXIF's block: an orientation, and where the photo was taken as a text.
pub fn exif(orientation: u8, told: &str) -> Vec<u8> {
    let mut block = b"MM\0*\0\0\0\x08\0\x02".to_vec();
    block.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    let length = u32::try_from(told.len()).unwrap();
    block.extend([0x92, 0x7C, 0, 7]);
    block.extend(length.to_be_bytes());
    block.extend([0, 0, 0, 38, 0, 0, 0, 0]);
    block.extend(told.as_bytes());
    block
}

/// EXIF as a JPEG has it.
pub fn exif_segment(orientation: u8, told: &str) -> Vec<u8> {
    [b"Exif\0\0", exif(orientation, told).as_slice()].concat()
}

/// A chunk of a PNG with its checksum.
pub fn png_chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
    let mut checksum = flate2::Crc::new();
    checksum.update(kind);
    checksum.update(data);
    let length = u32::try_from(data.len()).unwrap();
    [
        &length.to_be_bytes(),
        kind,
        data,
        &checksum.sum().to_be_bytes(),
    ]
    .concat()
}

/// A PNG of zeros: its size, its bits a channel and its kind of colour. The data are as many as they say.
pub fn black_png(size: (u32, u32), depth: u8, colour: u8) -> Vec<u8> {
    let channels = match colour {
        2 => 3,
        4 => 2,
        6 => 4,
        _ => 1,
    };
    let line = 1 + u64::from(size.0) * channels * u64::from(depth) / 8;
    let data = zeros(line * u64::from(size.1));
    let header = png_header(size, depth, colour);
    let palette = png_chunk(b"PLTE", &[200, 30, 30]);
    let palette = if colour == 3 { palette } else { Vec::new() };
    let parts = [
        header,
        palette,
        png_chunk(b"IDAT", &data),
        png_chunk(b"IEND", &[]),
    ];
    [&b"\x89PNG\r\n\x1a\n"[..], &parts.concat()].concat()
}

/// A PNG that states a size and has next to no data.
pub fn empty_png(size: (u32, u32)) -> Vec<u8> {
    let parts = [
        png_header(size, 8, 2),
        png_chunk(b"IDAT", &zeros(100)),
        png_chunk(b"IEND", &[]),
    ];
    [&b"\x89PNG\r\n\x1a\n"[..], &parts.concat()].concat()
}

fn png_header((width, height): (u32, u32), depth: u8, colour: u8) -> Vec<u8> {
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([depth, colour, 0, 0, 0]);
    png_chunk(b"IHDR", &header)
}

/// So many zeros, compressed: the same block of a mebibyte again and again, since each stands by itself.
pub fn zeros(count: u64) -> Vec<u8> {
    const BLOCK: usize = 1 << 20;
    const HEADER: [u8; 2] = [0x78, 0xDA];
    let blocks = usize::try_from(count).unwrap() / BLOCK;
    let rest = usize::try_from(count).unwrap() % BLOCK;
    let parts = [
        HEADER.to_vec(),
        deflated(BLOCK, FlushCompress::Full).repeat(blocks),
        deflated(rest, FlushCompress::Finish),
        adler_of_zeros(count).to_be_bytes().to_vec(),
    ];
    parts.concat()
}

fn deflated(zeros: usize, end: FlushCompress) -> Vec<u8> {
    let mut file = Vec::with_capacity(1 << 16);
    let mut compress = Compress::new(Compression::best(), false);
    compress
        .compress_vec(&vec![0; zeros], &mut file, end)
        .unwrap();
    assert_eq!(compress.total_in(), zeros as u64);
    file
}

/// Their checksum: the sum of the bytes and one, and the sum of these sums.
fn adler_of_zeros(count: u64) -> u32 {
    const PRIME: u64 = 65_521;
    u32::try_from((count % PRIME) << 16 | 1).unwrap()
}

/// A PNG with chunks after its header.
pub fn with_png_chunks(chunks: &[Vec<u8>]) -> Vec<u8> {
    const HEADER_END: usize = 33;
    let file = encoded(ImageFormat::Png);
    let (header, rest) = file.split_at(HEADER_END);
    [header, &chunks.concat(), rest].concat()
}

/// A chunk of a WebP, padded to an even length.
pub fn webp_chunk(kind: &[u8], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap();
    let padding = vec![0; data.len() % 2];
    [kind, &length.to_le_bytes(), data, &padding].concat()
}

/// A WebP of chunks.
pub fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
    let data = [b"WEBP", chunks.concat().as_slice()].concat();
    webp_chunk(b"RIFF", &data)
}

/// The chunk that says what an extended WebP has, and how large its canvas is.
pub fn webp_canvas(flags: u8, (width, height): (u32, u32)) -> Vec<u8> {
    let [width, height] = [width, height].map(|edge| (edge - 1).to_le_bytes());
    let data = [&[flags, 0, 0, 0], &width[..3], &height[..3]].concat();
    webp_chunk(b"VP8X", &data)
}

/// The chunk of pixels of the small picture.
pub fn webp_pixels() -> Vec<u8> {
    encoded(ImageFormat::WebP)[12..].to_vec()
}

/// A frame of an animation that fills the canvas.
pub fn webp_frame() -> Vec<u8> {
    let place = [0, 0, 0, 0, 0, 0, 159, 0, 0, 95, 0, 0, 100, 0, 0, 0];
    webp_chunk(b"ANMF", &[&place, webp_pixels().as_slice()].concat())
}
