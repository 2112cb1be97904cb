/// Arguments of one call, by the names core knows. What is `nil` or absent is left out.
struct Arguments {
    private(set) var values: [String: JSONValue] = [:]
    private(set) var files: [String: Upload] = [:]

    func with(_ name: String, _ value: (some JSONRepresentable)?) -> Arguments {
        var copy = self
        copy.values[name] = value?.json
        return copy
    }

    func with<Value>(_ name: String, _ value: Patch<Value>) -> Arguments {
        if case .absent = value { return self }
        return with(name, value.json)
    }

    func with(_ name: String, _ file: Upload) -> Arguments {
        var copy = self
        copy.files[name] = file
        return copy
    }
}

/// What the generated resources are made of.
extension Connection {
    /// A call whose value is of one type.
    func value<Value: JSONReadable>(_ operation: String, _ arguments: Arguments, _ options: CallOptions) async throws -> Value {
        let reply = try await call(operation, arguments.values, files: arguments.files, options: options)
        return try Self.read(reply.body)
    }

    /// A call whose answers are of several types.
    func result<Value: Sendable>(
        _ operation: String, _ arguments: Arguments, _ options: CallOptions,
        _ read: (_ model: String, _ value: JSONValue) -> Value
    ) async throws -> Value {
        let reply = try await call(operation, arguments.values, files: arguments.files, options: options)
        return read(reply.model, reply.body)
    }

    /// A list.
    func list<Element: JSONReadable & Sendable>(
        _ operation: String, _ arguments: Arguments, _ options: CallOptions, empty: Element
    ) -> PagedSequence<Element> {
        PagedSequence { [self] in
            let reply = try await call(operation, arguments.values, options: options)
            // Core has made sure that every item is an object.
            return Page(reply, of: self, options.record) { Element(json: $0) ?? empty }
        }
    }

    /// Any request below an API's prefix.
    func request(
        _ operation: String, _ method: String, _ path: String, query: [String: JSONValue], body: JSONValue?,
        _ options: CallOptions
    ) async throws -> JSONValue {
        var arguments: [String: JSONValue] = ["method": .string(method), "path": .string(path)]
        if !query.isEmpty { arguments["query"] = .object(query) }
        arguments["body"] = body
        return try await call(operation, arguments, options: options).body
    }

    private static func read<Value: JSONReadable>(_ body: JSONValue) throws -> Value {
        guard let value = Value(json: body) else {
            throw BloomChatsError(.decode, "the answer is not of the kind that its contract promises")
        }
        return value
    }
}
