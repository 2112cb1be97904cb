import Foundation

extension JSONValue {
    /// JSON text in UTF-8, without blanks, the fields of objects sorted by name.
    ///
    /// - Throws: ``BloomChatsError`` of kind ``BloomChatsError/Kind/invalidArgument`` for NaN and infinities, which JSON
    ///   cannot express, and for what is nested more than 127 deep; ``BloomChatsError/argument`` says where.
    public func data() throws -> Data {
        Data(try bytes())
    }

    /// As ``data()``.
    func bytes() throws -> [UInt8] {
        var writer = JSONWriter()
        do throws(JSONWriter.Problem) { try writer.write(self) } catch { throw error.refusal }
        return writer.bytes
    }
}

/// Writes JSON text. Where a value cannot be written is only put into words when it happens.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private var depth = 0

    struct Problem: Error {
        let text: String
        var path = ""

        func below(_ name: String) -> Problem {
            Problem(text: text, path: path.isEmpty || path.hasPrefix("[") ? name + path : "\(name).\(path)")
        }

        var refusal: BloomChatsError { .invalidArgument(path, text) }
    }

    /// The next field of the one object that is being written.
    mutating func field(_ name: StaticString, _ value: JSONValue) throws {
        if bytes.isEmpty {
            bytes.reserveCapacity(256)
            depth = 1
        }
        bytes.append(UInt8(ascii: bytes.isEmpty ? "{" : ","))
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        do throws(Problem) { try write(value) } catch { throw error.below("\(name)").refusal }
    }

    /// The object of those fields.
    mutating func object() -> [UInt8] {
        if bytes.isEmpty { bytes.append(UInt8(ascii: "{")) }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    mutating func write(_ value: JSONValue) throws(Problem) {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let flag): bytes.append(contentsOf: flag ? "true".utf8 : "false".utf8)
        case .integer(let number): bytes.append(contentsOf: String(number).utf8)
        case .digits(let digits):
            guard (try? JSONValue(parsing: digits))?.double != nil else { throw Problem(text: "holds digits that are not a number") }
            bytes.append(contentsOf: digits.utf8)
        case .number(let number):
            guard number.isFinite else { throw Problem(text: "holds NaN or an infinity, which JSON cannot express") }
            bytes.append(contentsOf: "\(number)".utf8)
        case .string(let text): write(text)
        case .array(let items):
            try descend()
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                do throws(Problem) { try write(item) } catch { throw error.below("[\(index)]") }
            }
            bytes.append(UInt8(ascii: "]"))
            depth -= 1
        case .object(let fields):
            try descend()
            bytes.append(UInt8(ascii: "{"))
            for (index, name) in fields.keys.sorted().enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                write(name)
                bytes.append(UInt8(ascii: ":"))
                do throws(Problem) { try write(fields[name, default: .null]) } catch { throw error.below(name) }
            }
            bytes.append(UInt8(ascii: "}"))
            depth -= 1
        }
    }

    private mutating func descend() throws(Problem) {
        guard depth < JSONReader.deepest else { throw Problem(text: "is nested too deeply") }
        depth += 1
    }

    private mutating func write(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { characters in
            // Most text has nothing to escape and goes in as it is.
            var from = 0
            for (at, byte) in characters.enumerated() where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                bytes.append(contentsOf: characters[from..<at])
                escape(byte)
                from = at + 1
            }
            bytes.append(contentsOf: characters[from...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        guard byte < 0x20 else { return bytes.append(contentsOf: [UInt8(ascii: "\\"), byte]) }
        let hex = String(byte, radix: 16)
        bytes.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - hex.count))\(hex)".utf8)
    }
}
