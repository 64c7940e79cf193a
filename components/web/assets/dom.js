// DOM helpers. Text is inserted as text only; nothing here parses HTML.

/** @import { ElementOf } from '../types/page.d.ts' */

/**
 * The element of index.html with this id.
 *
 * @template {string} Id
 * @param {Id} id
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`There is no #${id}.`);
  return /** @type {ElementOf<Id>} */ (found);
}

/**
 * The descendant of an element with this class.
 *
 * @param {ParentNode} parent
 * @param {string} className
 */
export function byClass(parent, className) {
  const found = parent.querySelector(`.${className}`);
  if (!found) throw new Error(`There is no .${className}.`);
  return /** @type {HTMLElement} */ (found);
}

/**
 * An element with properties (`className`, `onclick` …), attributes (`data-*`, `aria-*`, `role`) and children.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {{ [name: string]: unknown }} [settings]
 * @param {(Node | string)[]} children
 */
export function element(tag, settings = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name in created) Object.assign(created, { [name]: value });
    else created.setAttribute(name, String(value));
  }
  created.append(...children);
  return created;
}

/**
 * One of the SVG symbols at the head of index.html.
 *
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
}

/**
 * @param {string} className
 * @param {Node | string} label
 * @param {() => void} onclick
 */
export const button = (className, label, onclick) =>
  element('button', { type: 'button', className, onclick }, label);

/**
 * A button that shows an icon and has an accessible name.
 *
 * @param {string} name
 * @param {string} label
 * @param {() => void} onclick
 */
export function iconButton(name, label, onclick) {
  const created = button('icon-button', icon(name), onclick);
  created.title = label;
  created.setAttribute('aria-label', label);
  return created;
}

/**
 * Sets a text; the DOM is not touched when the text is unchanged.
 *
 * @param {Element} target
 * @param {string} text
 */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * @param {HTMLElement} target
 * @param {boolean} hidden
 */
export function setHidden(target, hidden) {
  if (target.hidden !== hidden) target.hidden = hidden;
}

/** The keys of the elements that `reconcile` has created. @type {WeakMap<Element, string | number>} */
const keys = new WeakMap();

/**
 * Updates the children of `parent` to match `items`, in order. A child element is reused while
 * an item has its key, so focus and selection survive. Of several items with one key, one reuses it.
 *
 * @template {{ key: string | number }} Item
 * @param {HTMLElement} parent
 * @param {readonly Item[]} items
 * @param {{ create: (item: Item) => HTMLElement, update: (child: HTMLElement, item: Item) => void }} view
 */
export function reconcile(parent, items, { create, update }) {
  const old = new Map(Array.from(parent.children, (child) => [keys.get(child), /** @type {HTMLElement} */ (child)]));
  const focused = document.activeElement;
  const outdated = new Set(parent.children);
  let place = parent.firstElementChild;
  for (const item of items) {
    const child = old.get(item.key) ?? create(item);
    keys.set(child, item.key);
    old.delete(item.key);
    outdated.delete(child);
    update(child, item);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  outdated.forEach((child) => child.remove());
  // An element that is moved loses the focus.
  if (focused instanceof HTMLElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}

const TITLE = globalThis.document?.title;
/** What had the focus when the page was hidden. @type {Element | null} */
let focused = null;

/** Hides the page and all that is open, without losing scroll positions. */
export function hidePage() {
  document.querySelectorAll('dialog').forEach((dialog) => dialog.close());
  focused = document.activeElement;
  // A field that keeps the focus while it is hidden takes no text afterwards.
  if (focused instanceof HTMLElement) focused.blur();
  document.documentElement.dataset.locked = '';
  document.title = TITLE;
  byId('announcer').textContent = '';
}

export function showPage() {
  delete document.documentElement.dataset.locked;
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
}

/**
 * Announces a text to screen readers.
 *
 * @param {string} text
 */
export function announce(text) {
  const liveRegion = byId('announcer');
  // Cleared first, so that a repeated text is announced again.
  liveRegion.textContent = '';
  setTimeout(() => (liveRegion.textContent = text));
}

/**
 * Roving tabindex: one tab stop for all items, and arrow keys that move between them. Returns a
 * function that makes an item the tab stop, unless the focus is on an item already.
 *
 * @param {HTMLElement} parent
 * @param {string} selector
 * @param {{ onEscape?: () => void }} [handlers]
 */
export function rovingTabindex(parent, selector, { onEscape } = {}) {
  const items = () => /** @type {HTMLElement[]} */ ([...parent.querySelectorAll(selector)]);
  /** @param {Event} event */
  const itemOf = ({ target }) => /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest(selector));
  /** @param {HTMLElement | null | undefined} item */
  const setTabStop = (item) => items().forEach((one) => (one.tabIndex = one === item ? 0 : -1));

  parent.addEventListener('focusin', (event) => {
    const item = itemOf(event);
    if (item) setTabStop(item);
  });
  parent.addEventListener('keydown', (event) => {
    const all = items();
    const at = all.findIndex((item) => item === itemOf(event));
    if (at < 0) return;
    const target = all[targetOf(event.key, at, all.length)];
    if (event.key === 'Escape') onEscape?.();
    else if (target) target.focus();
    else return;
    event.preventDefault();
  });
  /** @param {HTMLElement | null | undefined} item */
  return (item) => {
    if (!parent.contains(document.activeElement)) setTabStop(item);
  };
}

/**
 * The index that a key moves to from another, which may be outside of the list; -1 for other keys.
 *
 * @param {string} key
 * @param {number} at
 * @param {number} length
 */
function targetOf(key, at, length) {
  switch (key) {
    case 'ArrowUp':
      return at - 1;
    case 'ArrowDown':
      return at + 1;
    case 'Home':
      return 0;
    case 'End':
      return length - 1;
    default:
      return -1;
  }
}
