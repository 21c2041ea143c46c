"""Image files: decoded no larger than needed, upright, in any mode; broken and large ones are refused."""

import io
import random
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from maas.errors import InvalidRequest, TooLarge
from maas.tasks.images import Images
from maas.tasks.limits import TaskLimits

PLAIN = {"resize": [8, 8], "crop": None, "resample": 2, "scale": 1 / 255, "mean": [0, 0, 0], "std": [1, 1, 1]}
PHOTO = PLAIN | {"resize": 224, "crop": [224, 224], "resample": 3}
MOST = 20_000_000


def images(limit: int = MOST, **changes: Any) -> Images:
    return Images(PLAIN | changes, TaskLimits(image_pixels=limit))


def file_of(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def photo(width: int, height: int) -> Image.Image:
    """Smooth light, sharp shapes and a little noise."""
    source = np.random.default_rng(0)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    light = np.stack([np.sin(x / width * 5), np.cos(y / height * 4), np.sin((x + y) / width * 3)], axis=-1)
    noise = source.integers(-6, 7, (height, width, 3))
    picture = Image.fromarray(np.clip(light * 100 + 128 + noise, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(30):
        left, top = int(source.integers(width)), int(source.integers(height))
        draw.rectangle(
            (left, top, left + width // 9, top + height // 9), fill=tuple(source.integers(0, 255, 3).tolist())
        )
    return picture


@pytest.mark.full
@pytest.mark.parametrize("resize", [224, [224, 224]])
def test_jpeg_is_decoded_no_larger_than_needed(resize: Any) -> None:
    """A 16th of the pixels, so of the memory, and nearly the same answer as from all of them."""
    content = file_of(photo(2400, 1800), "JPEG", quality=90)
    reader = images(**PHOTO | {"resize": resize})
    assert reader._opened(0, content).size == (600, 450)  # at least twice 224, a quarter of each side
    (reduced,) = reader.array([content])
    (whole,) = reader.array([file_of(Image.open(io.BytesIO(content)), compress_level=1)])  # PNG is decoded in full
    assert reduced.shape == whole.shape == (3, 224, 224)
    assert np.abs(reduced - whole).mean() < 0.004  # of a range of 1: one step of 255
    assert np.quantile(np.abs(reduced - whole), 0.999) < 0.05


def test_small_jpeg_is_decoded_in_full() -> None:
    content = file_of(photo(400, 300), "JPEG")
    assert images(**PHOTO)._opened(0, content).size == (400, 300)
    assert images(resize=None)._opened(0, content).size == (400, 300)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_image(kind: str, orientation: int) -> None:
    """Eight ways to lie, from the table of the EXIF standard: where the first row and the first column are seen."""
    seen = np.zeros((8, 8, 3), np.uint8)
    seen[:4, :4], seen[:4, 4:], seen[4:, :4] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    stored = {
        1: seen,
        2: seen[:, ::-1],
        3: seen[::-1, ::-1],
        4: seen[::-1],
        5: seen.transpose(1, 0, 2),
        6: np.rot90(seen, 1),
        7: seen[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(seen, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    big = Image.fromarray(np.ascontiguousarray(stored)).resize((64, 64), Image.Resampling.NEAREST)
    (found,) = images().array([file_of(big, kind, exif=exif, quality=95)])
    np.testing.assert_allclose(found.transpose(1, 2, 0)[1::4, 1::4], (seen / 255)[1::4, 1::4], atol=0.12)


@pytest.mark.parametrize(
    ("content", "colour"),
    [
        (file_of(Image.new("L", (8, 8), 128)), (128, 128, 128)),
        (file_of(Image.new("LA", (8, 8), (128, 0))), (128, 128, 128)),
        (file_of(Image.new("RGBA", (8, 8), (200, 100, 50, 0))), (200, 100, 50)),
        (file_of(Image.new("RGB", (8, 8), (200, 100, 50)).quantize(2)), (200, 100, 50)),
        (file_of(Image.new("1", (8, 8), 1)), (255, 255, 255)),
        (file_of(Image.new("L", (8, 8), 128), "JPEG"), (128, 128, 128)),
        (file_of(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"), (255, 0, 0)),
        (file_of(Image.fromarray(np.full((8, 8), 128 * 257, np.uint16))), (128, 128, 128)),
    ],
    ids=["grey", "grey and alpha", "alpha", "palette", "bits", "grey JPEG", "CMYK", "grey of 16 bits"],
)
def test_any_mode_becomes_rgb(content: bytes, colour: tuple[int, ...]) -> None:
    (found,) = images().array([content])
    np.testing.assert_allclose(found[:, 4, 4] * 255, colour, atol=4)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *more: bytes) -> bytes:
    """One that says so of itself, with no pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_bomb_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(TooLarge, match="image 0: got 100000 × 100000 pixels, expected at most 20,000,000"):
        images().array([png(100_000, 100_000)])
    with pytest.raises(TooLarge, match="image 3: got 4001 × 5000"):
        images().array([file_of(Image.new("1", (4001, 5000)))], 3)
    more = png(20_000, 10_000)  # beyond a limit of Pillow's own
    with pytest.raises(InvalidRequest, match="that are none"):
        images(limit=200_000_000).array([more])
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000), 9))
    with pytest.raises(InvalidRequest, match="image 0"):
        images().array([png(8, 8, text)])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_truncated_file_is_refused(kind: str) -> None:
    content = file_of(photo(200, 150), kind)
    for end in (0, 1, 8, 30, len(content) // 4, len(content) // 2, len(content) * 9 // 10):
        with pytest.raises(InvalidRequest, match=r"^image 5: got .* bytes .*expected a whole JPEG, PNG or WebP file$"):
            images().array([content[:end]], 5)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO", "PPM"])
def test_other_formats_are_refused(kind: str) -> None:
    with pytest.raises(InvalidRequest, match="bytes of another format"):
        images().array([file_of(Image.new("RGB", (16, 16)), kind)])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_mutated_file_is_read_or_refused(kind: str) -> None:
    source, whole = random.Random(0), file_of(photo(64, 48), kind)
    for _ in range(200):
        content = bytearray(whole)
        for _ in range(source.randint(1, 8)):
            content[source.randrange(len(content))] = source.randrange(256)
        try:
            (found,) = images().array([bytes(content)])
        except (InvalidRequest, TooLarge):
            continue
        assert found.shape == (3, 8, 8) and np.isfinite(found).all()
