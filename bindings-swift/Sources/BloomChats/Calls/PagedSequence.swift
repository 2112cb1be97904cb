/// A list of a service, fetched page by page while it is read.
///
/// ```swift
/// for try await chat in blooio.v4.chats.list() { print(chat.id ?? "") }
/// for try await page in blooio.v4.chats.list().pages { print(page.items.count) }
/// ```
///
/// Nothing is requested before it is read. Each iteration starts anew.
public struct PagedSequence<Element: Sendable>: AsyncSequence, Sendable {
    let fetch: @Sendable () async throws -> Page<Element>

    /// The same list, a page at a time, every page the service sends included.
    public var pages: Pages { Pages(fetch: fetch) }

    /// Every element, in one list; for lists that are known to be short.
    ///
    /// - Throws: ``BloomChatsError``, or `CancellationError` in a cancelled task.
    public func all() async throws -> [Element] {
        try await reduce(into: []) { $0.append($1) }
    }

    /// Elements, one after the other.
    public func makeAsyncIterator() -> Iterator {
        Iterator(pages: pages.makeAsyncIterator())
    }

    /// Goes through the elements.
    public struct Iterator: AsyncIteratorProtocol {
        var pages: Pages.Iterator
        var items: ArraySlice<Element> = []

        /// The next element; `nil` at the end.
        ///
        /// - Throws: ``BloomChatsError``, or `CancellationError` in a cancelled task. It can be called again: a failed
        ///   page is fetched again.
        public mutating func next() async throws -> Element? {
            try await next(isolation: nil)
        }

        /// As ``next()``, without leaving the caller's actor for elements that are there already.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
            while items.isEmpty {
                guard let page = try await pages.next(isolation: actor) else { return nil }
                items = page.items[...]
            }
            return items.popFirst()
        }
    }

    /// A list a page at a time.
    public struct Pages: AsyncSequence, Sendable {
        /// One page.
        public typealias Element = Page<PagedSequence.Element>
        let fetch: @Sendable () async throws -> Element

        /// Pages, one after the other.
        public func makeAsyncIterator() -> Iterator {
            Iterator(fetch: fetch)
        }

        /// Goes through the pages.
        public struct Iterator: AsyncIteratorProtocol {
            let fetch: @Sendable () async throws -> Element
            var last: Element?

            /// The next page; `nil` after the last.
            ///
            /// - Throws: ``BloomChatsError``, or `CancellationError` in a cancelled task. It can be called again.
            public mutating func next() async throws -> Element? {
                try await next(isolation: nil)
            }

            /// As ``next()``, called from an actor.
            public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
                if let last {
                    guard let page = try await last.next() else { return nil }
                    self.last = page
                    return page
                }
                last = try await fetch()
                return last
            }
        }
    }
}

/// One page of a list.
public struct Page<Element: Sendable>: Sendable {
    /// What the page lists.
    public let items: [Element]
    /// The whole answer, its envelope included; read anew whenever it is asked for.
    public var raw: JSONValue { body.value }
    /// Whether another page follows, as far as this one tells.
    public var hasNext: Bool { following != nil }

    private let body: JSONSource
    private let following: NextPage?
    private let connection: Connection
    private let record: CallRecord?
    private let read: @Sendable (JSONSource) -> Element

    init(
        _ reply: Reply, of connection: Connection, _ record: CallRecord?,
        read: @escaping @Sendable (JSONSource) -> Element
    ) {
        items = reply.items?.map(read) ?? []
        body = reply.body
        following = reply.next
        (self.connection, self.record, self.read) = (connection, record, read)
    }

    /// Fetches the page after this one; `nil` after the last.
    ///
    /// - Throws: ``BloomChatsError``, or `CancellationError` in a cancelled task. A failed fetch can be repeated.
    public func next() async throws -> Page? {
        guard let following else { return nil }
        return Page(try await connection.next(following, record), of: connection, record, read: read)
    }
}

extension Page: CustomStringConvertible, CustomReflectable {
    /// How many items it has, and whether another follows.
    public var description: String { "Page(\(items.count) items, hasNext: \(hasNext))" }
    /// Shows what ``description`` shows.
    public var customMirror: Mirror { Mirror(self, children: [:], displayStyle: .struct) }
}
