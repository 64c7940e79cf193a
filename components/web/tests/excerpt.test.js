// What a search result shows of a message.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { excerpt } from '../assets/excerpt.js';

/** @param {ReturnType<typeof excerpt>} pieces */
const marked = (pieces) => pieces.map(({ text, isMatch }) => (isMatch ? `[${text}]` : text)).join('');

it('a short message is shown whole, with its matches', () => {
  const pieces = excerpt('The hearing of the hearing.', [{ start: 4, length: 7 }, { start: 19, length: 7 }]);
  assert.equal(marked(pieces), 'The [hearing] of the [hearing].');
  assert.equal(marked(excerpt('hearing', [{ start: 0, length: 7 }])), '[hearing]');
  assert.equal(marked(excerpt('Edited since.', [])), 'Edited since.');
  assert.deepEqual(excerpt('', []), []);
});

it('a long message is shown around its first match, between words', () => {
  const content = `${'before '.repeat(50)}hearing${' behind'.repeat(50)}`;
  const text = marked(excerpt(content, [{ start: 350, length: 7 }]));
  assert.match(text, /^…before (before )*\[hearing\]( behind)+…$/);
  assert.ok(text.length < 190, text);
});

it('offsets are UTF-16 code units, and no character is cut', () => {
  const content = `${'😀'.repeat(100)}x${'😀'.repeat(100)}`;
  const text = marked(excerpt(content, [{ start: 200, length: 1 }]));
  assert.match(text, /^…(😀)+\[x\](😀)+…$/u);
});

it('of any message the pieces are a part of it, and only matches are marked', () => {
  const content = fc.string({ unit: 'grapheme', maxLength: 400 });
  const ranges = fc.array(fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 60 })), { maxLength: 8 });
  fc.assert(
    fc.property(content, ranges, (text, all) => {
      let end = 0;
      const highlights = all.map(([gap, length]) => {
        const start = end + gap;
        end = start + length;
        return { start, length };
      });
      const pieces = excerpt(text, highlights);
      const shown = pieces.map((piece) => piece.text).join('');
      assert.ok(text.includes(shown) || text.includes(shown.replace(/^…/, '').replace(/…$/, '')));
      assert.ok(shown.length <= 182);
      const allowed = highlights.map(({ start, length }) => text.slice(start, start + length));
      for (const piece of pieces.filter(({ isMatch }) => isMatch)) {
        assert.ok(allowed.some((one) => one.includes(piece.text)), piece.text);
      }
    }),
  );
});
