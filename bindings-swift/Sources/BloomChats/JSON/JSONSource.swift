/// JSON that a model stands on: a value, or a stretch of an answer that is read when it is asked for.
enum JSONSource: Sendable, Hashable {
    case value(JSONValue)
    case text(JSONText)

    init(_ value: JSONValue) {
        self = .value(value)
    }

    /// What it holds, or an error for what is not JSON.
    func parsed() throws -> JSONValue {
        switch self {
        case .value(let value): value
        case .text(let text): try text.parsed()
        }
    }

    /// What it holds; core has made sure that answers are JSON.
    var value: JSONValue { (try? parsed()) ?? .null }

    var isObject: Bool {
        switch self {
        case .value(.object): true
        case .value: false
        case .text(let text): text.first == UInt8(ascii: "{")
        }
    }

    /// The elements, if this is a list.
    var array: [JSONSource]? {
        switch self {
        case .value(let value): value.array?.map(JSONSource.value)
        case .text(let text): text.elements?.map(JSONSource.text)
        }
    }

    /// A field, if this is an object that has it.
    subscript(field: String) -> JSONSource? {
        switch self {
        case .value(.object(let fields)): fields[field].map(JSONSource.value)
        case .value: nil
        case .text(let text): text.field(field).map(JSONSource.text)
        }
    }

    /// A field as typed access gives it.
    func read<T: JSONReadable>(_ field: String) -> T? {
        self[field].flatMap(T.init(json:))
    }

    static func == (one: JSONSource, other: JSONSource) -> Bool {
        one.value == other.value
    }

    func hash(into hasher: inout Hasher) {
        value.hash(into: &hasher)
    }
}

/// A value within an answer of core's, by the place of its text.
struct JSONText: @unchecked Sendable {  // nobody changes what lies there, and `owner` keeps it
    private let bytes: UnsafeBufferPointer<UInt8>
    private let owner: Told

    init(_ bytes: UnsafeBufferPointer<UInt8>, in owner: Told) {
        (self.bytes, self.owner) = (bytes, owner)
    }

    func parsed() throws -> JSONValue {
        try withExtendedLifetime(owner) { try JSONValue(parsing: bytes) }
    }

    /// The first byte that is no blank.
    var first: UInt8? {
        withExtendedLifetime(owner) {
            var reader = JSONReader(bytes: bytes)
            reader.skipBlanks()
            return reader.next
        }
    }

    /// The elements, if this is a list.
    var elements: [JSONText]? {
        withExtendedLifetime(owner) {
            var reader = JSONReader(bytes: bytes)
            guard reader.take("[") else { return nil }
            var elements: [JSONText] = []
            if reader.take("]") { return elements }
            repeat { elements.append(stretch(&reader)) } while reader.take(",")
            return elements
        }
    }

    /// A field, if this is an object that has it; of several by one name the last, as everywhere.
    func field(_ name: String) -> JSONText? {
        var name = name
        return withExtendedLifetime(owner) {
            name.withUTF8 { name in
                var reader = JSONReader(bytes: bytes)
                guard reader.take("{") else { return nil }
                var found: JSONText?
                repeat {
                    reader.skipBlanks()
                    guard reader.next == UInt8(ascii: "\"") else { break }
                    let isIt = reader.passes(name)
                    guard reader.take(":") else { break }
                    let value = stretch(&reader)
                    if isIt { found = value }
                } while reader.take(",")
                return found
            }
        }
    }

    private func stretch(_ reader: inout JSONReader) -> JSONText {
        reader.skipBlanks()
        let start = reader.at
        reader.skip()
        return JSONText(UnsafeBufferPointer(rebasing: bytes[start..<reader.at]), in: owner)
    }
}

extension JSONReader {
    /// Passes a string, and says whether it is this one.
    fileprivate mutating func passes(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        let whole = self
        guard skipText() else {
            var reader = whole
            return reader.text().map { $0.utf8.elementsEqual(name) } ?? false
        }
        return at - whole.at == name.count + 2 && bytes[whole.at + 1..<at - 1].elementsEqual(name)
    }
}
