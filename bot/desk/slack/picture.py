"""A small PNG drawn without a drawing library: bars, a line, and digits. The numbers stand in the text as well."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
INK: Colour = (40, 44, 52)
GRID: Colour = (222, 224, 228)
GLYPHS: dict[str, tuple[str, ...]] = {
    "0": ("###", "#.#", "#.#", "#.#", "###"), "1": (".#.", "##.", ".#.", ".#.", "###"),
    "2": ("###", "..#", "###", "#..", "###"), "3": ("###", "..#", "###", "..#", "###"),
    "4": ("#.#", "#.#", "###", "..#", "..#"), "5": ("###", "#..", "###", "..#", "###"),
    "6": ("###", "#..", "###", "#.#", "###"), "7": ("###", "..#", ".#.", ".#.", ".#."),
    "8": ("###", "#.#", "###", "#.#", "###"), "9": ("###", "#.#", "###", "..#", "###"),
}  # fmt: skip


class Picture:
    """A canvas of RGB pixels, origin top left."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.rows = [bytearray(bytes(WHITE) * width) for _ in range(height)]

    def box(self, x: int, y: int, width: int, height: int, colour: Colour) -> None:
        """A filled rectangle, clipped to the canvas."""
        left, right = max(0, x), min(self.width, x + width)
        if right <= left:
            return
        for row in self.rows[max(0, y) : max(0, min(self.height, y + height))]:
            row[3 * left : 3 * right] = bytes(colour) * (right - left)

    def number(self, x: int, y: int, value: int, scale: int = 2, colour: Colour = INK) -> None:
        """A number with its middle at ``x``."""
        text = str(max(0, value))
        left = x - (len(text) * 4 * scale - scale) // 2
        for n, digit in enumerate(text):
            for row, pixels in enumerate(GLYPHS[digit]):
                for column, pixel in enumerate(pixels):
                    if pixel == "#":
                        self.box(left + (n * 4 + column) * scale, y + row * scale, scale, scale, colour)

    def png(self) -> bytes:
        """The picture as a PNG file."""
        raw = b"".join(b"\0" + bytes(row) for row in self.rows)
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bars(
    picture: Picture,
    x: int,
    y: int,
    width: int,
    height: int,
    values: Sequence[int],
    colours: Sequence[Colour],
    limit: int | None = None,
) -> None:
    """A bar chart with the value above each bar; ``limit`` draws a line at that value."""
    top = max([1, *values, *([limit] if limit else [])])
    for quarter in range(5):
        picture.box(x, y + height - height * quarter // 4, width, 1, GRID)
    step = width // max(1, len(values))
    for n, value in enumerate(values):
        tall = round(height * value / top)
        picture.box(x + n * step + step // 6, y + height - tall, step - step // 3, tall, colours[n % len(colours)])
        picture.number(x + n * step + step // 2, y + height - tall - 14, value)
    if limit:
        picture.box(x, y + height - round(height * limit / top), width, 2, (214, 69, 65))
    picture.box(x, y + height, width, 2, INK)
