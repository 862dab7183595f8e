"""What a customer might say next, ready to click: by language and by the state of the conversation."""

from __future__ import annotations

from bot.console.cast import EXAMPLES, REPLIES
from conversations.conversation import Conversation
from conversations.protocol import State

SAYINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": REPLIES,
    "de": {
        "LISTENING": ("und erreichen kann ich auch niemanden", "das ist schon das zweite Mal"),
        "REFLECTING": ("ja, genau. bringt das bis Freitag in Ordnung", "nein, das stimmt so nicht"),
        "AWAITING_AGENT": ("ist da jemand?",),
        "WITH_AGENT": ("gibt es etwas Neues?",),
        "AWAITING_AGREEMENT": ("ja, einverstanden", "nein, das reicht mir nicht"),
        "FULFILLING": ("bisher ist nichts passiert",),
        "RESOLVED": ("danke!", "es geht schon wieder nicht"),
        "CHECKING_BACK": ("ja, alles gut, ich bin zufrieden. danke!", "nein, immer noch nicht behoben."),
        "CLOSED": ("es ist wieder passiert",),
    },
    "es": {
        "LISTENING": ("y además nadie me contesta", "ya es la segunda vez que pasa"),
        "REFLECTING": ("sí, exacto. quiero que lo arreglen antes del viernes", "no, no es eso"),
        "AWAITING_AGENT": ("¿hay alguien ahí?",),
        "WITH_AGENT": ("¿hay alguna novedad?",),
        "AWAITING_AGREEMENT": ("sí, de acuerdo", "no, eso no me basta"),
        "FULFILLING": ("todavía no ha pasado nada",),
        "RESOLVED": ("¡gracias!", "ha vuelto a fallar"),
        "CHECKING_BACK": ("sí, todo bien, estoy contenta. ¡gracias!", "no, sigue sin arreglarse."),
        "CLOSED": ("ha vuelto a pasar",),
    },
    "fr": {
        "LISTENING": ("et personne ne me répond", "c'est déjà la deuxième fois"),
        "REFLECTING": ("oui, exactement. réglez ça avant vendredi", "non, ce n'est pas ça"),
        "AWAITING_AGENT": ("il y a quelqu'un ?",),
        "WITH_AGENT": ("des nouvelles ?",),
        "AWAITING_AGREEMENT": ("oui, d'accord", "non, ça ne me suffit pas"),
        "FULFILLING": ("toujours rien",),
        "RESOLVED": ("merci !", "c'est de nouveau en panne"),
        "CHECKING_BACK": ("oui, tout va bien, je suis contente. merci !", "non, ce n'est toujours pas réglé."),
        "CLOSED": ("c'est encore arrivé",),
    },
    "pt": {
        "LISTENING": ("e ninguém me responde", "já é a segunda vez"),
        "REFLECTING": ("sim, exatamente. resolvam isso até sexta", "não, não é isso"),
        "AWAITING_AGENT": ("está aí alguém?",),
        "WITH_AGENT": ("há novidades?",),
        "AWAITING_AGREEMENT": ("sim, de acordo", "não, isso não me chega"),
        "FULFILLING": ("ainda não aconteceu nada",),
        "RESOLVED": ("obrigada!", "voltou a avariar"),
        "CHECKING_BACK": ("sim, está tudo bem, estou satisfeita. obrigada!", "não, ainda não está resolvido."),
        "CLOSED": ("voltou a acontecer",),
    },
}
"""By language and state. For other languages there is nothing to click: somebody else's language fits no complaint."""


def sayings(case: Conversation) -> tuple[str, ...]:
    """What this customer might say next; an example of ours goes on with its own story. Empty: nothing ready fits."""
    told = [turn.reading.masked for turn in case.story]
    example = next((one for one in EXAMPLES if any(text.endswith(one.text.partition(" ")[2]) for text in told)), None)
    if example is not None and case.state is State.LISTENING:
        return tuple(words for words in example.more if words not in told)
    if example is not None and case.state is State.REFLECTING:
        return example.yes, *REPLIES[State.REFLECTING.value][1:]
    language = "en" if case.language == "und" and story_is_latin(case) else case.language
    return SAYINGS.get(language, {}).get(case.state.value, ())


def story_is_latin(case: Conversation) -> bool:
    """Whether the story is written in Latin letters: too short a text has no language yet."""
    letters = "".join(filter(str.isalpha, "".join(turn.reading.masked for turn in case.story)))
    return bool(letters) and all(letter < "\u0250" for letter in letters)
