curl -X POST https://api.blooio.com/v4/chats/chat_a1b2c3d4/messages \
  -H "Authorization: Bearer bl_live_..." \
  -H "Idempotency-Key: string" \
  -H "Content-Type: application/json" \
  -d '{    "content": {      "type": "text",      "text": "Hello from Blooio!",      "reply_to": "string",      "effect": "string",      "link_preview": {        "imageUrl": "https://example.com",        "title": "Example title"      }    },    "dry_run": false  }'
