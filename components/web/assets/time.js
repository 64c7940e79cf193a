// Times in the user's locale.

const locale = navigator.language?.startsWith('en') ? navigator.language : 'en-GB';
const format = (options) => {
  const formatter = new Intl.DateTimeFormat(locale, options);
  return (at) => formatter.format(new Date(at));
};

export const clock = format({ hour: '2-digit', minute: '2-digit' });
export const fullTime = format({ dateStyle: 'full', timeStyle: 'medium' });
/** The calendar day in the local time zone. */
export const dayOf = format({ year: 'numeric', month: '2-digit', day: '2-digit' });
const weekday = format({ weekday: 'long' });
const shortDate = format({ day: 'numeric', month: 'short' });
const longDate = format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });

const DAY_MS = 24 * 60 * 60_000;
const daysAgo = (at, days) => dayOf(at) === dayOf(Date.now() - days * DAY_MS);

/** The heading of a day's messages. */
export function dayHeading(at) {
  if (daysAgo(at, 0)) return 'Today';
  if (daysAgo(at, 1)) return 'Yesterday';
  return longDate(at);
}

/** A short form for the list of conversations. */
export function briefTime(at) {
  if (daysAgo(at, 0)) return clock(at);
  if (daysAgo(at, 1)) return 'Yesterday';
  return Date.now() - Date.parse(at) < 6 * DAY_MS ? weekday(at) : shortDate(at);
}
