"""The admins' wording: what the console, the commands and a rehearsal call. Nothing here knows a page or a terminal.

Where things are, and what a page calls (``app.wordings`` is the one ``Wordings`` of a running program):

- *list*: ``await app.wordings.entries(language=None) -> list[Entry]``: ``Entry(place, source, version, author, at, drafts)``;
  ``entry.place`` is a ``Place(language, act, surface, topic, situations, variant)`` whose ``name`` is the template's id in the
  store, in turns and in addresses (``Place.parse(name)`` is the reverse; ``Place.make(...)`` takes words from a form);
  ``entry.published`` is False for a pack's default. ``app.wordings.problems`` are published versions that cannot be used.
- *check*: ``check(source, place) -> list[Finding]``: lint and guard, spans in ``source``; quick enough as one types
  (tens of milliseconds). ``refused(findings)`` are those that stop a publication.
- *preview*: ``preview(source, place, sample, brand=app.speech.brand.facts(), number=0) -> Preview`` for one of ``SAMPLES``;
  ``Preview.looks`` has a ``Look(screen, text, length, length_max, why_not)`` for ``Screen.X_POST`` (its length is X's weighted
  one), ``Screen.DIRECT`` and ``Screen.SLACK``; ``previews`` does all samples. While the source cannot be parsed,
  ``Preview.problem`` says why and ``looks`` is empty. ``number`` 1, 2, 3 … shows other phrasings.
- *diff*: ``difference(old, new) -> list[DiffLine]``.
- *change*: ``draft(place, source, by) -> TemplateVersion`` (raises ``Refused`` with findings if it cannot be parsed),
  ``publish(name, version, by)`` (raises ``Refused``, ``SecondAdminNeeded``, ``NoSuchTemplate``), ``needs_second_admin(row, by)``,
  ``rollback(name, by, to=None) -> TemplateVersion | None`` (None: the default again; ``to`` a version's number or "default"),
  ``versions(name)``, ``history(name="") -> list[Change]``. Each writes its line into the audit log in the same transaction. It is
  in force at once in this process, and within five seconds in others; no restart.
- *rehearse*: ``await compare_own(app.store, app.wordings.current, app.wordings.with_drafts([place.template(source)]), limit)``
  puts the brand's own latest conversations through both wordings: ``Comparison(asked, changed, conversations,
  conversations_changed, before: Figures, after: Figures, pairs)``, each ``Pair`` with a ``Side(text, template, length,
  length_max, findings, problem)`` before and after. For a file's conversations:
  ``await app.wordings.rehearse_file(path, format, [place.template(source)])``, with ``threads`` or ``slack``.
- *variants*: ``await outcomes(app.store, place.shared, window_s, since=None) -> list[VariantOutcome]`` with a ``Share(count, of,
  low, high)`` for in_time, went_on, agreed and satisfied; ``enough`` is False under ``ENOUGH_MIN``. Two published templates
  that differ in ``variant`` only are an experiment: each conversation keeps one of them.
"""

from bot.wordings.checking import Refused, check, refused
from bot.wordings.compare import Comparison, Figures, Pair, Side, compare, compare_own
from bot.wordings.differences import DiffLine, difference
from bot.wordings.drafts import BadDraft, Draft, read_drafts
from bot.wordings.outcomes import ENOUGH_MIN, Share, VariantOutcome, outcomes
from bot.wordings.places import NoSuchTemplate, Place
from bot.wordings.preview import Look, Preview, Screen, preview, previews
from bot.wordings.samples import SAMPLES, Sample, sample
from bot.wordings.versions import Change, Entry, FileRehearser, Problem, SecondAdminNeeded, Wordings

__all__ = [
    "Wordings",
    "Entry",
    "Place",
    "Change",
    "Problem",
    "FileRehearser",
    "NoSuchTemplate",
    "SecondAdminNeeded",
    "Refused",
    "check",
    "refused",
    "SAMPLES",
    "Sample",
    "sample",
    "Preview",
    "Look",
    "Screen",
    "preview",
    "previews",
    "DiffLine",
    "difference",
    "Draft",
    "BadDraft",
    "read_drafts",
    "Comparison",
    "Figures",
    "Pair",
    "Side",
    "compare",
    "compare_own",
    "ENOUGH_MIN",
    "Share",
    "VariantOutcome",
    "outcomes",
]
