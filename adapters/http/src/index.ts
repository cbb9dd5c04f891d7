export { BODY_LIMIT_BYTES } from "./body.ts";
export { HTTP_STATUS_OF, type HttpErrorCode, STATUS_OF } from "./error-status.ts";
export { githubWebhook } from "./github-webhook.ts";
export { type Authenticate, anonymous, type HttpOptions, httpRoutes } from "./http-routes.ts";
export { BUFFERED_CHANGES_MAX, HEARTBEAT_MS } from "./live-updates.ts";
export { HttpProblem, PROBLEM_TYPE, type Problem } from "./problem.ts";
export { standardWebhook, WEBHOOK_TOLERANCE_MS } from "./standard-webhook.ts";
export type {
  Delivery,
  HandleDelivery,
  ReceivedCall,
  Secret,
  Webhook,
  WebhookAnswer,
  WebhookOptions,
} from "./webhook.ts";
export type * from "./wire.ts";
