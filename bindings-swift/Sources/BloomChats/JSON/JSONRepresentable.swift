/// What can stand in an argument: it knows its JSON.
public protocol JSONRepresentable: Sendable {
    /// The JSON that goes out.
    var json: JSONValue { get }
}

/// What can be read from an answer. `nil`: the JSON is of an unexpected type.
protocol JSONReadable {
    init?(json: JSONSource)
}

extension JSONValue: JSONRepresentable, JSONReadable {
    /// Itself.
    public var json: JSONValue { self }
    init?(json: JSONSource) { self = json.value }
}

extension String: JSONRepresentable, JSONReadable {
    /// A JSON string.
    public var json: JSONValue { .string(self) }
    init?(json: JSONSource) { if let text = json.value.string { self = text } else { return nil } }
}

extension Int: JSONRepresentable, JSONReadable {
    /// A JSON number.
    public var json: JSONValue { .integer(self) }
    init?(json: JSONSource) { if let number = json.value.int { self = number } else { return nil } }
}

extension Double: JSONRepresentable, JSONReadable {
    /// A JSON number.
    public var json: JSONValue { .number(self) }
    init?(json: JSONSource) { if let number = json.value.double { self = number } else { return nil } }
}

extension Bool: JSONRepresentable, JSONReadable {
    /// A JSON boolean.
    public var json: JSONValue { .bool(self) }
    init?(json: JSONSource) { if let flag = json.value.bool { self = flag } else { return nil } }
}

extension Array: JSONRepresentable where Element: JSONRepresentable {
    /// A JSON array.
    public var json: JSONValue { .array(map(\.json)) }
}

extension Array: JSONReadable where Element: JSONReadable {
    /// One element of an unexpected type makes the whole list unreadable; it stays in `raw`.
    init?(json: JSONSource) {
        guard let items = json.array else { return nil }
        var elements: [Element] = []
        elements.reserveCapacity(items.count)
        for item in items {
            guard let element = Element(json: item) else { return nil }
            elements.append(element)
        }
        self = elements
    }
}

extension Dictionary: JSONRepresentable where Key == String, Value == JSONValue {
    /// A JSON object.
    public var json: JSONValue { .object(self) }
}

extension Dictionary: JSONReadable where Key == String, Value == JSONValue {
    init?(json: JSONSource) { if let fields = json.value.object { self = fields } else { return nil } }
}

extension Optional: JSONReadable where Wrapped: JSONReadable {
    /// null is a value of its own here.
    init?(json: JSONSource) {
        if json.value.isNull {
            self = .none
        } else if let value = Wrapped(json: json) {
            self = value
        } else {
            return nil
        }
    }
}

extension JSONValue {
    /// An object of the fields that are there.
    static func fields(_ fields: [String: JSONValue?]) -> JSONValue {
        .object(fields.compactMapValues(\.self))
    }

    /// A field as typed access gives it.
    func read<T: JSONReadable>(_ field: String) -> T? {
        JSONSource(self).read(field)
    }
}
