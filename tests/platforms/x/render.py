"""What the API shows of posts, users and messages: only the fields that were asked for, in X's shapes."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from tests.platforms.x import problems, text
from tests.platforms.x.model import DirectMessage, Json, Media, Post, User
from tests.platforms.x.params import NEW_NAMES, Params
from tests.platforms.x.world import World

_ALWAYS = frozenset(("id", "text", "edit_history_tweet_ids"))
_LONG_WEIGHT = text.WEIGHT_MAX - text.URL_WEIGHT - text.weighted_length("… ")


class View:
    """One answer in the making: renders objects for a viewer and gathers what the expansions ask for."""

    def __init__(self, world: World, viewer_id: str | None, params: Params) -> None:
        self.world = world
        self.settings = world.settings
        self.viewer_id = viewer_id
        self.params = params

    # Whole answers

    def post_page(self, posts: Sequence[Post], errors: Sequence[Json] = ()) -> Json:
        """`data`, `includes` and `errors` of a list of posts; each key only when it holds something."""
        rows = [self.post(post) for post in posts]
        return self._joined(self._disturbed(rows), *self._post_includes(posts, errors))

    def one_post(self, post: Post) -> Json:
        """The answer of a lookup by id."""
        return self._joined(self.post(post), *self._post_includes([post], ()))

    def user_page(self, users: Sequence[User], errors: Sequence[Json] = ()) -> Json:
        """`data` and `errors` of a list of users."""
        return self._joined([self.user(user) for user in users], {}, list(errors))

    def dm_page(self, messages: Sequence[DirectMessage]) -> Json:
        """`data` and `includes` of a list of messages."""
        wanted = self.params.expansions
        people = dict.fromkeys(m.sender_id for m in messages) if "sender_id" in wanted else {}
        if "participant_ids" in wanted:
            people |= dict.fromkeys(id_ for m in messages for id_ in (m.sender_id, m.recipient_id))
        media = [m for message in messages for m in message.media] if "attachments.media_keys" in wanted else []
        includes = self._includes(people, [], media)
        return self._joined(self._disturbed([self.dm(message) for message in messages]), includes, [])

    # Objects

    def post(self, post: Post) -> Json:
        """A post with its default fields, those asked for, and those that an expansion implies."""
        asked = _ALWAYS | self.params.fields["tweet.fields"] | self._implied()
        raw, links = text.shorten(post.text)
        long = text.weighted_length(post.text) > text.WEIGHT_MAX and post.retweet_of_id is None
        shown = raw
        if long:
            shown = text.cut(raw, _LONG_WEIGHT) + "… " + text.short_url(f"https://x.com/i/status/{post.id}")
        for path in self._appended(post):
            shown += f" {text.short_url(path)}"
            links.append((text.short_url(path), path))
        entities = self._entities(text.escape(shown), links)
        parent = self.world.posts.get(post.reply_to_id or "")
        references = [
            {"type": kind, "id": id_}
            for kind, id_ in (
                ("replied_to", post.reply_to_id),
                ("quoted", post.quote_of_id),
                ("retweeted", post.retweet_of_id),
            )
            if id_
        ]
        everything: Json = {
            "id": post.id,
            "text": text.escape(shown),
            "edit_history_tweet_ids": list(post.edit_ids),
            "author_id": None if self.settings.drop_author_id else post.author_id,
            "conversation_id": post.conversation_id,
            "created_at": self.time(post.created_at),
            "lang": post.lang,
            "in_reply_to_user_id": parent.author_id if parent else None,
            "referenced_tweets": references,
            "entities": entities,
            "attachments": {"media_keys": [m.media_key for m in post.media]} if post.media else None,
            "note_tweet": {"text": text.escape(raw)} if long else None,
            "possibly_sensitive": False,
            "reply_settings": "everyone",
            "display_text_range": [len(post.prefix), len(shown)],
            "edit_controls": {
                "edits_remaining": max(0, 6 - len(post.edit_ids)),
                "is_edit_eligible": post.reply_to_id is None,
                "editable_until": self.time(post.created_at + timedelta(hours=1)),
            },
            "public_metrics": self._post_metrics(post) if "public_metrics" in asked else None,
        }
        return self._picked(everything, asked)

    def user(self, user: User) -> Json:
        """A user with the default fields and those asked for."""
        asked = {"id", "name", "username"} | self.params.fields["user.fields"]
        # Where X shows the label in its API is undocumented; the affiliation is the field that carries labels.
        label = {"description": f"Automated by @{user.automated_by}"} if user.automated_by else {}
        everything: Json = {
            "id": user.id,
            "name": user.name,
            "username": user.username,
            "created_at": self.time(user.created_at),
            "protected": user.protected,
            "verified": user.verified,
            "verified_type": "blue" if user.verified else "none",
            "description": user.description,
            "affiliation": label,
            "receives_your_dm": user.dms_open and self.viewer_id not in user.blocks,
            "public_metrics": self._user_metrics(user) if "public_metrics" in asked else None,
            "profile_image_url": "https://pbs.twimg.com/profile_images/local.png",
            "url": "",
        }
        return self._picked(everything, asked)

    def dm(self, message: DirectMessage) -> Json:
        """A message with the default fields and those asked for."""
        asked = {"id", "text", "event_type"} | self.params.fields["dm_event.fields"]
        asked |= self.params.expansions & {"sender_id", "participant_ids"}
        raw, links = text.shorten(message.text)
        everything: Json = {
            "id": message.id,
            "event_type": "MessageCreate",
            "text": text.escape(raw),
            "sender_id": message.sender_id,
            "participant_ids": [message.sender_id, message.recipient_id],
            "dm_conversation_id": message.conversation_id,
            "created_at": self.time(message.created_at),
            "entities": self._entities(text.escape(raw), links),
            "attachments": {"media_keys": [m.media_key for m in message.media]} if message.media else None,
        }
        return self._picked(everything, asked)

    def time(self, instant: datetime) -> str:
        """X's form of an instant."""
        whole = instant.strftime("%Y-%m-%dT%H:%M:%S")
        return f"{whole}.{instant.microsecond // 1000:03}Z" if self.settings.milliseconds else f"{whole}Z"

    # Parts

    def _implied(self) -> frozenset[str]:
        implied = {
            "author_id": "author_id",
            "in_reply_to_user_id": "in_reply_to_user_id",
            "referenced_tweets.id": "referenced_tweets",
            "referenced_tweets.id.author_id": "referenced_tweets",
            "attachments.media_keys": "attachments",
            "entities.mentions.username": "entities",
        }
        return frozenset(implied[name] for name in self.params.expansions if name in implied)

    def _appended(self, post: Post) -> list[str]:
        # X ends a text with the link of what it quotes and of its pictures.
        paths = []
        quoted = self.world.posts.get(post.quote_of_id or "")
        if quoted:
            paths.append(f"https://twitter.com/{self.world.users[quoted.author_id].username}/status/{quoted.id}")
        if post.media:
            paths.append(f"https://twitter.com/{self.world.users[post.author_id].username}/status/{post.id}/photo/1")
        return paths

    def _entities(self, shown: str, links: Iterable[tuple[str, str]]) -> Json | None:
        mentions = []
        for start, end, name in text.mention_spans(shown):
            user = self.world.user_named(name)
            if user:
                mentions.append({"start": start, "end": end, "username": user.username, "id": user.id})
        urls, at = [], 0
        for short, full in links:
            start = shown.find(short, at)
            if start >= 0:
                at = start + len(short)
                expanded = full if "://" in full else f"http://{full}"
                display = expanded.partition("://")[2]
                urls.append({"start": start, "end": at, "url": short, "expanded_url": expanded, "display_url": display})
        return {key: value for key, value in (("mentions", mentions), ("urls", urls)) if value} or None

    def _post_metrics(self, post: Post) -> Json:
        kinds = ("retweet_of_id", "reply_to_id", "quote_of_id")
        posts = [other for other in self.world.posts.values() if other.deleted_at is None]
        retweets, replies, quotes = (sum(getattr(other, kind) == post.id for other in posts) for kind in kinds)
        return {"retweet_count": retweets, "reply_count": replies, "quote_count": quotes, "like_count": 0}

    def _user_metrics(self, user: User) -> Json:
        posted = sum(self.world.posts[id_].deleted_at is None for id_ in self.world.by_author[user.id])
        followers = max(user.followers_count, len(user.followers))
        return {"followers_count": followers, "tweet_count": posted}

    def _post_includes(self, posts: Sequence[Post], errors: Sequence[Json]) -> tuple[Json, list[Json]]:
        wanted, found = self.params.expansions, list(errors)
        people: dict[str, None] = {}
        referenced: dict[str, Post] = {}
        for post in posts:
            if "author_id" in wanted:
                people[post.author_id] = None
            if "entities.mentions.username" in wanted:
                people |= dict.fromkeys((*post.implicit_mentions, *post.mentions))
            if "in_reply_to_user_id" in wanted and post.reply_to_id:
                people[self.world.posts[post.reply_to_id].author_id] = None
            if wanted & {"referenced_tweets.id", "referenced_tweets.id.author_id"}:
                for id_ in filter(None, (post.reply_to_id, post.quote_of_id, post.retweet_of_id)):
                    other = self.world.posts[id_]
                    if other.deleted_at:
                        found.append(problems.missing("tweet", "referenced_tweets.id", id_))
                    elif not self.world.sees(self.viewer_id, other.author_id):
                        found.append(problems.hidden("tweet", "referenced_tweets.id", id_))
                    else:
                        referenced[id_] = other
                        if "referenced_tweets.id.author_id" in wanted:
                            people[other.author_id] = None
            if "edit_history_tweet_ids" in wanted:
                referenced |= {id_: self.world.posts[id_] for id_ in post.edit_ids}
        media = [m for post in posts for m in post.media] if "attachments.media_keys" in wanted else []
        return self._includes(people, list(referenced.values()), media), found

    def _includes(self, people: Iterable[str], posts: Sequence[Post], media: Sequence[Media]) -> Json:
        users = [self.world.users[id_] for id_ in people]
        return {
            key: value
            for key, value in (
                ("users", [self.user(user) for user in users if not user.deleted]),
                ("tweets", [self.post(post) for post in posts]),
                ("media", [self._picked_media(m) for m in media]),
            )
            if value
        }

    def _picked_media(self, media: Media) -> Json:
        asked = {"media_key", "type"} | self.params.fields["media.fields"]
        return {
            key: value
            for key, value in {"media_key": media.media_key, "type": media.type, "url": media.url}.items()
            if key in asked
        }

    def _picked(self, everything: Json, asked: Iterable[str]) -> Json:
        asked = set(asked)
        # X leaves a field out rather than send an empty one.
        shown = {key: value for key, value in everything.items() if key in asked and value not in (None, [])}
        if self.settings.new_field_names:
            shown = {NEW_NAMES.get(key, key): value for key, value in shown.items()}
        if self.settings.unknown_fields:
            shown["brand_new_field"] = {"of": ["a", "later", "version"]}
        return shown

    def _disturbed(self, rows: list[Json]) -> list[Json]:
        if self.settings.duplicate_rows:
            rows = [row for row in rows for _ in range(2)]
        if self.settings.shuffle_rows:
            self.world.rng.shuffle(rows)
        return rows

    def _joined(self, data: Json | list[Json], includes: Json, errors: list[Json]) -> Json:
        return {key: value for key, value in (("data", data), ("includes", includes), ("errors", errors)) if value}
