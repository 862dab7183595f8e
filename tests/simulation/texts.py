"""What simulated people write: small pools per language, by what is meant. ``{n}`` keeps texts apart."""

from __future__ import annotations

LANGUAGES = ("en", "de", "es", "fr", "pt")

TEXTS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "complaint": (
            "My parcel is three weeks late and nobody answers, this is ridiculous",
            "You charged me twice for the same order and I want my money back",
            "The app crashes every time I log in, fix it please",
            "Your delivery driver threw the box over the fence and everything inside is broken!",
            "I have been on hold for an hour. Worst service ever.",
        ),
        "more": (
            "and another thing, the tracking page is wrong",
            "1/2",
            "still waiting...",
            "this is the third time this year",
        ),
        "wish": ("Just send me a new one", "I want a full refund, that's all"),
        "confirm": ("Yes, exactly that", "yes that's right"),
        "correct": ("No, that is not what I said, it was the blue one", "not quite, the invoice is wrong as well"),
        "human": ("Can I talk to a real person please?", "I want to speak to a human"),
        "opt_out": ("Stop messaging me", "leave me alone, stop sending me messages"),
        "agree": ("Yes, I agree", "OK, let's do that"),
        "decline": ("No, that is not good enough", "No way"),
        "maybe": ("Hm, maybe, but why so late?", "what about the shipping costs?"),
        "thanks": ("Thank you!", "thanks"),
        "happy": ("Yes, everything is fine now, thank you", "All good, I am happy"),
        "unhappy": ("No, it is still broken", "I am not happy at all, nothing has changed"),
        "irony": ("Thanks for nothing", "great job, really"),
        "danger": ("I can't do this any more, I want to kill myself", "The charger caught fire and burned my hand"),
        "auto": ("I am out of the office until Monday. This is an automatic reply.",),
        "chat": ("Nice weather today", "happy birthday everybody!"),
        "private": ("Write to me at anna.{n}@example.org or call +49 30 901820, it is about my late parcel",),
    },
    "de": {
        "complaint": (
            "Mein Paket ist seit drei Wochen überfällig und niemand antwortet",
            "Ihr habt mir die Bestellung doppelt abgebucht, ich will mein Geld zurück",
            "Die App stürzt bei jeder Anmeldung ab, unmöglich!",
        ),
        "more": ("und noch etwas, die Sendungsverfolgung stimmt nicht", "immer noch nichts..."),
        "wish": ("Ich möchte eine Erstattung", "Schickt mir einfach ein neues"),
        "confirm": ("Ja, genau", "ja das stimmt"),
        "correct": ("Nein, so habe ich das nicht gesagt", "nicht ganz, auch die Rechnung ist falsch"),
        "human": ("Ich will mit einem Menschen sprechen",),
        "opt_out": ("Hört auf, mir zu schreiben",),
        "agree": ("Ja, einverstanden", "in Ordnung, machen wir so"),
        "decline": ("Nein, das reicht mir nicht",),
        "maybe": ("Hm, vielleicht, aber warum erst so spät?",),
        "thanks": ("Danke!", "vielen Dank"),
        "happy": ("Ja, alles in Ordnung jetzt, danke",),
        "unhappy": ("Nein, es ist immer noch kaputt",),
        "irony": ("Danke für nichts",),
        "danger": ("Ich kann nicht mehr, ich will nicht mehr leben",),
        "auto": ("Ich bin bis Montag nicht im Büro. Dies ist eine automatische Antwort.",),
        "chat": ("Schönes Wetter heute",),
        "private": ("Schreibt mir an anna.{n}@example.org, es geht um mein verspätetes Paket",),
    },
    "es": {
        "complaint": (
            "Mi paquete lleva tres semanas de retraso y nadie contesta",
            "Me habéis cobrado dos veces el mismo pedido, quiero mi dinero",
        ),
        "more": ("y otra cosa, el seguimiento está mal",),
        "wish": ("Quiero un reembolso",),
        "confirm": ("Sí, exacto",),
        "thanks": ("¡Gracias!",),
        "agree": ("Sí, de acuerdo",),
        "happy": ("Sí, todo bien ahora, gracias",),
        "unhappy": ("No, sigue roto",),
    },
    "fr": {
        "complaint": (
            "Mon colis a trois semaines de retard et personne ne répond",
            "Vous m'avez débité deux fois, je veux être remboursé",
        ),
        "more": ("et encore une chose, le suivi est faux",),
        "wish": ("Je veux un remboursement",),
        "confirm": ("Oui, exactement",),
        "thanks": ("Merci !",),
        "agree": ("Oui, d'accord",),
        "happy": ("Oui, tout va bien maintenant, merci",),
        "unhappy": ("Non, c'est toujours cassé",),
    },
    "pt": {
        "complaint": (
            "A minha encomenda está três semanas atrasada e ninguém responde",
            "Cobraram-me duas vezes a mesma encomenda, quero o meu dinheiro",
        ),
        "more": ("e mais uma coisa, o rastreio está errado",),
        "wish": ("Quero um reembolso",),
        "confirm": ("Sim, exatamente",),
        "thanks": ("Obrigado!",),
        "agree": ("Sim, concordo",),
        "happy": ("Sim, está tudo bem agora, obrigado",),
        "unhappy": ("Não, continua avariado",),
    },
}


def pool(language: str, meaning: str) -> tuple[str, ...]:
    """Texts that mean this in that language; in English where the language has none."""
    return TEXTS[language].get(meaning) or TEXTS["en"][meaning]


SECRET = "INTERNAL-ONLY"
"""A mark in everything that agents write for agents: on the wire it would be a leak."""
PRIVATE = ("@example.org", "+49 30 901820")
"""Customers' private data: never in public words of the bot."""
