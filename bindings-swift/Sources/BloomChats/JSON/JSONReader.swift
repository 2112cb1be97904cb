import Foundation

extension JSONValue {
    /// Reads JSON text in UTF-8.
    ///
    /// - Throws: ``BloomChatsError`` of kind ``BloomChatsError/Kind/decode`` when it is not JSON.
    public init(parsing data: Data) throws {
        self = try data.withUnsafeBytes { try JSONValue(parsing: $0.bindMemory(to: UInt8.self)) }
    }

    /// Reads it where it lies: answers may be megabytes, and this is the only pass that builds anything.
    init(parsing bytes: UnsafeBufferPointer<UInt8>) throws {
        var reader = JSONReader(bytes: bytes)
        guard let value = reader.document() else { throw BloomChatsError(.decode, "the text is not JSON") }
        self = value
    }

    /// Reads JSON text.
    ///
    /// - Throws: ``BloomChatsError`` of kind ``BloomChatsError/Kind/decode`` when it is not JSON.
    public init(parsing text: String) throws {
        try self.init(parsing: Data(text.utf8))
    }
}

/// A JSON reader that keeps what Foundation's does not: integers beyond 53 bits, and numbers as they were written.
struct JSONReader {
    let bytes: UnsafeBufferPointer<UInt8>
    private(set) var at = 0
    private var depth = 0

    /// As deep as core reads.
    static let deepest = 127

    init(bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    mutating func document() -> JSONValue? {
        guard let value = value() else { return nil }
        skipBlanks()
        return at == bytes.count ? value : nil
    }

    mutating func value() -> JSONValue? {
        skipBlanks()
        guard at < bytes.count else { return nil }
        switch bytes[at] {
        case UInt8(ascii: "{"): return nested { $0.object() }
        case UInt8(ascii: "["): return nested { $0.array() }
        case UInt8(ascii: "\""): return text().map(JSONValue.string)
        case UInt8(ascii: "t"): return word("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): return word("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): return word("null") ? .null : nil
        default: return number()
        }
    }

    private mutating func nested(_ read: (inout JSONReader) -> JSONValue?) -> JSONValue? {
        guard depth < Self.deepest else { return nil }
        depth += 1
        at += 1
        defer { depth -= 1 }
        return read(&self)
    }

    private mutating func object() -> JSONValue? {
        var fields: [String: JSONValue] = [:]
        if take("}") { return .object(fields) }
        repeat {
            skipBlanks()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\""), let name = text(), take(":"), let value = value()
            else { return nil }
            fields[name] = value
        } while take(",")
        return take("}") ? .object(fields) : nil
    }

    private mutating func array() -> JSONValue? {
        var items: [JSONValue] = []
        if take("]") { return .array(items) }
        repeat {
            guard let item = value() else { return nil }
            items.append(item)
        } while take(",")
        return take("]") ? .array(items) : nil
    }

    mutating func text() -> String? {
        at += 1
        let start = at
        while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\"), bytes[at] >= 0x20 { at += 1 }
        guard at < bytes.count, bytes[at] >= 0x20 else { return nil }
        if bytes[at] == UInt8(ascii: "\"") {
            defer { at += 1 }
            return String(validating: bytes[start..<at])
        }
        return escapedText(from: start)
    }

