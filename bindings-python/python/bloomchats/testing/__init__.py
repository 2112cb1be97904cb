"""For tests of code that uses this package: scripted clients, and the services' sandbox.

    client = scripted(Blooio, [{"status": 202, "json": {"message_id": "m1", "status": "queued"}}])
    greet(client)
    assert client.requests[0]["body"] == '{"text":"Hello"}'

    with Sandbox() as sandbox:
        greet(sandbox.blooio())
        assert sandbox.phone("+15551234567").inbox[0].text == "Hello"
"""

from __future__ import annotations

from bloomchats.testing._async import AsyncClock, AsyncFaults, AsyncPhone, AsyncReceiver, AsyncSandbox
from bloomchats.testing._clock import Clock
from bloomchats.testing._control import SandboxError
from bloomchats.testing._faults import Fault, FaultAction, Faults
from bloomchats.testing._logs import Delivery, DeliveryAttempt, LoggedRequest
from bloomchats.testing._phone import Happening, Phone, Poll, Received
from bloomchats.testing._receiver import Receiver, Webhook
from bloomchats.testing._sandbox import Sandbox
from bloomchats.testing._scripted import (
    ScriptedAsyncBloomChats,
    ScriptedAsyncBlooio,
    ScriptedBloomChats,
    ScriptedBlooio,
    WireRequest,
    scripted,
)

__all__ = [
    "AsyncClock",
    "AsyncFaults",
    "AsyncPhone",
    "AsyncReceiver",
    "AsyncSandbox",
    "Clock",
    "Delivery",
    "DeliveryAttempt",
    "Fault",
    "FaultAction",
    "Faults",
    "Happening",
    "LoggedRequest",
    "Phone",
    "Poll",
    "Received",
    "Receiver",
    "Sandbox",
    "SandboxError",
    "ScriptedAsyncBloomChats",
    "ScriptedAsyncBlooio",
    "ScriptedBloomChats",
    "ScriptedBlooio",
    "Webhook",
    "WireRequest",
    "scripted",
]

# A traceback names it as it is imported.
SandboxError.__module__ = __name__
