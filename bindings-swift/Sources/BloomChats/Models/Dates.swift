import Foundation

extension Date {
    /// A point in time as the services write it: whole milliseconds since 1970.
    public init(milliseconds: Int) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    /// This point in time as the services write it: whole milliseconds since 1970. One that they cannot count is the first or
    /// the last they can.
    public var milliseconds: Int {
        Int(nearest: timeIntervalSince1970 * 1000)
    }
}

extension Int {
    /// The whole number that lies nearest.
    package init(nearest number: Double) {
        self = Int(exactly: number.rounded()) ?? (number < 0 ? .min : .max)
    }
}
