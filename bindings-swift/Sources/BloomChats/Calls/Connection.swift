internal import BloomChatsFFI
import Foundation

/// A client of core, and the way every call takes through it.
final class Connection: @unchecked Sendable {  // core's half takes calls from any thread
    private let client: OpaquePointer
    private let provider: CredentialProvider?
    private let observer: CallObserver?

    init(_ configuration: Configuration) throws {
        let told = try configuration.told()
        (provider, observer) = (configuration.provider, configuration.observer)
        let asks = provider != nil
        client = try Native.made { failure in
            let open = { (transcript: bloomchats_text) in lend(told) { bloomchats_client_open($0, asks, transcript, failure) } }
            return configuration.transcript.map { lend($0, open) } ?? open(bloomchats_text())
        }
    }

    deinit {
        bloomchats_client_free(client)
    }

    /// Makes a call.
    func call(_ operation: String, _ arguments: Arguments, options: CallOptions) async throws -> Reply {
        try await call(operation, arguments.told(), arguments.files, options: options.told(), options.record)
    }

    /// Makes a call with arguments and options that are JSON already, or cannot be.
    func call<Bytes: ContiguousBytes>(
        _ operation: String, _ arguments: @autoclosure () throws -> Bytes, _ files: [String: Upload],
        options: @autoclosure () throws -> Bytes, _ record: CallRecord?
    ) async throws -> Reply {
        do {
            return try await follow(begin(operation, arguments(), files, options()), record)
        } catch let error as BloomChatsError {
            throw noted(error, record)
        }
    }

    /// Fetches a page that follows another.
    func next(_ page: NextPage, _ record: CallRecord?) async throws -> Reply {
        do {
            return try await follow(page.begin(watched: observer != nil), record)
        } catch let error as BloomChatsError {
            throw noted(error, record)
        }
    }

    /// What a scripted client did so far, as JSON.
    func script() throws -> JSONValue {
        try Native.result(bloomchats_client_script(client)).json.parsed()
    }

    private func uploads(_ files: [String: Upload]) -> OpaquePointer? {
        guard !files.isEmpty else { return nil }
        let uploads = bloomchats_files_new()
        for (field, file) in files {
            lend(field) { field in
                lend(file.filename) { name in
                    lend(file.contentType) { type in
                        lend(file.data) { bloomchats_files_add(uploads, field, name, type, $0) }
                    }
                }
            }
        }
        return uploads
    }

    private func begin(
        _ operation: String, _ arguments: some ContiguousBytes, _ files: [String: Upload], _ options: some ContiguousBytes
    ) throws -> Call {
        let files = uploads(files)
        return try Call(Native.made { failure in
            lend(operation) { operation in
                lend(arguments) { arguments in
                    lend(options) { bloomchats_client_begin(client, operation, arguments, $0, files, observer != nil, failure) }
                }
            }
        })
    }

    /// Follows a call to its end: hands on its events, answers core's questions, and passes a cancelled task's wish on to the
    /// request itself. A task that was cancelled before makes none.
    private func follow(_ call: Call, _ record: CallRecord?) async throws -> Reply {
        try await withTaskCancellationHandler {
            var question: Task<Void, any Error>?
            defer { question?.cancel() }
            while true {
                let told = await call.listen()
                switch told.kind {
                case bloomchats_done:
                    let reply = Reply(told)
                    record?.note(reply.state)
                    return reply
                case bloomchats_event: (try? told.json.parsed()).flatMap(CallEvent.init(told:)).map { observer?($0) }
                // Answered beside the call, which goes on counting its time meanwhile.
                case bloomchats_asked: question = Task { try await settle(call) }
                default: throw await outcome(of: question, told.failure)
                }
            }
        } onCancel: {
            call.cancel()
        }
    }

    private func settle(_ call: Call) async throws {
        do {
            guard let provider else { return }
            call.answer(try await provider())
        } catch {
            call.cancel()
            throw error
        }
    }

    /// A call that ended because no key was supplied says so.
    private func outcome(of question: Task<Void, any Error>?, _ error: BloomChatsError) async -> BloomChatsError {
        guard error.kind == .cancelled, !Task.isCancelled, let question else { return error }
        switch await question.result {
        case .success: return error
        case .failure(let reason): return error.because(reason, .config, "api_key: the provider did not supply a key")
        }
    }

    private func noted(_ error: BloomChatsError, _ record: CallRecord?) -> any Error {
        record?.note(error)
        return error.kind == .cancelled ? CancellationError() : error
    }
}

/// What a call came to, read where it lies.
struct Reply: Sendable {
    private let told: Told

    init(_ told: Told) {
        self.told = told
    }

    var state: CallRecord.State {
        CallRecord.State(
            attempts: told.attempts, idempotencyKey: told.idempotencyKey, status: told.status, headers: told.headers,
            requestID: told.requestID)
    }

    /// Model of the value, by core's name.
    var model: String { told.model }
    /// The value; on a page, the whole body.
    var body: JSONSource { told.json }
    /// The way on from a page.
    var next: NextPage? { told.next }
    /// On a page, its items.
    var items: [JSONSource]? {
        told.items.flatMap { $0.isEmpty ? body.array : body[$0]?.array }
    }
}
