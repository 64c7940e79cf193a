// Small helpers for the document. Text gets in as text only; nothing here parses HTML.

export const byId = (id) => document.getElementById(id);

/** An element with properties (`className`, `onclick` …), attributes (`data-*`, `aria-*`, `role`) and children. */
export function element(tag, settings = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** One of the drawings at the head of index.html. */
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

/** A button with a drawing and, for those who do not see it, a name. */
export function iconButton(name, label, onclick) {
  const made = button('icon-button', icon(name), onclick);
  made.title = label;
  made.setAttribute('aria-label', label);
  return made;
}

/** Sets a text, and leaves the document alone where it is the same. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

export const setHidden = (target, hidden) => {
  if (target.hidden !== hidden) target.hidden = hidden;
};

/**
 * Makes the children of `parent` those of `items`, in order. A child is kept as long as
 * there is an item with its key, so focus and selection survive.
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

/** Tells those who listen instead of looking. */
export function announce(text) {
  const announcer = byId('announcer');
  // The same text twice is announced twice.
  announcer.textContent = '';
  setTimeout(() => (announcer.textContent = text));
}

/**
 * One stop for the Tab key among many items; arrow keys move between them. Returns what
 * makes an item the one where Tab stops, unless the focus is on one already.
 */
export function rove(parent, selector, { onEscape } = {}) {
  const items = () => [...parent.querySelectorAll(selector)];
  const stopAt = (item) => items().forEach((one) => (one.tabIndex = one === item ? 0 : -1));
  parent.addEventListener('focusin', ({ target }) => {
    if (target.closest(selector)) stopAt(target.closest(selector));
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
  return (item) => parent.contains(document.activeElement) || stopAt(item);
}
