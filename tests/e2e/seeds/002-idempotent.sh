curl -X POST 'https://backend.blooio.com/v2/api/chats/%2B15551234567/messages' \
-H 'Authorization: Bearer YOUR_API_KEY' \
-H 'Idempotency-Key: a1b2c3d4-order-123' \
-H 'Content-Type: application/json' \
-d '{"text": "Hello"}'
