import type { InstanceSummary, Json, StepNode, StepView } from "@hephaestus/core";

/** What an instance is called in lists: by its input's title, where it has one. */
export function titleOf({ id, key, input }: Pick<InstanceSummary, "id"> & { key?: string; input?: Json }): string {
  const title = (input as { readonly title?: unknown } | null | undefined)?.title;
  return typeof title === "string" && title.trim() !== "" ? title : (key ?? id);
}

/** How a step is coloured: its status, but a repeated attempt that waits for its turn looks like waiting. */
export type Tone = StepView["status"] | "retrying";

export function toneOf(step: StepView | undefined, now: number): Tone {
  if (step === undefined) return "idle";
  return step.status === "active" && (step.wakeAt ?? 0) > now ? "retrying" : step.status;
}

/** A step's status in a word or two. */
export function stepLabel(step: StepView | undefined, now: number): string {
  const tone = toneOf(step, now);
  switch (tone) {
    case "idle":
      return "not reached";
    case "active":
      return (step?.attempt ?? 1) > 1 ? `running, attempt ${step?.attempt}` : "running";
    case "retrying":
      return `again in ${durationText((step?.wakeAt ?? now) - now)}`;
    case "waiting":
      return step?.wakeAt === undefined ? "waiting" : `waiting, ${durationText(step.wakeAt - now)} left`;
    case "completed":
      return step?.event === undefined || step.event === "done" ? "completed" : `completed: ${step.event}`;
    case "choosing":
    case "skipped":
    case "cancelled":
    case "failed":
      return tone;
  }
}

/** What a waiting step waits for. */
export function waitsFor(node: StepNode | undefined): string {
  return node === undefined ? "" : [...node.receives].join(" or ");
}

/** A length of time in its largest units, a number never parted from its unit: "1.5 s", "2 min", "1 d 23 h". */
export function durationText(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 10) return `${Math.round(seconds * 10) / 10}\u00a0s`;
  if (seconds < 60) return `${Math.round(seconds)}\u00a0s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes}\u00a0min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours}\u00a0h` : `${hours}\u00a0h ${minutes % 60}\u00a0min`;
  return hours % 24 === 0 ? `${hours / 24}\u00a0d` : `${Math.floor(hours / 24)}\u00a0d ${hours % 24}\u00a0h`;
}

/** How long ago: "just now", "3 min ago". */
export function agoText(at: number, now: number): string {
  const ms = now - at;
  if (ms < 5_000) return "just now";
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ago` : `${Math.floor(hours / 24)} d ago`;
}
