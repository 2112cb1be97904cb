/// A field of a change: left as it is, emptied, or set.
///
/// ```swift
/// try await blooio.v2.contacts.update("ct_1", name: "Ada")          // set
/// try await blooio.v2.contacts.update("ct_1", name: nil)            // emptied: null goes out
/// try await blooio.v2.contacts.update("ct_1")                       // left as it is: nothing goes out
/// try await blooio.v2.contacts.update("ct_1", name: .value(name))   // set to what a variable holds
/// ```
public enum Patch<Value: JSONRepresentable>: JSONRepresentable, ExpressibleByNilLiteral {
    /// Leaves the field as it is.
    case absent
    /// Empties the field.
    case null
    /// Sets the field.
    case value(Value)

    /// Empties the field.
    public init(nilLiteral: ()) { self = .null }

    /// Sets the field, or empties it.
    public init(_ value: Value?) {
        self = value.map(Patch.value) ?? .null
    }

    /// What goes out; ``JSONValue/null`` for an absent field too, which is left out before this is asked.
    public var json: JSONValue {
        if case .value(let value) = self { value.json } else { .null }
    }
}

extension Patch: Equatable where Value: Equatable {}
extension Patch: Hashable where Value: Hashable {}

extension Patch: ExpressibleByUnicodeScalarLiteral, ExpressibleByExtendedGraphemeClusterLiteral, ExpressibleByStringLiteral
where Value: ExpressibleByStringLiteral {
    /// Sets the field.
    public init(stringLiteral value: Value.StringLiteralType) { self = .value(Value(stringLiteral: value)) }
    /// Sets the field.
    public init(extendedGraphemeClusterLiteral value: Value.ExtendedGraphemeClusterLiteralType) {
        self = .value(Value(extendedGraphemeClusterLiteral: value))
    }
    /// Sets the field.
    public init(unicodeScalarLiteral value: Value.UnicodeScalarLiteralType) {
        self = .value(Value(unicodeScalarLiteral: value))
    }
}

extension Patch: ExpressibleByIntegerLiteral where Value: ExpressibleByIntegerLiteral {
    /// Sets the field.
    public init(integerLiteral value: Value.IntegerLiteralType) { self = .value(Value(integerLiteral: value)) }
}

extension Patch: ExpressibleByBooleanLiteral where Value: ExpressibleByBooleanLiteral {
    /// Sets the field.
    public init(booleanLiteral value: Value.BooleanLiteralType) { self = .value(Value(booleanLiteral: value)) }
}
