"""Reads image files and makes the arrays of a graph. The only home of Pillow."""

import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from maas.errors import InvalidRequest, TooLarge
from maas.serving.datatypes import Array
from maas.tasks.limits import TaskLimits

FORMATS = ("JPEG", "PNG", "WEBP")
Image.MAX_IMAGE_PIXELS = None  # MAAS_MAX_IMAGE_PIXELS is in its place, also where it is more


class Images:
    """The steps of a `preprocessor_config.json`: resize, crop, rescale, normalise."""

    def __init__(self, parameters: Mapping[str, Any], limits: TaskLimits) -> None:
        self._resize: list[int] | int | None = parameters["resize"]
        self._crop: list[int] | None = parameters["crop"]
        self._resample = Image.Resampling(parameters["resample"])
        self._scale: float = parameters["scale"]
        self._mean = np.array(parameters["mean"], np.float32).reshape(-1, 1, 1)
        self._std = np.array(parameters["std"], np.float32).reshape(-1, 1, 1)
        self._limits = limits

    def array(self, files: Sequence[bytes], first: int = 0) -> Array:
        """(images, channels, height, width), float32. `first` is the place of the first one in the request.

        Raises InvalidRequest, TooLarge.
        """
        return np.stack([self._one(index, content) for index, content in enumerate(files, first)])

    def _one(self, index: int, content: bytes) -> Array:
        image = self._cropped(self._resized(self._opened(index, content)))
        pixels = np.asarray(image, np.float32).transpose(2, 0, 1)
        return (pixels * np.float32(self._scale) - self._mean) / self._std

    def _opened(self, index: int, content: bytes) -> Image.Image:
        """An upright RGB image, of a JPEG decoded no larger than needed."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image = Image.open(io.BytesIO(content), formats=FORMATS)
                most = self._limits.image_pixels
                if most and image.width * image.height > most:
                    raise TooLarge(
                        f"image {index}: got {image.width} × {image.height} pixels, expected at most {most:,}",
                        field="image",
                    )
                if image.format == "JPEG" and (size := self._least()):
                    image.draft("RGB", size)
                image.load()
                return ImageOps.exif_transpose(_of_8_bits(image)).convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:
            reason = (
                "of another format" if isinstance(error, UnidentifiedImageError) else f"that are none ({error!s:.100})"
            )
            raise InvalidRequest(
                f"image {index}: got {len(content):,} bytes {reason}, expected a whole JPEG, PNG or WebP file",
                field="image",
            ) from None

    def _least(self) -> tuple[int, int] | None:
        """Twice the wanted size, so that resizing a reduced JPEG has the same result to the eye."""
        if self._resize is None:
            return None
        size = [self._resize] * 2 if isinstance(self._resize, int) else self._resize
        return 2 * max(size), 2 * max(size)

    def _resized(self, image: Image.Image) -> Image.Image:
        """To (height, width), or by a number so that the shorter side has it."""
        if self._resize is None:
            return image
        if isinstance(self._resize, int):
            short, long = sorted(image.size)
            longer = max(1, int(self._resize * long / short))
            width, height = (longer, self._resize) if image.width > image.height else (self._resize, longer)
        else:
            height, width = self._resize
        return image.resize((width, height), self._resample)

    def _cropped(self, image: Image.Image) -> Image.Image:
        """The middle of (height, width); what lies outside is black."""
        if self._crop is None:
            return image
        height, width = self._crop
        top, left = (image.height - height) // 2, (image.width - width) // 2
        return image.crop((left, top, left + width, top + height))


def _of_8_bits(image: Image.Image) -> Image.Image:
    """Pillow reduces colours of 16 bits itself, but cuts off grey above 255."""
    if image.mode != "I;16":
        return image
    reduced = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    reduced.info = image.info  # with the orientation
    return reduced
