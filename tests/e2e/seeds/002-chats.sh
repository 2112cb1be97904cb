curl 'https://backend.blooio.com/v2/api/chats?limit=25&offset=50' \
-H 'Authorization: Bearer YOUR_API_KEY'