    private mutating func escapedText(from start: Int) -> String? {
        var text = Array(bytes[start..<at])
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: text)
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                text.append(contentsOf: String(scalar).utf8)
            case ..<0x20: return nil
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard at < bytes.count else { return nil }
        defer { at += 1 }
        switch bytes[at] {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "u"): return unicodeEscape()
        case let byte where byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "/"):
            return Unicode.Scalar(byte)
        default: return nil
        }
    }

    /// Leaves `at` on the last digit. Half of a pair without the other half becomes U+FFFD.
    private mutating func unicodeEscape() -> Unicode.Scalar? {
        guard let first = hexUnit(after: at) else { return nil }
        at += 4
        if let scalar = Unicode.Scalar(first) { return scalar }
        let continues = at + 2 < bytes.count && bytes[at + 1] == UInt8(ascii: "\\") && bytes[at + 2] == UInt8(ascii: "u")
        guard first < 0xDC00, continues, let second = hexUnit(after: at + 2), (0xDC00..<0xE000).contains(second) else {
            return "\u{FFFD}"
        }
        at += 6
        return Unicode.Scalar((first - 0xD800) << 10 + (second - 0xDC00) + 0x10000)
    }

    private func hexUnit(after position: Int) -> UInt32? {
        guard position + 4 < bytes.count else { return nil }
        var unit: UInt32 = 0
        for byte in bytes[position + 1...position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else { return nil }
            unit = unit << 4 + UInt32(digit)
        }
        return unit
    }

    private mutating func number() -> JSONValue? {
        let start = at
        var whole = true
        if at < bytes.count, bytes[at] == UInt8(ascii: "-") { at += 1 }
        let first = at
        guard digits(), bytes[first] != UInt8(ascii: "0") || at == first + 1 else { return nil }
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            (whole, at) = (false, at + 1)
            guard digits() else { return nil }
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            (whole, at) = (false, at + 1)
            if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            guard digits() else { return nil }
        }
        if whole, at - start <= 18 {
            let number = bytes[first..<at].reduce(0) { $0 * 10 + Int($1 & 0x0F) }
            return .integer(first == start ? number : -number)
        }
        let literal = String(decoding: bytes[start..<at], as: UTF8.self)
        if whole {
            return Int(literal).map(JSONValue.integer) ?? .digits(literal)
        }
        guard let number = Double(literal), number.isFinite else { return .digits(literal) }
        return .number(number)
    }

    private mutating func digits() -> Bool {
        let start = at
        while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) { at += 1 }
        return at > start
    }

    private mutating func word(_ word: StaticString) -> Bool {
        let end = at + word.utf8CodeUnitCount
        guard end <= bytes.count else { return false }
        defer { at = end }
        return (at..<end).allSatisfy { bytes[$0] == word.utf8Start[$0 - at] }
    }

    mutating func take(_ mark: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard at < bytes.count, bytes[at] == UInt8(ascii: mark) else { return false }
        at += 1
        return true
    }

    mutating func skipBlanks() {
        while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x0A || bytes[at] == 0x0D || bytes[at] == 0x09 { at += 1 }
    }
}

/// What passes over text that is known to be JSON, and builds nothing. Whatever the text is, it stays within.
extension JSONReader {
    /// The byte that comes next.
    var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    /// Passes a value.
    mutating func skip() {
        var depth = 0
        repeat {
            guard at < bytes.count else { return }
            switch bytes[at] {
            case UInt8(ascii: "\""): skipText()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                at += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x0A, 0x0D, 0x09: at += 1
            default: skipWord()
            }
        } while depth > 0
    }

    /// Passes a string, and says whether what is between its quotes is the text as it is.
    @discardableResult
    mutating func skipText() -> Bool {
        var plain = true
        at += 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
            if bytes[at] == UInt8(ascii: "\\") {
                plain = false
                at += 1
            }
            at += 1
        }
        at = min(at + 1, bytes.count)
        return plain
    }

    private mutating func skipWord() {
        while at < bytes.count, bytes[at] > 0x20, bytes[at] != UInt8(ascii: ","), bytes[at] != UInt8(ascii: "}"),
            bytes[at] != UInt8(ascii: "]")
        {
            at += 1
        }
    }
}

extension String {
    /// `nil` for what is not UTF-8.
    fileprivate init?(validating bytes: some Collection<UInt8>) {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        // A check apart from the decoding is still far cheaper than a decoding that reports errors.
        if bytes.contains(where: { $0 >= 0x80 }) {
            check: while true {
                switch decoder.decode(&iterator) {
                case .scalarValue: continue
                case .emptyInput: break check
                case .error: return nil
                }
            }
        }
        self.init(decoding: bytes, as: UTF8.self)
    }
}
