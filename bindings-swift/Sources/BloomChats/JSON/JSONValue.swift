/// Any JSON, with every digit and every field kept.
///
/// Read it by subscript: `value["contact"]["name"].string`. A path that leads nowhere is ``null``.
public enum JSONValue: Sendable, Hashable {
    /// `null`, and what a subscript finds where nothing is.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number without a fraction that fits `Int`.
    case integer(Int)
    /// A number with a fraction or an exponent.
    case number(Double)
    /// A number that neither of the other two can hold exactly, as its digits.
    case digits(String)
    /// Text.
    case string(String)
    /// A list.
    case array([JSONValue])
    /// An object; its fields have no order.
    case object([String: JSONValue])

    /// The text, if this is text.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The number, if it is one without a fraction that fits `Int`.
    public var int: Int? {
        if case .integer(let number) = self { number } else { nil }
    }

    /// The number, if this is one; a very large one loses digits.
    public var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        case .digits(let digits): Double(digits)
        default: nil
        }
    }

    /// The truth value, if this is one.
    public var bool: Bool? {
        if case .bool(let flag) = self { flag } else { nil }
    }

    /// The elements, if this is a list.
    public var array: [JSONValue]? {
        if case .array(let items) = self { items } else { nil }
    }

    /// The fields, if this is an object.
    public var object: [String: JSONValue]? {
        if case .object(let fields) = self { fields } else { nil }
    }

    /// Whether this is ``null``.
    public var isNull: Bool {
        self == .null
    }

    /// A field of an object; ``null`` when there is none, or this is no object.
    public subscript(field: String) -> JSONValue {
        if case .object(let fields) = self { fields[field] ?? .null } else { .null }
    }

    /// An element of a list; ``null`` beyond its ends, or when this is no list.
    public subscript(index: Int) -> JSONValue {
        if case .array(let items) = self, items.indices.contains(index) { items[index] } else { .null }
    }
}

// Not by `nil`: in `found ? value : nil` it would silently mean null where none was meant.
extension JSONValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringInterpolation, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A whole number.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A list.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object; of two values for one key the last stays.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
    }
}

extension JSONValue: Codable {
    /// Reads any JSON.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .bool(flag)
        } else if let number = try? container.decode(Int.self) {
            self = .integer(number)
        } else if let number = try? container.decode(UInt64.self) {
            self = .digits(String(number))
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .string(text)
        } else if let items = try? container.decode([JSONValue].self) {
            self = .array(items)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    /// Writes it.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let flag): try container.encode(flag)
        case .integer(let number): try container.encode(number)
        case .number(let number): try container.encode(number)
        case .digits(let digits):
            if let whole = UInt64(digits) { try container.encode(whole) } else { try container.encode(Double(digits)) }
        case .string(let text): try container.encode(text)
        case .array(let items): try container.encode(items)
        case .object(let fields): try container.encode(fields)
        }
    }
}

extension JSONValue: CustomStringConvertible {
    /// The JSON text.
    public var description: String {
        (try? data()).map { String(decoding: $0, as: UTF8.self) } ?? "not JSON: holds NaN or an infinity, or is nested too deeply"
    }
}
