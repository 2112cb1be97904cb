import Foundation

/// A file to upload, at most 16 MiB.
public struct Upload: Sendable, Hashable {
    /// Content.
    public var data: Data
    /// The name told to the service.
    public var filename: String
    /// Media type, as `image/png`.
    public var contentType: String

    /// A file. It is checked when it is sent: an empty or too large one, and odd names, are invalid arguments.
    public init(_ data: Data, filename: String, contentType: String) {
        self.data = data
        self.filename = filename
        self.contentType = contentType
    }
}

extension Upload: CustomStringConvertible, CustomReflectable {
    /// Type and size, neither name nor content.
    public var description: String { "Upload(\(contentType), \(data.count) bytes)" }
    /// Shows what ``description`` shows.
    public var customMirror: Mirror { Mirror(self, children: [:], displayStyle: .struct) }
}
