import Foundation

extension Date {
    /// A point in time as the services write it: whole milliseconds since 1970.
    public init(milliseconds: Int) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    /// This point in time as the services write it: whole milliseconds since 1970.
    public var milliseconds: Int {
        Int((timeIntervalSince1970 * 1000).rounded())
    }
}
