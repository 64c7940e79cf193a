// The part of a message that a search result shows. No DOM, no network.

/** @import { Highlight } from '../types/service.d.ts' */

/** How long an excerpt is, and how much of it precedes the first match, in UTF-16 code units. */
const LENGTH = 180;
const LEAD = 48;
/** How far a cut may move to be between two words. */
const SLACK = 24;
const ELLIPSIS = '…';

/**
 * The beginning of a content or, if the first match is further down, the part around it: in pieces that
 * match and pieces that do not.
 *
 * @param {string} content
 * @param {readonly Highlight[]} highlights in UTF-16 code units, in order and without overlaps
 * @returns {{ text: string, isMatch: boolean }[]}
 */
export function excerpt(content, highlights) {
  const first = highlights[0]?.start ?? 0;
  const start = first <= LEAD ? 0 : cutBefore(content, first - LEAD, first);
  const end = content.length - start <= LENGTH ? content.length : cutAfter(content, start + LENGTH);
  const pieces = [];
  let at = start;
  for (const highlight of highlights) {
    const from = Math.max(at, highlight.start);
    const to = Math.min(end, highlight.start + highlight.length);
    if (from >= to) continue;
    pieces.push({ text: content.slice(at, from), isMatch: false }, { text: content.slice(from, to), isMatch: true });
    at = to;
  }
  const before = start > 0 ? ELLIPSIS : '';
  const after = end < content.length ? ELLIPSIS : '';
  return [
    { text: before, isMatch: false },
    ...pieces,
    { text: content.slice(at, end) + after, isMatch: false },
  ].filter(({ text }) => text);
}

/**
 * The beginning of the first word at or after an index, if one begins before the limit.
 *
 * @param {string} content
 * @param {number} index
 * @param {number} limit
 */
function cutBefore(content, index, limit) {
  const space = content.slice(index, Math.min(limit, index + SLACK)).search(/\s\S/);
  return space < 0 ? wholeCharacter(content, index) : index + space + 1;
}

/**
 * The end of the last word before an index, if it is near.
 *
 * @param {string} content
 * @param {number} index
 */
function cutAfter(content, index) {
  const tail = content.slice(index - SLACK, index);
  const space = tail.search(/\s\S*$/);
  return space < 0 ? wholeCharacter(content, index) : index - SLACK + space;
}

/**
 * The same index, or the one before it if that would cut a pair of surrogates.
 *
 * @param {string} content
 * @param {number} index
 */
const wholeCharacter = (content, index) => (content.codePointAt(index - 1) ?? 0) > 0xffff ? index - 1 : index;
