"""The imaginary operation from Python: callable, typed (mypy --strict reads this file), documented."""

from bloomchats import Blooio
from bloomchats.testing import scripted

client = scripted(Blooio, [{"status": 200, "json": {"success": True}}])
done = client.v2.chats.archive("+15551234567", reason="quiet")
success: bool | None = done.success
assert success is True
assert client.requests[0]["url"] == "https://backend.blooio.com/v2/api/chats/%2B15551234567/archive"
assert client.requests[0].get("body") == '{"reason":"quiet"}'
assert "Put a conversation away" in (type(client.v2.chats).archive.__doc__ or "")
print("python: archive is there")
