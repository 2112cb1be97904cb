import Foundation

/// Arguments of one call, by the names core knows, written down as they are given. What is `nil` or absent is left out.
struct Arguments {
    private var writer = JSONWriter()
    private var problem: (any Error)?
    private(set) var files: [String: Upload] = [:]

    consuming func with(_ name: StaticString, _ value: (some JSONRepresentable)?) -> Arguments {
        guard let value, problem == nil else { return self }
        do { try writer.field(name, value.json) } catch { problem = error }
        return self
    }

    consuming func with<Value>(_ name: StaticString, _ value: Patch<Value>) -> Arguments {
        if case .absent = value { return self }
        return with(name, value.json)
    }

    consuming func with(_ name: StaticString, _ file: Upload) -> Arguments {
        files["\(name)"] = file
        return self
    }

    /// The form in which core reads them: a JSON object.
    consuming func told() throws -> [UInt8] {
        if let problem { throw problem }
        return writer.object()
    }
}

/// What the generated resources are made of.
extension Connection {
    /// A call whose value is of one type.
    func value<Value: JSONReadable>(_ operation: String, _ arguments: Arguments, _ options: CallOptions) async throws -> Value {
        let reply = try await call(operation, arguments, options: options)
        return try Self.read(reply.body)
    }

    /// A call whose answers are of several types.
    func result<Value: Sendable>(
        _ operation: String, _ arguments: Arguments, _ options: CallOptions,
        _ read: (_ model: String, _ value: JSONValue) -> Value
    ) async throws -> Value {
        let reply = try await call(operation, arguments, options: options)
        return read(reply.model, try reply.body.parsed())
    }

    /// A list.
    func list<Element: JSONReadable & Sendable>(
        _ operation: String, _ arguments: Arguments, _ options: CallOptions, empty: Element
    ) -> PagedSequence<Element> {
        PagedSequence { [self] in
            let reply = try await call(operation, arguments, options: options)
            // Core has made sure that every item is an object.
            return Page(reply, of: self, options.record) { Element(json: $0) ?? empty }
        }
    }

    /// Any request below an API's prefix.
    func request(
        _ operation: String, _ method: String, _ path: String, query: [String: JSONValue], body: JSONValue?,
        _ options: CallOptions
    ) async throws -> JSONValue {
        let arguments = Arguments()
            .with("method", method)
            .with("path", path)
            .with("query", query.isEmpty ? nil : query)
            .with("body", body)
        return try await call(operation, arguments, options: options).body.parsed()
    }

    private static func read<Value: JSONReadable>(_ body: JSONSource) throws -> Value {
        guard let value = Value(json: body) else {
            throw BloomChatsError(.decode, "the answer is not of the kind that its contract promises")
        }
        return value
    }
}
