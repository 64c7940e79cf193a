// `reconcile`, on a fake of the few DOM methods that it calls.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { reconcile } from '../assets/dom.js';

/** @typedef {{ key: number, text: string }} Item */

class FakeElement {
  /** @type {FakeElement[]} */
  children = [];
  /** @type {FakeElement | undefined} */
  parent = undefined;
  text = '';

  get firstElementChild() {
    return this.children[0] ?? null;
  }

  get nextElementSibling() {
    const siblings = this.parent?.children ?? [];
    return siblings[siblings.indexOf(this) + 1] ?? null;
  }

  /** @param {FakeElement} child @param {FakeElement | null} place */
  insertBefore(child, place) {
    child.remove();
    const at = place ? this.children.indexOf(place) : this.children.length;
    this.children.splice(at, 0, child);
    child.parent = this;
  }

  remove() {
    const siblings = this.parent?.children ?? [];
    if (siblings.includes(this)) siblings.splice(siblings.indexOf(this), 1);
    this.parent = undefined;
  }
}

Object.defineProperty(globalThis, 'HTMLElement', { value: FakeElement, configurable: true });
Object.defineProperty(globalThis, 'document', { value: { activeElement: null }, configurable: true });

/** @param {FakeElement} parent @param {Item[]} items */
const render = (parent, items) =>
  reconcile(/** @type {any} */ (parent), items, {
    create: () => /** @type {any} */ (new FakeElement()),
    update: (child, item) => void Object.assign(child, { text: item.text }),
  });

const items = fc.array(fc.record({ key: fc.nat(9), text: fc.string() }), { maxLength: 12 });

it('the children match the items after each render, also when keys are repeated', () => {
  fc.assert(
    fc.property(fc.array(items), (renders) => {
      const parent = new FakeElement();
      for (const rendered of renders) {
        render(parent, rendered);
        assert.deepEqual(parent.children.map(({ text }) => text), rendered.map(({ text }) => text));
      }
    }),
  );
});

it('an element is reused for its key, wherever its item is', () => {
  const parent = new FakeElement();
  const [a, b, c] = [1, 2, 3].map((key) => ({ key, text: `${key}` }));
  render(parent, [a, b, c]);
  const [first, , third] = parent.children;
  render(parent, [c, a]);
  assert.deepEqual(parent.children, [third, first]);
});
