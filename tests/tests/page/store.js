// Run by store.rs as the body of an async function; returns what is not as it should be.

const { initialState, reduce } = await import('/assets/store.js');
const { hasHole, readMarks, threadItems } = await import('/assets/selectors.js');

const ME = 1;
const faults = [];
const check = (what, isSo) => isSo || faults.push(what);
const shuffled = (items) =>
  items.map((item) => [Math.random(), item]).sort(([a], [b]) => a - b).map(([, item]) => item);
const time = (n) => new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();
const message = (ordinal, more) => ({
  id: 100 + ordinal, conversationId: 7, ordinal, senderId: 1 + (ordinal % 2), kind: 'user',
  content: `${ordinal}`, createdAt: time(ordinal), ...more,
});
const conversation = {
  id: 7, title: null, participantIds: [1, 2], createdAt: time(0), lastActivityAt: time(0), lastMessage: null, unreadCount: 0,
};
const begin = () =>
  [
    { type: 'list-loaded', conversations: [conversation], isFirstPage: true },
    { type: 'opened', conversationId: 7 },
    { type: 'thread-loading', conversationId: 7 },
  ].reduce(reduce, initialState(ME));
const loaded = (messages, prev) => ({ type: 'thread-loaded', conversationId: 7, messages, prev });
const posted = (one) => ({ type: 'new-message', conversationId: 7, message: one });
const contents = (state) => state.threads.get(7).messages.map(({ content, deletedAt }) => (deletedAt ? '-' : content));

// Posts, edits and deletions, each heard once or twice, in any order.
const events = Array.from({ length: 30 }, (_, index) => {
  const one = message(index + 1);
  const edited = { ...one, content: `${one.ordinal}b`, editedAt: time(100) };
  const again = { ...one, content: `${one.ordinal}c`, editedAt: time(200) };
  const gone = { ...again, content: null, deletedAt: time(300) };
  const changes = [[], [edited], [edited, again], [edited, again, gone]][index % 4];
  return [posted(one), ...changes.map((change) => ({ ...posted(change), type: change.deletedAt ? 'message-deleted' : 'message-edited' }))];
});
const expected = events.map((of) => of.at(-1).message).map(({ content, deletedAt }) => (deletedAt ? '-' : content));
for (let round = 0; round < 200; round++) {
  const heard = shuffled([...events.flat(), ...shuffled(events.flat()).slice(0, 20)]);
  const state = [loaded([], undefined), ...heard].reduce(reduce, begin());
  check(`round ${round}: ${contents(state)}`, contents(state).join() === expected.join());
  check(`round ${round} has a hole`, !hasHole(state.threads.get(7)));
  const last = state.conversations.get(7).lastMessage;
  check(`round ${round} previews ${last.ordinal}`, last.ordinal === 30 && last.editedAt === time(100));
}

// A message on its way is the same message, whichever way it is confirmed.
const item = { clientMessageId: 'mine', conversationId: 7, content: '31', createdAt: time(31) };
const mine = message(31, { senderId: ME, clientMessageId: 'mine' });
const queued = [loaded([], undefined), { type: 'queued', item }].reduce(reduce, begin());
const before = threadItems(queued, 7).at(-1);
const arrived = [posted(mine), posted(mine)].reduce(reduce, queued);
const after = threadItems(arrived, 7).filter(({ kind }) => kind === 'message' || kind === 'pending');
check('a confirmed message keeps its key', after.length === 1 && after[0].key === before.key);
check('nothing is pending', arrived.pending.length === 0);
const notMine = reduce(queued, posted(message(31, { senderId: 2, clientMessageId: 'mine' })));
check("somebody else's key confirms nothing", notMine.pending.length === 1);

// Holes, refreshes, pages.
const some = [loaded([message(5), message(6)], 'older'), posted(message(9))].reduce(reduce, begin());
check('a gap is noticed', hasHole(some.threads.get(7)));
const page = [5, 6, 7, 8].map((ordinal) => message(ordinal));
const mended = reduce(some, loaded(page, 'older'));
check('a refresh mends it and keeps what is newer', contents(mended).join() === '5,6,7,8,9');
check('and there is no gap', !hasHole(mended.threads.get(7)));
const old = reduce(mended, { ...posted(message(2, { editedAt: time(9) })), type: 'message-edited' });
check('what is not loaded is not put before a gap', contents(old).join() === '5,6,7,8,9');
const cut = reduce(mended, loaded([message(8), message(9), message(10)], 'older'));
check('a refresh that reaches less far leaves no gap', contents(cut).join() === '8,9,10');

// A list that was read before the newest message is no step back.
const newer = reduce(mended, { type: 'unread-count', conversationId: 7, count: 3 });
const stale = { ...conversation, lastMessage: message(6), lastActivityAt: time(6), unreadCount: 1 };
const kept = reduce(newer, { type: 'list-loaded', conversations: [stale], isFirstPage: true }).conversations.get(7);
check('the newest message stays', kept.lastMessage.ordinal === 9 && kept.unreadCount === 3);

// Read marks, unread mark, typing, participants.
const read = [
  { type: 'message-read', conversationId: 7, message: message(8), userId: 2 },
  { type: 'message-read', conversationId: 7, message: message(6), userId: 2 },
].reduce(reduce, mended);
const marks = readMarks(read, 7, read.threads.get(7).messages);
check('a cursor moves forward only', marks.get(108)?.join() === '2' && marks.size === 1);
const further = reduce(read, { type: 'message-read', conversationId: 7, message: message(9), userId: 2 });
check('the mark is at a message of mine', readMarks(further, 7, further.threads.get(7).messages).get(108)?.join() === '2');
const unread = [{ type: 'unread-count', conversationId: 7, count: 2 }, { type: 'opened', conversationId: 7 }].reduce(reduce, mended);
check('the unread mark is before the second last of the other', unread.threads.get(7).unreadFrom === 7);
const many = [{ type: 'unread-count', conversationId: 7, count: 4 }, { type: 'opened', conversationId: 7 }].reduce(reduce, mended);
check('a mark that is pages away is not guessed', many.threads.get(7).unreadFrom === undefined);
const extended = { type: 'thread-extended', conversationId: 7, messages: [2, 3, 4].map((ordinal) => message(ordinal)), prev: 'older' };
check('and is found there', [posted(message(11)), extended].reduce(reduce, many).threads.get(7).unreadFrom === 3);
const typing = reduce(mended, { type: 'typing-start', conversationId: 7, userId: 2, at: 1000 });
check('typing ends by itself', reduce(typing, { type: 'tick', at: 14_000 }).typing.get(7).size === 0);
check('typing goes on meanwhile', reduce(typing, { type: 'tick', at: 9_000 }).typing.get(7).size === 1);
check('typing ends with the message', reduce(typing, posted(message(11))).typing.get(7).size === 0);
const left = reduce(mended, { type: 'participant-left', conversationId: 7, userId: ME });
check('who left does not see it', !left.conversations.has(7) && left.threads.get(7).status === 'gone');

return faults;
