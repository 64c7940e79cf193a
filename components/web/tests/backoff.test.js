import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { backoff } from '../assets/backoff.js';

it('the backoff doubles up to 8 s, with jitter over its upper half', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2_000 }), (failures) => {
      const ceiling = Math.min(8_000, 400 * 2 ** failures);
      const delay = backoff(failures);
      assert.ok(delay >= ceiling / 2 && delay <= ceiling, `${delay} after ${failures} failures`);
    }),
  );
});

it('two pages back off differently', () => {
  assert.notEqual(backoff(5), backoff(5));
});
