"""``hearout doctor``: what machine this is, and whether it can do the work."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import socket
import sqlite3
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from bot.app import store_path, store_url
from bot.commands.checks import Checked
from bot.config import Config
from bot.store.opening import sqlite_file, without_secrets
from bot.store.port import StoreError

LIBRARIES = ("tweepy", "slack_bolt", "slack_sdk", "transitions", "sqlite-utils", "starlette", "jinja2", "pydantic")
DISK_FREE_MB_MIN = 500
SYNC_MS_MAX = 50.0
"""A disk that needs longer to make a write durable holds up every reply."""
CONNECT_S = 5.0
POSTGRES_MIN = 140000
ROUND_TRIP_MS_MAX = 20.0
"""A decision takes about four round trips to the database."""
CLOCK_APART_S_MAX = 2.0
"""Processes on several machines give leases to each other by their clocks."""


def examine(config: Config) -> list[Checked]:
    """Look at the machine, and whether what is configured can be reached. Keys are for ``check --online``."""
    return [
        Checked("python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.platform()}"),
        Checked("sqlite", sqlite3.sqlite_version_info >= (3, 35), sqlite3.sqlite_version),
        libraries(),
        clock(),
        *(disk(config) if sqlite_file(store_url(config)) else server(store_url(config))),
        *(reached(name, url) for name, url in addresses(config).items()),
    ]


def addresses(config: Config) -> dict[str, str]:
    """Where the configured platforms are, by the key that says so."""
    found = {f"x.accounts.{account.name}": account.api_url for account in config.x.accounts}
    if config.slack.enabled:
        found["slack"] = config.slack.api_url
    if config.webhook.url:
        found["webhook"] = config.webhook.url
    return found


def reached(name: str, url: str) -> Checked:
    """Does a machine answer there? Nothing is sent to it."""
    address = urlsplit(url)
    host, port = address.hostname or "", address.port or (80 if address.scheme == "http" else 443)
    begin = time.monotonic()
    try:
        socket.create_connection((host, port), CONNECT_S).close()
    except OSError as error:
        words = f"{host}:{port} cannot be reached ({error}): look at the name, the firewall and the network"
        return Checked(f"reach {name}", False, words)
    return Checked(f"reach {name}", True, f"{host}:{port} answers after {(time.monotonic() - begin) * 1000:.0f} ms")


def libraries() -> Checked:
    """Are the libraries there?"""
    found, missing = [], []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    return Checked("libraries", not missing, f"missing: {', '.join(missing)}" if missing else ", ".join(found))


def clock() -> Checked:
    """Is the clock plausible? A clock before this software was written is wrong."""
    now = datetime.now(UTC)
    return Checked("clock", now.year >= 2026, f"{now.isoformat(timespec='seconds')}, local zone {time.tzname[0]}")


def disk(config: Config) -> list[Checked]:
    """Room, and how long a durable write takes, where the database is."""
    folder = store_path(config).resolve().parent
    while not folder.exists():
        folder = folder.parent
    free_mb = shutil.disk_usage(folder).free // 2**20
    results = [Checked("disk room", free_mb >= DISK_FREE_MB_MIN, f"{folder}: {free_mb} MB free")]
    try:
        milliseconds = sync_ms(folder)
    except OSError as error:
        return [*results, Checked("disk writes", False, f"{folder}: {error.strerror}: make it writable for this user")]
    return [
        *results,
        Checked("disk writes", milliseconds <= SYNC_MS_MAX, f"a durable write takes {milliseconds:.2f} ms"),
    ]


def server(url: str) -> list[Checked]:
    """Is PostgreSQL there, near, new enough, and does its clock agree with ours?"""
    name = without_secrets(url)
    try:
        from bot.store.postgres_check import examine as ask

        found = asyncio.run(ask(url))
    except ImportError as error:
        words = f"{name}: {error.name} is not installed: uv tool install 'hearout[postgresql]'"
        return [Checked("postgresql", False, words)]
    except StoreError as error:
        return [Checked("postgresql", False, f"{name}: {error}")]
    major, minor = divmod(found.version, 10_000)
    fit = found.version >= POSTGRES_MIN and not found.standby
    words = f"{name}: version {major}.{minor}, up to {found.connections_max} connections"
    return [
        Checked("postgresql", fit, words + (", a standby: it cannot be written to" if found.standby else "")),
        Checked("database away", found.round_trip_ms <= ROUND_TRIP_MS_MAX, f"{found.round_trip_ms:.2f} ms"),
        Checked("database clock", abs(found.clock_ahead_s) <= CLOCK_APART_S_MAX, f"{found.clock_ahead_s:+.2f} s"),
    ]


def sync_ms(folder: Path) -> float:
    """The median of some durable writes, in milliseconds."""
    path = folder / f".hearout-doctor-{os.getpid()}"
    took = []
    try:
        with path.open("wb") as file:
            for _ in range(9):
                began = time.perf_counter()
                file.write(b"x" * 4096)
                file.flush()
                os.fsync(file.fileno())
                took.append((time.perf_counter() - began) * 1000)
    finally:
        path.unlink(missing_ok=True)
    return sorted(took)[len(took) // 2]
