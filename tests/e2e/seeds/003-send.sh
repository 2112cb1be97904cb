curl -X POST "https://example.com/chats/%2B15551234567/messages" \
  -H "Content-Type: application/json" \
  -d '{}'
