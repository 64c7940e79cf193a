// DOM helpers. Text is inserted as text only; nothing here parses HTML.

export const byId = (id) => document.getElementById(id);

/** An element with properties (`className`, `onclick` …), attributes (`data-*`, `aria-*`, `role`) and children. */
export function element(tag, settings = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name in created) created[name] = value;
    else created.setAttribute(name, value);
  }
  created.append(...children);
  return created;
}

/** One of the SVG symbols at the head of index.html. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
}

export const button = (className, label, onclick) =>
  element('button', { type: 'button', className, onclick }, label);

/** A button that shows an icon and has an accessible name. */
export function iconButton(name, label, onclick) {
  const created = button('icon-button', icon(name), onclick);
  created.title = label;
  created.setAttribute('aria-label', label);
  return created;
}

/** Sets a text; the DOM is not touched when the text is unchanged. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

export const setHidden = (target, hidden) => {
  if (target.hidden !== hidden) target.hidden = hidden;
};

/**
 * Updates the children of `parent` to match `items`, in order. A child element is reused while
 * an item has its key, so focus and selection survive.
 */
export function reconcile(parent, items, { create, update }) {
  const old = new Map(Array.from(parent.children, (child) => [child.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const child = old.get(item.key) ?? Object.assign(create(item), { key: item.key });
    old.delete(item.key);
    update?.(child, item);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  old.forEach((child) => child.remove());
}

/** Announces a text to screen readers. */
export function announce(text) {
  const liveRegion = byId('announcer');
  // Cleared first, so that a repeated text is announced again.
  liveRegion.textContent = '';
  setTimeout(() => (liveRegion.textContent = text));
}

/**
 * Roving tabindex: one tab stop for all items, and arrow keys that move between them. Returns a
 * function that makes an item the tab stop, unless the focus is on an item already.
 */
export function rovingTabindex(parent, selector, { onEscape } = {}) {
  const items = () => [...parent.querySelectorAll(selector)];
  const setTabStop = (item) => items().forEach((one) => (one.tabIndex = one === item ? 0 : -1));
  parent.addEventListener('focusin', ({ target }) => {
    if (target.closest(selector)) setTabStop(target.closest(selector));
  });
  parent.addEventListener('keydown', (event) => {
    const all = items();
    const at = all.indexOf(event.target.closest(selector));
    if (at < 0) return;
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === 'Escape') onEscape?.();
    else if (all[to]) all[to].focus();
    else return;
    event.preventDefault();
  });
  return (item) => parent.contains(document.activeElement) || setTabStop(item);
}
