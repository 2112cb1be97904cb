// What an app would do behind a button. BACKEND_URL and APP_PASSWORD stand for its settings and its login.

import BloomChats
import Foundation

let settings = ProcessInfo.processInfo.environment
guard let url = URL(string: settings["BACKEND_URL"] ?? ""), let password = settings["APP_PASSWORD"] else {
    fatalError("BACKEND_URL and APP_PASSWORD are not set")
}

let blooio = try Backend(url: url, password: password).blooio()
let sent = try await blooio.v2.messages.send(to: "+15551234567", text: "Hello from an app")
let status = try await blooio.v2.messages.wait(sent, in: "+15551234567", timeout: .seconds(30))
print("\(sent.messageIDs) is \(status.status ?? "unknown")")
