"""A template is text with names in it: everything else that Jinja can do is refused, quickly and in little memory."""

import time
import tracemalloc

import pytest

from conversations.errors import TemplateError
from conversations.wording.findings import Severity
from conversations.wording.lint import check_template
from conversations.wording.request import Act, Surface
from conversations.wording.syntax import parse_phrase
from conversations.wording.template import parse_source

SECONDS_MAX = 0.1
BYTES_MAX = 1_000_000

HOSTILE = [
    # attributes, items, calls: the ways to Python
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ brand.__init__.__globals__ }}",
    "{{ brand['__class__'] }}",
    "{{ brand|attr('__class__') }}",
    "{{ self.__init__.__globals__.__builtins__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner() }}",
    "{{ namespace(x=1) }}",
    "{{ lipsum(n=1000) }}",
    "{{ range(10 ** 9) }}",
    "{{ config }}",
    "{{ request.environ }}",
    "{{ brand.format() }}",
    "{{ '%s'.format(brand) }}",
    "{{ brand[0:10] }}",
    "{{ dict(a=1) }}",
    "{{ [1, 2, 3] }}",
    "{{ (1, 2) }}",
    "{{ {'a': 1} }}",
    # size
    "{{ 'a' * 10 ** 9 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ 2 + 2 }}",
    "{{ 'a' ~ 'b' }}",
    "{{ 99999999999999999999999999999 }}",
    "{{ 'x'|center(1000000000) }}",
    "{{ 'x'|indent(1000000000) }}",
    "{{ brand|wordwrap(1) }}",
    "{{ '" + "a" * 900 + "' }}",
    "{{ '{:1000000000}' }}" + "a" * 3_000,
    # loops, macros, files
    "{% for i in range(1000000000) %}x{% endfor %}",
    "{% for c in brand recursive %}{{ loop(c) }}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% set brand = 'x' %}",
    "{% set x %}y{% endset %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% from 'a' import b %}",
    "{% extends 'base' %}",
    "{% block a %}{% endblock %}",
    "{% call m() %}{% endcall %}",
    "{% filter upper %}x{% endfilter %}",
    "{% with x = 1 %}{{ x }}{% endwith %}",
    "{% autoescape true %}x{% endautoescape %}",
    "{% do 1 %}",
    "{% debug %}",
    # nesting and garbage
    "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
    "{{ " + "not " * 400 + "brand }}",
    "{% if brand %}" * 60 + "{% endif %}" * 60,
    "{{ brand",
    "{% if brand %}",
    "{{ brand is defined }}",
    "{{ brand in 'abc' }}",
    "{{ brand < 3 }}",
    "{{ -1 }}",
    "{{ brand|default(lipsum()) }}",
    "{{ brand|trim('x') }}",
    "{{ brand|bare(x=1) }}",
    "{{ brand|trim(*brand) }}",
    "{{ nobody_knows_this }}",
]


@pytest.mark.parametrize("source", HOSTILE)
def test_hostile_templates_are_refused_in_no_time_and_no_space(source: str) -> None:
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(TemplateError):
            parse_phrase(source)
        assert time.process_time() - began < SECONDS_MAX
        assert tracemalloc.get_traced_memory()[1] < BYTES_MAX
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("source", HOSTILE)
def test_the_check_says_so_instead_of_failing(source: str) -> None:
    findings = check_template(source, Act.ACKNOWLEDGE, "en", Surface.DIRECT)
    assert [finding.severity for finding in findings if finding.rule == "syntax"] == [Severity.REFUSED]


def test_a_megabyte_is_refused_unread() -> None:
    findings = check_template("{{ brand }} " * 100_000, Act.ACKNOWLEDGE, "en", Surface.DIRECT)
    assert [finding.rule for finding in findings] == ["syntax"]


@pytest.mark.parametrize(
    ("source", "values", "said"),
    [
        ("plain { text }", {}, "plain { text }"),
        ("{{ brand }}!", {"brand": "Acme"}, "Acme!"),
        ("{{ brand }}", {}, ""),
        ("{{ brand|upper_first }}", {"brand": "acme"}, "Acme"),
        ("{{ brand|lower_first }}", {"brand": "Acme"}, "acme"),
        ("{{ done_text|bare }}.", {"done_text": "It is done!"}, "It is done."),
        ("{% if agent %}{{ agent }}{% else %}we{% endif %}", {"agent": "Noor"}, "Noor"),
        ("{% if agent %}{{ agent }}{% else %}we{% endif %}", {}, "we"),
        ("{% if agent and not late %}a{% elif late %}b{% endif %}", {"late": True}, "b"),
        ("{{ 'a' if late or agent else 'b' }}", {}, "b"),
        ("{% if round == '2' %}again{% endif %}", {"round": "2"}, "again"),
        ("{% if round != '2' %}first{% endif %}", {"round": "1"}, "first"),
        ("{# a note #}x", {}, "x"),
    ],
)
def test_what_is_allowed_says_what_it_should(source: str, values: dict[str, object], said: str) -> None:
    assert parse_phrase(source).render(values) == said


def test_a_phrase_needs_what_it_prints_and_is_not_guarded() -> None:
    phrase = parse_phrase("{{ team }}{% if agent %} ({{ agent }}){% endif %}{{ wish if wish else quote }}")
    assert phrase.needs == {"team", "quote"}
    assert phrase.names == {"team", "agent", "wish", "quote"}


def test_a_misspelt_name_is_named_with_its_line_and_a_hint() -> None:
    with pytest.raises(TemplateError) as error:
        parse_source("Hello.\n\n[if dm_invite]\nWrite to {{ brnd }}.", where="de/x.toml")
    assert error.value.line == 4
    assert error.value.source == "de/x.toml"
    assert "brnd" in str(error.value)
    assert "did you mean brand" in str(error.value)


def test_a_misspelt_name_is_found_in_a_branch_that_is_never_rendered() -> None:
    with pytest.raises(TemplateError, match="hoers"):
        parse_phrase("{% if late and not late %}{{ hoers }}{% endif %}")


@pytest.mark.parametrize("header", ["[if]", "[if brnd]", "[whenever]", "[if brand or late]", "[optional if not]"])
def test_a_broken_header_is_refused(header: str) -> None:
    with pytest.raises(TemplateError):
        parse_source(f"{header}\nHello.")


def test_a_header_alone_and_an_empty_source_are_refused() -> None:
    with pytest.raises(TemplateError, match="without a phrasing"):
        parse_source("[optional]")
    with pytest.raises(TemplateError, match="nothing to say"):
        parse_source(" \n\n ")
