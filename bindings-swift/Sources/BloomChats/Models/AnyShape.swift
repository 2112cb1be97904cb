/// One of several shapes, or one that this version does not know. Descriptions leave the content out.
public protocol AnyShape: JSONRepresentable, Hashable, Codable, CustomStringConvertible, CustomReflectable
{
    /// Reads any JSON.
    init(raw: JSONValue)
    /// Whether this version knows the shape.
    var isKnown: Bool { get }
    /// The model inside; `nil` for plain JSON.
    var model: (any Model)? { get }
}

extension AnyShape {
    /// `nil` for what is neither a known shape nor an object of a kind yet to come.
    init?(json: JSONSource) {
        let shape = Self(raw: json.value)
        guard shape.isKnown || json.isObject else { return nil }
        self = shape
    }

    /// Reads any JSON.
    public init(from decoder: any Decoder) throws {
        self.init(raw: try JSONValue(from: decoder))
    }

    /// Writes the JSON of whichever shape it is.
    public func encode(to encoder: any Encoder) throws {
        try json.encode(to: encoder)
    }

    /// The type's name.
    public var description: String { "\(Self.self)" }
    /// Shows what ``description`` shows: `dump` and test failures end up in logs.
    public var customMirror: Mirror { Mirror(self, children: [:], displayStyle: .enum) }
}

/// What tells a message: its id, or what a send returned.
public protocol MessageReference: JSONRepresentable {}

extension String: MessageReference {}
extension JSONValue: MessageReference {}
