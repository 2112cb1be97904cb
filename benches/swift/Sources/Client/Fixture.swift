/// The two calls every client makes, and the answers it must get.
enum Fixture {
    static let key = "bl_bench_key"
    static let chat = "grp_bench"
    static let message = "msg_01J8ZB3T5QH7"
    static let rows = 100
    static let last = "+15550000099"
    static let send = "/v2/api/chats/grp_bench/messages"
    static let list = "/v2/api/contacts?limit=100&offset=0"
}
