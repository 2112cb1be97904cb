curl -H 'Authorization: Bearer YOUR_API_KEY' \
  'https://backend.blooio.com/v2/api/chats/%2B15551234567/messages/{messageId}/status'
