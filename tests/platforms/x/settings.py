"""Switches of the local X: the answers X leaves open, its lags, and malformed answers that clients must survive."""

from dataclasses import dataclass


@dataclass(slots=True)
class Settings:
    """Change any of them at any time; the defaults are the strict reading of X's documentation."""

    new_field_names: bool = False
    """Answer with the names of spec 2.167 (`referenced_posts`, `note_post`, `edit_history_post_ids`); requests may
    always use either."""
    milliseconds: bool = True
    """`created_at` with `.000`; else whole seconds."""
    implicit_mention_counts: bool = False
    """A prefix mention is enough to be allowed to reply (unverified on X)."""
    retweets_in_mentions: bool = True
    """A retweet of a post that names us appears among our mentions."""
    quotes_in_mentions: bool = False
    """A quote of our post appears among our mentions although it does not name us."""
    dms_available: bool = True
    """False: every `/2/dm_*` route answers 403, as when X withdraws it for encrypted chat."""
    timestamp_skew_s: float = 300.0
    duplicate_window_s: float = 86_400.0
    """How long the same text by the same account is refused."""
    mention_lag_s: tuple[float, float] = (0.0, 0.0)
    """Range of the lag from a post to its appearance in timelines, search and streams."""
    own_lag_s: tuple[float, float] = (0.0, 0.0)
    """The same for posts that the API accepted: what a read-back has to reckon with."""
    dm_lag_s: tuple[float, float] = (0.0, 0.0)
    dm_history_s: float = 30 * 86_400.0
    mentions_deep: int = 800
    timeline_deep: int = 3200
    search_window_s: float = 7 * 86_400.0
    keep_alive_s: float = 20.0
    stream_connections_max: int = 1

    # Malformed answers
    unknown_fields: bool = False
    """Objects carry a field that no documentation names."""
    drop_author_id: bool = False
    """`author_id` is missing although it was requested."""
    shuffle_rows: bool = False
    """The rows of a page come in no order."""
    duplicate_rows: bool = False
    """Every row of a page comes twice."""
