import { useNow } from "../hooks/use-now.ts";
import { agoText } from "../model/labels.ts";

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 1,
  hourCycle: "h23",
});

/** A time as its distance from now; the full one is in its title. */
export function TimeAgo({ at }: { readonly at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={full.format(at)}>
      {agoText(at, useNow())}
    </time>
  );
}

/** A time of day, to a tenth of a second. */
export function ClockTime({ at }: { readonly at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={full.format(at)}>
      {clock.format(at)}
    </time>
  );
}
