"""The people and posts of the local X, and what tests make them do."""

import random
from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from tests.platforms.x.ids import Snowflakes
from tests.platforms.x.model import (
    Accepted,
    Account,
    Credentials,
    DirectMessage,
    Media,
    Permission,
    Post,
    User,
)
from tests.platforms.x.settings import Settings
from tests.platforms.x.text import mentioned_names


class Shelf:
    """Ids in numerical order, newest first when walked."""

    def __init__(self) -> None:
        self._ids: list[int] = []

    def add(self, id_: str) -> None:
        """Put an id in its place."""
        insort(self._ids, int(id_))

    def __iter__(self) -> Iterator[str]:
        return (str(number) for number in reversed(self._ids))


class World:
    """State without HTTP. Customers, colleagues and time act on it directly; the API acts through `XPlatform`.

    Posting on a brand's account through `post` is what a colleague does by hand: only the API writes to `accepted`.
    """

    def __init__(self, clock: Callable[[], datetime], rng: random.Random, settings: Settings) -> None:
        self.clock = clock
        self.rng = rng
        self.settings = settings
        self.ids = Snowflakes(rng)
        self.users: dict[str, User] = {}
        self.accounts: dict[str, Account] = {}
        self.posts: dict[str, Post] = {}
        self.dms: dict[str, DirectMessage] = {}
        self.accepted: list[Accepted] = []
        self.credits_depleted = False
        self.all_posts = Shelf()
        self.by_author: dict[str, Shelf] = defaultdict(Shelf)
        self.by_mention: dict[str, Shelf] = defaultdict(Shelf)
        self.dms_of: dict[str, Shelf] = defaultdict(Shelf)
        self.on_post: list[Callable[[Post], None]] = []
        self._names: dict[str, str] = {}
        self._consumer = (self._secret(25), self._secret(50))
        self.bearer_token = self._secret(80)

    # People

    def add_user(
        self,
        username: str,
        *,
        name: str | None = None,
        protected: bool = False,
        dms_open: bool = False,
        automated_by: str | None = None,
        followers_count: int = 0,
        description: str = "",
    ) -> User:
        """A new person, or another bot when `automated_by` names its owner.

        Raises:
            ValueError: the user name is taken or none that X allows.
        """
        if username.lower() in self._names or mentioned_names(f"@{username}") != [username.lower()]:
            raise ValueError(f"user name {username!r} is taken or not 1 to 15 letters, digits or _")
        now = self.clock()
        user = User(
            id=self.ids.at(now - timedelta(days=self.rng.randint(30, 3000))),
            username=username,
            name=name or username.capitalize(),
            created_at=now,
            protected=protected,
            dms_open=dms_open,
            automated_by=automated_by,
            followers_count=followers_count,
            description=description,
        )
        self.users[user.id] = user
        self._names[username.lower()] = user.id
        return user

    def add_account(self, username: str, *, permission: Permission = Permission.DM) -> Account:
        """A brand account with keys of its own, in the one app that this platform knows."""
        user = self.add_user(username, automated_by="owner")
        keys = Credentials(*self._consumer, f"{user.id}-{self._secret(40)}", self._secret(45))
        account = Account(user, keys, permission)
        self.accounts[user.id] = account
        return account

    def user_named(self, username: str) -> User | None:
        """The user of a name, in any case."""
        found = self._names.get(username.lower())
        return None if found is None else self.users[found]

    def sees(self, viewer_id: str | None, author_id: str) -> bool:
        """Whether an author's posts are shown to a viewer (None: the app itself)."""
        author = self.users[author_id]
        if viewer_id == author_id:
            return not author.deleted
        barred = author.deleted or (viewer_id is not None and viewer_id in author.blocks)
        return not barred and (not author.protected or viewer_id in author.followers)

    # Posts

    def post(
        self,
        author: User,
        text: str,
        *,
        reply_to: Post | None = None,
        quote_of: Post | None = None,
        prefix: bool = True,
        exclude: Iterable[str] = (),
        lag_s: float | None = None,
        at: datetime | None = None,
        media: tuple[Media, ...] = (),
        lang: str = "en",
    ) -> Post:
        """Let an author post, reply or quote.

        `prefix`: a reply names its parent's people in front, as X does by itself (False: the author struck them out, or
        wrote a thread in one go). `exclude`: ids left out of it. `lag_s`: how much later timelines show it (None: drawn
        from the settings). `at`: when it was posted (None: now).
        """
        at = at or self.clock()
        named = self._ids_of(mentioned_names(text))
        implicit = self._implicit(author, reply_to, {*named, *exclude}) if reply_to and prefix else ()
        id_ = self.ids.at(at)
        return self._store(
            Post(
                id=id_,
                author_id=author.id,
                body=text,
                prefix="".join(f"@{self.users[user].username} " for user in implicit),
                created_at=at,
                indexed_at=at + timedelta(seconds=self._lag(self.settings.mention_lag_s, lag_s)),
                conversation_id=reply_to.conversation_id if reply_to else id_,
                edit_ids=[id_],
                reply_to_id=reply_to.id if reply_to else None,
                quote_of_id=quote_of.id if quote_of else None,
                mentions=named,
                implicit_mentions=implicit,
                media=media,
                lang=lang,
            )
        )

    def thread(self, author: User, texts: Sequence[str], *, lag_s: float | None = None) -> list[Post]:
        """Posts in one go, each answering the one before; no part names anybody whom its own text does not."""
        posts: list[Post] = []
        for text in texts:
            parent = posts[-1] if posts else None
            posts.append(self.post(author, text, reply_to=parent, prefix=False, lag_s=lag_s))
        return posts

    def retweet(self, author: User, post: Post, *, lag_s: float | None = None) -> Post:
        """A bare repost: its text begins with `RT @name:`."""
        at = self.clock()
        body = f"RT @{self.users[post.author_id].username}: {post.text}"
        id_ = self.ids.at(at)
        return self._store(
            Post(
                id=id_,
                author_id=author.id,
                body=body if len(body) <= 140 else body[:139] + "…",
                prefix="",
                created_at=at,
                indexed_at=at + timedelta(seconds=self._lag(self.settings.mention_lag_s, lag_s)),
                conversation_id=id_,
                edit_ids=[id_],
                retweet_of_id=post.id,
                mentions=tuple(dict.fromkeys((post.author_id, *post.mentions))),
                lang=post.lang,
            )
        )

    def edit(self, post: Post, text: str, *, lag_s: float | None = None) -> Post:
        """A new version with a new id; timelines then show this one only."""
        at = self.clock()
        latest = post.edit_ids[-1]
        new = Post(
            id=self.ids.at(at, above=latest),
            author_id=post.author_id,
            body=text,
            prefix=post.prefix,
            created_at=at,
            indexed_at=at + timedelta(seconds=self._lag(self.settings.mention_lag_s, lag_s)),
            conversation_id=post.conversation_id,
            edit_ids=post.edit_ids,
            reply_to_id=post.reply_to_id,
            quote_of_id=post.quote_of_id,
            mentions=self._ids_of(mentioned_names(text)),
            implicit_mentions=post.implicit_mentions,
            media=post.media,
            lang=post.lang,
        )
        post.edit_ids.append(new.id)
        return self._store(new)

    def delete(self, post: Post) -> None:
        """Delete a post in all its versions; what answers it stays."""
        for id_ in post.edit_ids:
            self.posts[id_].deleted_at = self.clock()

    # Direct messages

    def dm(
        self,
        sender: User,
        recipient: User,
        text: str,
        *,
        lag_s: float | None = None,
        at: datetime | None = None,
        media: tuple[Media, ...] = (),
    ) -> DirectMessage:
        """Let a user write to another, whatever their settings."""
        at = at or self.clock()
        lag = timedelta(seconds=self._lag(self.settings.dm_lag_s, lag_s))
        message = DirectMessage(self.ids.at(at), sender.id, recipient.id, text, at, at + lag, media)
        self.dms[message.id] = message
        for user in {sender.id, recipient.id}:
            self.dms_of[user].add(message.id)
        return message

    def may_dm(self, sender: User, recipient: User) -> bool:
        """Open messages, or the recipient wrote first; never past a block."""
        if recipient.deleted or sender.id in recipient.blocks:
            return False
        wrote = any(self.dms[id_].sender_id == recipient.id for id_ in self.dms_of[sender.id])
        return recipient.dms_open or wrote

    # The judge

    def accept(
        self,
        made: Post | DirectMessage,
        text: str,
        *,
        deep_link: str | None = None,
    ) -> Accepted:
        """Write what the API took into the log; for the platform only."""
        is_post = isinstance(made, Post)
        entry = Accepted(
            number=len(self.accepted) + 1,
            kind="post" if is_post else "dm",
            id=made.id,
            account_id=made.author_id if isinstance(made, Post) else made.sender_id,
            text=text,
            at=made.created_at,
            reply_to_id=made.reply_to_id if isinstance(made, Post) else None,
            quote_of_id=made.quote_of_id if isinstance(made, Post) else None,
            recipient_id=None if isinstance(made, Post) else made.recipient_id,
            deep_link=deep_link,
        )
        self.accepted.append(entry)
        return entry

    def _store(self, post: Post) -> Post:
        self.posts[post.id] = post
        self.all_posts.add(post.id)
        self.by_author[post.author_id].add(post.id)
        quoted = self.posts.get(post.quote_of_id or "")
        touched = {*post.mentions, *post.implicit_mentions} | ({quoted.author_id} if quoted else set())
        for user in sorted(touched):
            self.by_mention[user].add(post.id)
        for listener in self.on_post:
            listener(post)
        return post

    def _implicit(self, author: User, parent: Post, left_out: set[str]) -> tuple[str, ...]:
        people = dict.fromkeys((parent.author_id, *parent.implicit_mentions, *parent.mentions))
        return tuple(user for user in people if user != author.id and user not in left_out)

    def _ids_of(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(self._names[name] for name in names if name in self._names)

    def _lag(self, default: tuple[float, float], lag_s: float | None) -> float:
        return self.rng.uniform(*default) if lag_s is None else lag_s

    def _secret(self, length: int) -> str:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        return "".join(self.rng.choices(alphabet, k=length))
