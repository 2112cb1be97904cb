// Starts a sandbox, says who it is and where that is, and waits to be killed.

import BloomChatsTesting
import Foundation

let sandbox = try await Sandbox()
FileHandle.standardOutput.write(Data("\(ProcessInfo.processInfo.processIdentifier) \(sandbox.url)\n".utf8))
try await Task.sleep(for: .seconds(60))
await sandbox.close()
