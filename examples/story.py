"""An evening at a restaurant that answers its guests by message, told against the sandbox: nobody is messaged.

    pip install 'bloomchats[sandbox]' && python story.py
"""

from bloomchats import APIConnectionError, v4, webhooks
from bloomchats.testing import Sandbox

ANNA, BEN = "+15551234567", "+15557654321"
NOBODY = "+15005550001"  # one of the sandbox's recipients with a fate: sent, then failed


def main() -> None:
    with Sandbox() as sandbox, sandbox.blooio() as blooio:
        anna, ben = sandbox.phone(ANNA), sandbox.phone(BEN)

        # A new guest is welcomed.
        blooio.v2.contacts.create(identifier=ANNA, name="Anna")
        welcome = blooio.v2.messages.send(ANNA, text="Welcome, Anna!", effect="confetti")
        assert blooio.v2.messages.wait(ANNA, welcome, until="delivered", timeout=30).status == "delivered"

        # She answers, and we read it.
        anna.write("A table for two at eight?")
        [question] = blooio.v2.messages.list(ANNA, direction="inbound")
        assert question.text == "A table for two at eight?"
        blooio.v2.chats.mark_read(ANNA)

        # The answer to a send gets lost: the client repeats it under the same key, and Anna has it once.
        sandbox.faults.add("drop_answer")
        blooio.v2.messages.send(ANNA, text="Booked for eight.")

        # Without a retry left, the error says what to resume with.
        sandbox.faults.add("drop_answer")
        try:
            blooio.v2.messages.send(ANNA, text="See you tonight.", max_retries=0)
        except APIConnectionError as error:
            assert error.maybe_sent
            blooio.v2.messages.send(ANNA, text="See you tonight.", idempotency_key=error.idempotency_key)

        # Some messages cannot be delivered, whoever sends them.
        lost = blooio.v2.messages.send(NOBODY, text="Your table is ready.")
        assert blooio.v2.messages.wait(NOBODY, lost, timeout=30).status == "failed"

        # Friends come along: a group, and a poll in it.
        group = blooio.v2.groups.create(name="Friday", members=[ANNA, BEN]).group_id
        assert group
        blooio.v2.messages.send(group, text="The kitchen asks:")
        poll = blooio.v2.polls.send(group, title="Dessert?", options=["Cake", "Fruit"]).poll_id
        assert poll
        anna.vote("Cake", group=group)
        ben.vote("Cake", group=group)
        assert blooio.v2.polls.get_results(group, poll).total_votes == 2

        # Our webhook is down while Ben writes. Six attempts in a quarter of an hour, which takes no time here.
        receiver = sandbox.receiver(status=503)
        hook = blooio.v4.webhooks.create(url=receiver.url, event_types=["message.received"])
        assert hook.id and hook.signing_secret
        ben.write("We are running late", group=group)
        sandbox.clock.advance(16 * 60)
        [missed] = sandbox.deliveries
        assert missed.state == "failed" and len(missed.attempts) == 6

        # It is back: the delivery is asked for again, and its signature holds.
        receiver.answer(200)
        blooio.v4.webhooks.replay_delivery(hook.id, missed.id)
        sandbox.clock.advance(1)
        arrived = receiver.received[-1]
        event = webhooks.verify(arrived.body, arrived.signature, hook.signing_secret, now=sandbox.clock.now / 1000)
        assert isinstance(event, v4.MessageReceived)

        assert [message.text for message in anna.inbox] == [
            "Welcome, Anna!",
            "Booked for eight.",
            "See you tonight.",
            "The kitchen asks:",
            "Dessert?",
        ]
        assert anna.inbox[0].effect == "confetti"
        assert [message.type for message in ben.inbox] == ["text", "poll"]
        assert sandbox.phone(NOBODY).inbox == []
        print("The story came to its end: everybody has what was meant for them, once.")


if __name__ == "__main__":
    main()
