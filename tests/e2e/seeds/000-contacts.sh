curl -X GET "https://api.bloomchats.com/api/contacts" \
  -H "X-API-Key: dmtb_live_abc123xyz789"
