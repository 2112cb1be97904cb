import Foundation

extension JSONValue {
    /// JSON text in UTF-8, without blanks, the fields of objects sorted by name.
    ///
    /// - Throws: ``BloomChatsError`` of kind ``BloomChatsError/Kind/invalidArgument`` for NaN and infinities, which JSON
    ///   cannot express; ``BloomChatsError/argument`` says where.
    public func data() throws -> Data {
        var bytes: [UInt8] = []
        try write(to: &bytes, path: "")
        return Data(bytes)
    }

    private func write(to bytes: inout [UInt8], path: String) throws {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let flag): bytes.append(contentsOf: flag ? "true".utf8 : "false".utf8)
        case .integer(let number): bytes.append(contentsOf: String(number).utf8)
        case .digits(let digits):
            guard (try? JSONValue(parsing: digits))?.double != nil else {
                throw BloomChatsError.invalidArgument(path, "holds digits that are not a number")
            }
            bytes.append(contentsOf: digits.utf8)
        case .number(let number):
            guard number.isFinite else {
                throw BloomChatsError.invalidArgument(path, "holds NaN or an infinity, which JSON cannot express")
            }
            bytes.append(contentsOf: "\(number)".utf8)
        case .string(let text): Self.write(text, to: &bytes)
        case .array(let items):
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                try item.write(to: &bytes, path: "\(path)[\(index)]")
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let fields):
            bytes.append(UInt8(ascii: "{"))
            for (index, name) in fields.keys.sorted().enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.write(name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                try fields[name, default: .null].write(to: &bytes, path: path.isEmpty ? name : "\(path).\(name)")
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case ..<0x20:
                let hex = String(byte, radix: 16)
                bytes.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - hex.count))\(hex)".utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
