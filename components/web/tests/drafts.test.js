// What is being written survives replies and edits.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createDrafts } from '../assets/drafts.js';
import { message, ROOM } from './support.js';

it('each conversation has its own draft', () => {
  const drafts = createDrafts();
  drafts.setText(ROOM, 'Here');
  assert.equal(drafts.get(ROOM).text, 'Here');
  assert.equal(drafts.get(8).text, '');
  drafts.clear(ROOM);
  assert.equal(drafts.get(ROOM).text, '');
});

it('a reply keeps the text, and can be made a new message again', () => {
  const drafts = createDrafts();
  drafts.setText(ROOM, 'Agreed');
  drafts.reply(ROOM, message(1));
  assert.deepEqual(drafts.get(ROOM), { text: 'Agreed', replyTo: message(1) });
  drafts.cancel(ROOM);
  assert.deepEqual(drafts.get(ROOM), { text: 'Agreed' });
});

it('an edit suspends an unsent reply until it is cancelled or saved', () => {
  for (const end of /** @type {const} */ (['cancel', 'save'])) {
    const drafts = createDrafts();
    drafts.reply(ROOM, message(1));
    drafts.setText(ROOM, 'Agreed');
    drafts.edit(ROOM, message(2));
    drafts.setText(ROOM, '2, corrected');
    drafts.edit(ROOM, message(4));
    assert.equal(drafts.get(ROOM).text, '4');
    if (end === 'cancel') drafts.cancel(ROOM);
    else drafts.finishEdit(ROOM, drafts.get(ROOM));
    assert.deepEqual(drafts.get(ROOM), { text: 'Agreed', replyTo: message(1) }, end);
  }
});

it('a reply in place of an edit has the suspended text', () => {
  const drafts = createDrafts();
  drafts.setText(ROOM, 'Unsent');
  drafts.edit(ROOM, message(2));
  drafts.reply(ROOM, message(1));
  assert.deepEqual(drafts.get(ROOM), { text: 'Unsent', replyTo: message(1) });
});

it('an edit that was changed while it was saved goes on', () => {
  const drafts = createDrafts();
  drafts.edit(ROOM, message(2));
  const saved = drafts.get(ROOM);
  drafts.setText(ROOM, '2, and more');
  drafts.finishEdit(ROOM, saved);
  assert.equal(drafts.get(ROOM).text, '2, and more');
});

it('a text is unsent unless it is blank or what an edit began with', () => {
  const drafts = createDrafts();
  assert.equal(drafts.hasAny(), false);
  drafts.setText(ROOM, ' ');
  drafts.edit(8, message(2));
  assert.equal(drafts.hasAny(), false);
  drafts.setText(8, '2, and more');
  assert.equal(drafts.hasAny(), true);
  drafts.cancel(8);
  assert.equal(drafts.hasAny(), false);
  drafts.setText(8, 'Unsent');
  drafts.edit(8, message(2));
  assert.equal(drafts.hasAny(), true);
});
