// What this browser is called in the list of sessions. No DOM, no network.

/**
 * What browsers say of themselves; only some have `userAgentData`.
 *
 * @typedef {{
 *   userAgent?: string,
 *   userAgentData?: { brands?: readonly { brand: string }[], platform?: string },
 * }} Agent
 */

/** The longest name that the service takes. */
const MAX_LENGTH = 100;

/** The first that fits counts: most browsers name others too. @type {[RegExp, string][]} */
const BROWSERS = [
  [/\bEdg/, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Headless)?(Chrome|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];
/** @type {[RegExp, string][]} */
const SYSTEMS = [
  [/\b(iPhone|iPad)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];

/**
 * For example “Firefox on Windows”: one line that the service takes.
 *
 * @param {Agent} agent
 */
export function deviceName({ userAgent = '', userAgentData }) {
  const browser = brandOf(userAgentData?.brands ?? []) ?? find(BROWSERS, userAgent) ?? 'Browser';
  const system = clean(userAgentData?.platform ?? '') || find(SYSTEMS, userAgent);
  return (system ? `${browser} on ${system}` : browser).slice(0, MAX_LENGTH);
}

/**
 * Of the brands one is made up, so that sites do not rely on the list, and one is the engine.
 *
 * @param {readonly { brand: string }[]} brands
 */
function brandOf(brands) {
  const real = brands.map(({ brand }) => clean(brand)).filter((brand) => brand && !/not.*brand/i.test(brand));
  const brand = real.find((one) => one !== 'Chromium') ?? real[0];
  return brand?.replace(/^(Google |Microsoft |Headless)(?=.)/, '');
}

/** @param {string} text */
const clean = (text) => text.replaceAll(/[^\x20-\x7e]/g, '').trim();

/**
 * @param {[RegExp, string][]} table
 * @param {string} text
 */
const find = (table, text) => table.find(([pattern]) => pattern.test(text))?.[1];
