/** What a namespace was asked, and what webhooks it sent. Times are epoch milliseconds of the sandbox's clock. */

/** A request to one of the services. */
export interface LoggedRequest {
  at: number;
  method: string;
  /** Path and query as they were sent. */
  target: string;
  idempotency_key: string | null;
  /** The JSON body, up to 4 KB. */
  body: unknown;
  /** What it was answered with; `null` when a fault left no answer. */
  status: number | null;
  /** Whether a scripted fault struck it. */
  fault: boolean;
}

/** One attempt at a delivery. */
export interface DeliveryAttempt {
  at: number;
  answered_at: number | null;
  /** The receiver's answer; `null` when none came. */
  status: number | null;
  /** Why none came. */
  error: string | null;
}

/** A webhook on its way to one receiver. */
export interface Delivery {
  /** As v4 names it: `wdel_…`. */
  id: string;
  webhook_id: string;
  url: string;
  event_id: string;
  event: string;
  /** `not_sent` when its URL is none the sandbox calls. */
  state: "pending" | "delivered" | "failed" | "not_sent";
  replay_of: string | null;
  created_at: number;
  next_attempt_at: number | null;
  attempts: DeliveryAttempt[];
  /** The JSON that is delivered. */
  body: unknown;
}
