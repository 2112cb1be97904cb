curl -X POST 'https://backend.blooio.com/v2/api/webhooks' \
  -H 'Authorization: Bearer YOUR_API_KEY' \
  -H 'Content-Type: application/json' \
  -d '{
    "webhook_url": "https://example.com/mywebhook",
    "webhook_type": "message"
  }'
