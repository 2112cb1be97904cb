"""The main job in Python. Keys come from BLOOIO_API_KEY and BLOOMCHATS_API_KEY; BLOOIO_BASE_URL and
BLOOMCHATS_BASE_URL point it at a sandbox.

    python examples/quickstart.py
"""

from bloomchats import BloomChats, Blooio, NotFoundError

PERSON = "+15551234567"


def main() -> None:
    with BloomChats() as bloomchats:
        contacts = list(bloomchats.contacts.list())
        print(f"BloomChats: {len(contacts)} contacts")

    with Blooio() as blooio:
        sent = blooio.v2.messages.send(PERSON, text="Hello")
        final = blooio.v2.messages.wait(PERSON, sent, until="delivered", timeout=30)
        print(f"Blooio v2: {sent.message_ids} is {final.status}")

        preview = blooio.v4.messages.send(to=PERSON, text="Hello", dry_run=True)
        routed = blooio.v4.messages.send(to=PERSON, text="Hello")
        print(f"Blooio v4: dry run {preview}, then {routed}")

        try:
            blooio.v2.messages.get(PERSON, "no-such-message")
        except NotFoundError as error:
            print(f"as expected: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
