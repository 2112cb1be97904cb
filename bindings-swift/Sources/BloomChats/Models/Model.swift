/// An object of an answer, an event or an argument: a typed view of the JSON that came or goes.
///
/// A field that is absent, null or of an unexpected type reads `nil`; ``raw`` holds whatever the service sent, fields that
/// this version does not know included. It reads from the answer it came in and holds on to it, an item of a list to its page;
/// `Contact(raw: contact.raw)` is a contact by itself. Descriptions, dumps and mirrors leave out people's data.
public protocol Model: JSONRepresentable, Hashable, Codable, CustomStringConvertible, CustomReflectable
{
    /// Everything the service sent, by wire names.
    var raw: JSONValue { get }
    /// Reads the wire form; for tests and stored answers.
    init(raw: JSONValue)
    /// Wire names of fields that are nobody's private data; descriptions show these and no others.
    static var describedFields: [String] { get }
}

extension Model {
    /// The wire form.
    public var json: JSONValue { raw }

    /// Reads the wire form.
    public init(from decoder: any Decoder) throws {
        self.init(raw: .object(try decoder.singleValueContainer().decode([String: JSONValue].self)))
    }

    /// Writes the wire form.
    public func encode(to encoder: any Encoder) throws {
        try raw.encode(to: encoder)
    }

    /// The type and those fields that are nobody's private data.
    public var description: String {
        let raw = raw
        let fields = Self.describedFields.compactMap { name in
            switch raw[name] {
            case .string(let text): "\(name): \(text)"
            case .integer(let number): "\(name): \(number)"
            case .bool(let flag): "\(name): \(flag)"
            default: nil
            }
        }
        return "\(Self.self)(\(fields.joined(separator: ", ")))"
    }

    /// Shows what ``description`` shows: `dump` and test failures end up in logs.
    public var customMirror: Mirror {
        Mirror(self, children: [:], displayStyle: .struct)
    }
}

/// A model that reads from its source what it is asked for.
protocol SourcedModel: Model, JSONReadable {
    init(source: JSONSource)
}

extension SourcedModel {
    init?(json: JSONSource) {
        guard json.isObject else { return nil }
        self.init(source: json)
    }
}

/// A string of which some values are known and others may come.
public protocol OpenEnum: RawRepresentable, Hashable, Codable, JSONRepresentable, ExpressibleByStringLiteral,
    CustomStringConvertible
where RawValue == String {
    /// Any value, known or not.
    init(rawValue: String)
}

extension OpenEnum {
    /// Any value, known or not.
    public init(stringLiteral value: String) { self.init(rawValue: value) }
    /// The value on the wire.
    public var json: JSONValue { .string(rawValue) }
    init?(json: JSONSource) { if let text = json.value.string { self.init(rawValue: text) } else { return nil } }
    /// The value on the wire.
    public var description: String { rawValue }
}
