internal import BloomChatsFFI

/// A call of core's, from its preparation to its end.
final class Call: @unchecked Sendable {  // core's half takes calls from any thread; for `waiting` see there
    private let call: OpaquePointer
    /// The task that listens. Set before core is asked and read when it answers, with a lock of core's in between.
    private var waiting: UnsafeContinuation<Told, Never>?

    init(_ call: OpaquePointer) {
        self.call = call
    }

    deinit {
        bloomchats_call_free(call)
    }

    /// Begins the call if it has not begun, and gives the next thing it tells. After its end there is none.
    func listen() async -> Told {
        await withUnsafeContinuation { continuation in
            waiting = continuation
            bloomchats_call_listen(call, Unmanaged.passRetained(self).toOpaque()) { context, told in
                let call = Unmanaged<Call>.fromOpaque(context).takeRetainedValue()
                let waiting = call.waiting
                call.waiting = nil
                waiting?.resume(returning: Told(told))
            }
        }
    }

    /// Answers core's question for a key.
    func answer(_ key: String) {
        lend(key) { bloomchats_call_answer(call, $0) }
    }

    func cancel() {
        bloomchats_call_cancel(call)
    }
}

/// The way on from a page.
final class NextPage: @unchecked Sendable {  // as ``Call``
    private let page: OpaquePointer

    init(_ page: OpaquePointer) {
        self.page = page
    }

    deinit {
        bloomchats_page_free(page)
    }

    func begin(watched: Bool) throws -> Call {
        try Call(Native.made { _ in bloomchats_page_begin(page, watched) })
    }
}
