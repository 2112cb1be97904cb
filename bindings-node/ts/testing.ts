/** For tests of code that uses this package: scripted clients, and the services' sandbox. */

export { type Exchange, type RecordedRequest, type Recording, type Transcript, scripted } from "./scripted";
export type { Clock, Time } from "./sandbox/clock";
export { SandboxError } from "./sandbox/control";
export type { Fault, FaultAction, Faults, ScriptedFault } from "./sandbox/faults";
export type { Delivery, DeliveryAttempt, LoggedRequest } from "./sandbox/logs";
export type { Chosen, Happening, Phone, Received, Where, Written } from "./sandbox/phone";
export type { Receiver, Webhook } from "./sandbox/receiver";
export { type Api, type LineSettings, Sandbox, type SandboxOptions, startSandbox } from "./sandbox/sandbox";
