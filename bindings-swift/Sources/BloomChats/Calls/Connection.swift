internal import BloomChatsBridge
import Foundation

/// A client of core, and the way every call takes through it.
final class Connection: Sendable {
    private let client: BloomChatsBridge.Client
    private let provider: CredentialProvider?
    private let observer: CallObserver?

    init(_ configuration: Configuration) throws {
        let told = try configuration.told()
        (provider, observer) = (configuration.provider, configuration.observer)
        let asks = provider != nil
        client = try Native.translated {
            if let transcript = configuration.transcript {
                return try Client.openScripted(config: told, provider: asks, transcript: transcript)
            }
            return try Client.open(config: told, provider: asks)
        }
    }

    /// Makes a call.
    func call(
        _ operation: String, _ arguments: [String: JSONValue], files: [String: Upload] = [:], options: CallOptions
    ) async throws -> Reply {
        let arguments = try JSONValue.object(arguments).data()
        return try await call(operation, arguments, files, options: options.told(), options.record)
    }

    /// Makes a call with arguments and options that are JSON already.
    func call(
        _ operation: String, _ arguments: Data, _ files: [String: Upload], options: Data, _ record: CallRecord?
    ) async throws -> Reply {
        let uploads = files.map { field, file in
            BloomChatsBridge.Upload(field: field, filename: file.filename, contentType: file.contentType, bytes: file.data)
        }
        return try await follow(record) {
            try client.begin(
                operation: operation, arguments: arguments, options: options, files: uploads, watched: observer != nil)
        }
    }

    /// Fetches a page that follows another.
    func next(_ page: NextPage, _ record: CallRecord?) async throws -> Reply {
        try await follow(record) { try page.begin(watched: observer != nil) }
    }

    /// What a scripted client did so far, as JSON.
    func script() throws -> JSONValue {
        try JSONValue(parsing: Native.translated { try client.script() })
    }

    /// Follows a call to its end. A task that was cancelled before makes none.
    private func follow(_ record: CallRecord?, _ begin: () throws -> Call) async throws -> Reply {
        do {
            let call = try Native.translated(begin)
            let reply = try await Following(call: call, provider: provider, observer: observer).end()
            record?.note(reply.state)
            return reply
        } catch let error as BloomChatsError {
            record?.note(error)
            guard error.kind == .cancelled else { throw error }
            throw CancellationError()
        }
    }
}

/// What a call came to.
struct Reply: Sendable {
    let state: CallRecord.State
    /// Model of the value, by core's name.
    let model: String
    /// On a page, the field that holds the items; empty when the body is the array itself.
    let items: String?
    let body: JSONValue
    let next: NextPage?

    init(_ answer: Answer) throws {
        var headers: [String: String] = [:]
        for index in stride(from: 0, to: answer.headers.count - 1, by: 2) {
            let (name, value) = (answer.headers[index], answer.headers[index + 1])
            headers[name] = headers[name].map { "\($0), \(value)" } ?? value
        }
        state = CallRecord.State(
            attempts: Int(answer.attempts), idempotencyKey: answer.idempotencyKey, status: Int(answer.status),
            headers: headers, requestID: answer.requestId)
        (model, items, next) = (answer.model, answer.items, answer.next)
        body = try JSONValue(parsing: answer.body)
    }
}

/// Follows one call: hands on its events, answers core's questions, and passes a cancelled task's wish on to the request itself.
private struct Following {
    let call: Call
    let provider: CredentialProvider?
    let observer: CallObserver?

    func end() async throws -> Reply {
        // The generated futures know nothing of tasks: it is the call that is cancelled, and its future then ends.
        try await withTaskCancellationHandler {
            var question: Task<Void, any Error>?
            defer { question?.cancel() }
            while true {
                let step: Step
                do {
                    step = try await call.step()
                } catch {
                    throw try await outcome(of: question, Native.translation(of: error))
                }
                switch step {
                case .done(let answer): return try Reply(answer)
                case .told(let event): CallEvent(json: event).map { observer?($0) }
                // Answered beside the call, which goes on counting its time meanwhile.
                case .asked: question = Task { try await settle() }
                }
            }
        } onCancel: {
            try? call.cancel()
        }
    }

    private func settle() async throws {
        do {
            guard let provider else { return }
            try call.answer(key: try await provider())
        } catch {
            try? call.cancel()
            throw error
        }
    }

    /// A call that ended because no key was supplied says so.
    private func outcome(of question: Task<Void, any Error>?, _ error: BloomChatsError) async throws -> BloomChatsError {
        guard error.kind == .cancelled, !Task.isCancelled, let question else { return error }
        switch await question.result {
        case .success: return error
        case .failure(let reason): return error.because(reason, .config, "api_key: the provider did not supply a key")
        }
    }
}
