"""Small things that are kept: templates, values that outlive restarts, the audit log."""

from __future__ import annotations

from dataclasses import replace

from bot.store.codec import clean, micros
from bot.store.records import Hold, TemplateVersion
from bot.store.rows import TEMPLATE_COLUMNS, marks, template_params
from bot.store.steps import Steps
from bot.store.steps.leases import still

_RETIRE = "update template set status='retired' where id=? and version<>? and status='published'"
_META = "insert into meta (key, value) values (?,?) on conflict (key) do update set value=excluded.value"
_AUDIT = "insert into audit (at, actor, action, subject) values (?,?,?,?)"


def add_template(template: TemplateVersion) -> Steps[TemplateVersion]:
    """See ``Store.add_template``."""
    [(number,)] = yield "select coalesce(max(version), 0) + 1 from template where id=?", (template.id,)
    draft = replace(template, version=number, status="draft", source=clean(template.source))
    yield f"insert into template ({TEMPLATE_COLUMNS}) values ({marks(11)})", template_params(draft)
    yield from audit(draft.author, "template drafted", f"{draft.id}@{number}", micros(draft.at))
    return draft


def set_template_status(template: str, version: int, status: str, actor: str, action: str, now: int) -> Steps[bool]:
    """See ``Store.set_template_status``."""
    sql = "update template set status=? where id=? and version=? returning 1"
    if not (yield sql, (status, template, version)):
        return False
    if status == "published":
        yield _RETIRE, (template, version)
    in_force = version if status == "published" else "default"
    yield from audit(actor, action, f"{template}@{in_force}", now)
    return True


def set_meta(key: str, value: str, hold: Hold | None = None) -> Steps[None]:
    """See ``Store.set_meta``."""
    if hold is not None:
        yield from still(hold)
    yield _META, (key, clean(value))


def audit(actor: str, action: str, subject: str, now: int) -> Steps[None]:
    """See ``Store.audit``."""
    yield _AUDIT, (now, clean(actor), clean(action), clean(subject))
