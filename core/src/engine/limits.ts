/** How often an attempt of one step may not come back (its runner died) before the step fails. */
export const MAX_INTERRUPTIONS = 5;

/** From this many interruptions of one step on, its run takes one step at a time, so that only the guilty one counts. */
export const SERIAL_INTERRUPTIONS = 2;

/** How long aborted attempts may take to report when a run fails or is cancelled. */
export const CANCEL_GRACE_MS = 5_000;

/** How long a command's id is remembered after the run that it belonged to has ended. */
export const COMMAND_RETENTION_MS = 24 * 3_600_000;

/** How long nobody else tries to drive an instance after its owner was last heard of. */
export const LEASE_MS = 30_000;

/** The most events that may wait in one instance's inbox without being taken. */
export const INBOX_LENGTH_MAX = 10_000;

/** The longest id of a command, in UTF-16 code units. */
export const COMMAND_ID_LENGTH_MAX = 200;
