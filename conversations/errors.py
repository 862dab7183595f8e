"""The errors of the domain.

    HearoutError                    anything this project raises on purpose
    ├── ProtocolError               an event that the protocol has no row for
    ├── PlanError                   a plan that cannot be proposed as written (field, message)
    ├── TemplateError               a template that may not be used (file, line, message)
    ├── LanguagePackError           a language folder that cannot be loaded (file, key, message)
    └── PolicyError                 a tunable outside its range (key, value, fix)

Branch on the type, never on the text.
"""


class HearoutError(Exception):
    """The root of every error that Hearout raises on purpose."""


class ProtocolError(HearoutError):
    """An event reached a state that has no row for it and does not ignore it: a bug, never a customer's fault."""


class PlanError(HearoutError):
    """A plan that cannot be proposed as written."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class TemplateError(HearoutError):
    """A template that may not be used: where it stands, on which line, and what is wrong with it."""

    def __init__(self, source: str, line: int, message: str) -> None:
        super().__init__(f"{source}, line {line}: {message}")
        self.source = source
        self.line = line
        self.message = message


class LanguagePackError(HearoutError):
    """A language folder that cannot be loaded."""

    def __init__(self, file: str, key: str, message: str) -> None:
        super().__init__(f"{file}: {key}: {message}")
        self.file = file
        self.key = key
        self.message = message


class PolicyError(HearoutError):
    """A tunable outside its range."""

    def __init__(self, key: str, value: object, fix: str) -> None:
        super().__init__(f"{key} = {value!r}: {fix}")
        self.key = key
        self.value = value
        self.fix = fix
