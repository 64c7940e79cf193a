// Times in the user's locale.

const locale = navigator.language?.startsWith('en') ? navigator.language : 'en-GB';

/**
 * A moment: RFC 3339, or Unix milliseconds.
 *
 * @typedef {string | number | Date} Moment
 */

/** @param {Intl.DateTimeFormatOptions} options */
function format(options) {
  const formatter = new Intl.DateTimeFormat(locale, options);
  /** @param {Moment} at */
  return (at) => formatter.format(new Date(at));
}


export const clock = format({ hour: '2-digit', minute: '2-digit' });
export const fullTime = format({ dateStyle: 'full', timeStyle: 'medium' });
/** The calendar day in the local time zone. */
export const dayOf = format({ year: 'numeric', month: '2-digit', day: '2-digit' });
const weekday = format({ weekday: 'long' });
const shortDate = format({ day: 'numeric', month: 'short' });
const longDate = format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });

const DAY_MS = 24 * 60 * 60_000;
/**
 * Whether a moment is in the calendar day so many days ago. Days may have 23 or 25 hours.
 *
 * @param {Moment} at
 * @param {number} days
 */
function isDaysAgo(at, days) {
  const day = new Date();
  day.setDate(day.getDate() - days);
  return dayOf(at) === dayOf(day);
}

/**
 * The heading of a day's messages.
 *
 * @param {Moment} at
 */
export function dayHeading(at) {
  if (isDaysAgo(at, 0)) return 'Today';
  if (isDaysAgo(at, 1)) return 'Yesterday';
  return longDate(at);
}

/**
 * A short form for the list of conversations.
 *
 * @param {string} at
 */
export function briefTime(at) {
  if (isDaysAgo(at, 0)) return clock(at);
  if (isDaysAgo(at, 1)) return 'Yesterday';
  return Date.now() - Date.parse(at) < 6 * DAY_MS ? weekday(at) : shortDate(at);
}
