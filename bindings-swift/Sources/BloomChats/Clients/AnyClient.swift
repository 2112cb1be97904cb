import Foundation

/// The untyped client beneath both products, for the package's own tests and its testing library.
package struct AnyClient: Sendable {
    let connection: Connection

    package init(_ configuration: Configuration) throws {
        connection = try Connection(configuration)
    }

    /// One answer, or one page.
    package struct Untyped: Sendable {
        package let state: CallRecord.State
        package let model: String
        package let body: JSONValue
        /// The items, on a page.
        package let items: [JSONValue]?
        package let next: (@Sendable () async throws -> Untyped)?
    }

    /// Any operation by its public name, with arguments and options that are JSON already.
    package func call(
        _ operation: String, arguments: Data, files: [String: Upload], options: Data, record: CallRecord?
    ) async throws -> Untyped {
        try untyped(try await connection.call(operation, arguments, files, options: options, record))
    }

    private func untyped(_ reply: Reply) throws -> Untyped {
        let next = reply.next.map { page in
            { @Sendable in try untyped(try await connection.next(page, nil)) }
        }
        let body = try reply.body.parsed()
        return Untyped(state: reply.state, model: reply.model, body: body, items: reply.items?.map(\.value), next: next)
    }

    /// What a scripted client did so far: `{"requests", "waits_ms", "left"}`.
    package func script() throws -> JSONValue {
        try connection.script()
    }
}
