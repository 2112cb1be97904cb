"""People: what they received, and what they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bloomchats.testing._control import Control, present, read


@dataclass(frozen=True)
class Poll:
    """What a poll asks."""

    title: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Received:
    """A message that a person received."""

    id: str
    """As v4 names it."""
    v2_id: str
    from_: str
    """The address of our channel."""
    group_id: str | None
    """The group it was written to, if any."""
    type: str
    """`text`, `media`, `poll`, …"""
    text: str | None
    effect: str | None
    """`slam`, `invisible-ink`, …; only iMessage shows one."""
    poll: Poll | None
    attachments: tuple[str, ...]
    """URLs."""
    status: str
    sent_at: int
    """Epoch milliseconds of the sandbox's time."""


@dataclass(frozen=True)
class Happening:
    """What became of something that a person did."""

    chat_id: str
    message_id: str | None
    """The message it made or changed, as v4 names it."""
    v2_message_id: str | None
    to: str
    """The address of our channel."""


class Phone:
    """A person, by number or address. What they do is told to us as the services tell it: in lists, events, webhooks.

    `to` is the channel they write to, by default the one where the conversation is. `group` is a group they are in.
    `message` is a message's id, of v2 or v4, by default that of our last one.
    """

    def __init__(self, control: Control, number: str) -> None:
        self._control = control
        self.number: str = number

    @property
    def inbox(self) -> list[Received]:
        """What they received, alone and in groups, oldest first; without what failed or was cancelled."""
        rows = self._control.ask("GET", f"/phones/{quote(self.number, safe='')}/inbox")["messages"]
        return [
            read(Received, row, attachments=tuple(row["attachments"]), poll=_poll(row.get("poll"))) for row in rows
        ]

    def write(
        self,
        text: str | None = None,
        *,
        attachments: Sequence[str] = (),
        to: str | None = None,
        group: str | None = None,
        reply_to: str | None = None,
    ) -> Happening:
        """Writes to us: text, attachments (URLs), or both."""
        return self._do("message", text=text, attachments=list(attachments), to=to, group_id=group, reply_to=reply_to)

    def ask_poll(
        self, title: str, options: Sequence[str], *, to: str | None = None, group: str | None = None
    ) -> Happening:
        """Sends us a poll."""
        return self._do("poll", title=title, options=list(options), to=to, group_id=group)

    def vote(
        self, option: str | int, *, message: str | None = None, to: str | None = None, group: str | None = None
    ) -> Happening:
        """Votes in a poll of ours, by the option's text or index; a second time takes the vote back."""
        chosen = {"option": option} if isinstance(option, str) else {"option_index": option}
        return self._do("poll_vote", **chosen, message_id=message, to=to, group_id=group)

    def react(
        self, reaction: str, *, message: str | None = None, to: str | None = None, group: str | None = None
    ) -> Happening:
        """Reacts to a message: `love`, `like`, an emoji, …; `-love` takes it back."""
        return self._do("reaction", reaction=reaction, message_id=message, to=to, group_id=group)

    def start_typing(self, *, to: str | None = None, group: str | None = None) -> Happening:
        """Begins to type."""
        return self._do("typing", state="started", to=to, group_id=group)

    def stop_typing(self, *, to: str | None = None, group: str | None = None) -> Happening:
        """Stops typing."""
        return self._do("typing", state="stopped", to=to, group_id=group)

    def read(self, *, message: str | None = None, to: str | None = None, group: str | None = None) -> Happening:
        """Reads one message, or everything delivered so far."""
        return self._do("read", message_id=message, to=to, group_id=group)

    def share_contact_card(self, *, to: str | None = None) -> Happening:
        """Sends us their contact card."""
        return self._do("contact_card", to=to)

    def rename_group(self, group: str, name: str) -> Happening:
        """Gives a group another name."""
        return self._do("group_name", group_id=group, name=name)

    def set_group_icon(self, group: str, url: str) -> Happening:
        """Gives a group another picture."""
        return self._do("group_icon", group_id=group, icon_url=url)

    def _do(self, type: str, **fields: object) -> Happening:
        told = self._control.ask("POST", "/inbound", present(**fields) | {"type": type, "from": self.number})
        return read(Happening, told)


def _poll(told: Any) -> Poll | None:
    return None if told is None else Poll(told["title"], tuple(told["options"]))
