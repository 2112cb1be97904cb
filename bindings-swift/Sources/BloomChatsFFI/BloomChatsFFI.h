// The waist of the SDK as the Swift package calls it; `bindings-swift/src/abi.rs` is the other half.
//
// Nobody else should: names and layouts change with any version.
//
// Every function may be called from any thread, and several at once with the same object; what is freed must not be in use.
// Bytes that are passed are borrowed until the function returns.

#ifndef BLOOMCHATS_FFI_H
#define BLOOMCHATS_FFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Bytes of somebody else; a null `start` means that there are none.
typedef struct {
    const uint8_t *_Nullable start;
    size_t count;
} bloomchats_text;

typedef struct bloomchats_client bloomchats_client;
typedef struct bloomchats_call bloomchats_call;
typedef struct bloomchats_page bloomchats_page;
typedef struct bloomchats_files bloomchats_files;

typedef enum : uint32_t {
    bloomchats_done,
    bloomchats_failed,
    bloomchats_event,
    bloomchats_asked,
} bloomchats_kind;

/// Something told: its bytes are readable until it is freed.
///
/// - done: the value in `body`, and for a call all the rest;
/// - failed: core's error in `body`, as JSON; kinds beside core's own are `cancelled` and `internal`;
/// - event: core's event in `body`, as JSON;
/// - asked: core wants a credential.
typedef struct {
    bloomchats_kind kind;
    uint32_t attempts;
    uint16_t status;
    bool has_next;
    bloomchats_text body;
    bloomchats_text request_id;
    bloomchats_text idempotency_key;
    bloomchats_text model;
    bloomchats_text items;
} bloomchats_told;

/// The headers of an answer: a JSON array of pairs.
bloomchats_told *bloomchats_told_headers(const bloomchats_told *told);
/// The way on from a page; null after the last.
bloomchats_page *_Nullable bloomchats_told_next(const bloomchats_told *told);
void bloomchats_told_free(bloomchats_told *told);

/// Opens a client from a configuration as JSON, with a transcript one whose answers come from there. `asks`: its keys are asked
/// for when they are needed. Null: `failure` says why.
bloomchats_client *_Nullable bloomchats_client_open(
    bloomchats_text config, bool asks, bloomchats_text transcript, bloomchats_told *_Nullable *_Nonnull failure);
/// What a scripted client did so far, as JSON; empty for any other.
bloomchats_told *bloomchats_client_script(const bloomchats_client *client);
void bloomchats_client_free(bloomchats_client *client);

/// Uploads, for one call.
bloomchats_files *bloomchats_files_new(void);
void bloomchats_files_add(
    bloomchats_files *files, bloomchats_text field, bloomchats_text filename, bloomchats_text content_type,
    bloomchats_text bytes);
/// Prepares a call; it begins when it is first listened to. Takes the files over. `watched`: it tells of its events too. Null:
/// `failure` says why.
bloomchats_call *_Nullable bloomchats_client_begin(
    const bloomchats_client *client, bloomchats_text operation, bloomchats_text arguments, bloomchats_text options,
    bloomchats_files *_Nullable files, bool watched, bloomchats_told *_Nullable *_Nonnull failure);
/// Prepares the fetch of a page. A failed one can be prepared again.
bloomchats_call *_Nullable bloomchats_page_begin(const bloomchats_page *page, bool watched);
void bloomchats_page_free(bloomchats_page *page);

/// Has `hear` called once, with the next thing that the call tells: from this thread at once, or from the runtime's, which must
/// not be held up. One listens at a time; after the end nothing is told any more.
void bloomchats_call_listen(
    const bloomchats_call *call, void *context, void (*hear)(void *context, bloomchats_told *told));
/// Answers core's question. Nothing when it no longer listens.
void bloomchats_call_answer(const bloomchats_call *call, bloomchats_text key);
/// Ends the call: its socket closes, its waits end, and it tells that it was cancelled. Holds also for one that has not begun.
void bloomchats_call_cancel(const bloomchats_call *call);
/// Ends the call too.
void bloomchats_call_free(bloomchats_call *call);

bloomchats_told *bloomchats_new_idempotency_key(void);
/// `secrets`: a JSON array of strings.
bloomchats_told *bloomchats_verify_webhook(
    bloomchats_text body, bloomchats_text header, bloomchats_text secrets, int64_t now, uint64_t tolerance);
bloomchats_told *bloomchats_sign_webhook(bloomchats_text body, bloomchats_text secret, int64_t at);
bloomchats_told *bloomchats_parse_event(bloomchats_text body);

#pragma clang assume_nonnull end

#endif
