/** The state of the page, and the events that change it (assets/store.js). */

import type { Conversation, FeedEvent, Message, SearchPage, SearchResult } from './service.d.ts';

/** Immutable: each change makes new objects. */
export interface State {
  /** The user of the page. */
  readonly me: number;
  readonly connection: Connection;
  readonly list: ConversationList;
  readonly conversations: ReadonlyMap<number, ListedConversation>;
  /** By conversation. */
  readonly threads: ReadonlyMap<number, Thread>;
  /** Messages that the service has not accepted yet, in the order of sending. */
  readonly pending: readonly PendingMessage[];
  /** By id: messages that are replied to and that no thread contains. */
  readonly quoted: ReadonlyMap<number, Message>;
  /** By conversation, by user: the ordinal up to which they have read. */
  readonly reads: UsersByConversation;
  /** By conversation, by user: when the typing indicator ends, in Unix milliseconds. */
  readonly typing: UsersByConversation;
  readonly online: ReadonlySet<number>;
  /** The id of the open conversation. */
  readonly open: number | undefined;
  /** Whether the newest message of the open conversation is in view of a focused page. */
  readonly newestInView: boolean;
  readonly search: Search;
}

export type Connection = 'connecting' | 'live' | 'reconnecting';

export type UsersByConversation = ReadonlyMap<number, ReadonlyMap<number, number>>;

export interface ConversationList {
  readonly status: 'loading' | 'ready' | 'failed';
  /** The link to the next page. */
  readonly next: string | undefined;
}

export type ListedConversation = Conversation & { lastMessage: Message | null; unreadCount: number };

/** The messages of a conversation that has been opened. */
export interface Thread {
  readonly status: 'loading' | 'ready' | 'failed' | 'gone';
  /** Oldest first, without a gap. */
  readonly messages: readonly Message[];
  /** The link to the page before. */
  readonly prev: string | undefined;
  /** Whether later messages exist that are not loaded: these are the ones around a message further up. */
  readonly hasLater: boolean;
  /** The ordinal of the first message that was unread when the conversation was opened. */
  readonly unreadFrom: number | undefined;
  /** How many unread messages are still to be counted back to find `unreadFrom`. */
  readonly unread?: number | undefined;
  /** The ordinal down to which they have been counted. */
  readonly searchedTo?: number | undefined;
}

export interface SearchQuery {
  readonly text: string;
  readonly sort: 'relevance' | 'newest';
  /** The one conversation to search. */
  readonly scope: number | undefined;
}

export interface Search {
  readonly query: SearchQuery;
  /** Idle without a text; refused if the service takes no such query. */
  readonly status: 'idle' | 'loading' | 'ready' | 'failed' | 'refused';
  /** Why it failed or was refused. */
  readonly reason: string;
  readonly results: readonly SearchResult[];
  /** The cursor of the next page. */
  readonly next: string | null;
  /** By id: conversations with results that are not in the loaded part of the list. */
  readonly conversations: ReadonlyMap<number, Conversation>;
}

export interface PendingMessage {
  /** The idempotency key of the message. */
  readonly clientMessageId: string;
  readonly conversationId: number;
  readonly content: string;
  readonly replyToId?: number | undefined;
  readonly createdAt: string;
  /** Why the service refused the message. */
  readonly error?: string | undefined;
}

export type StoreEvent = FeedEventAt | ResponseEvent | UserEvent | ClockEvent;

/** Feed events; `at` is the time of arrival in Unix milliseconds. */
type FeedEventAt = Exclude<FeedEvent, TypingStart> | (TypingStart & { at: number });

type TypingStart = Extract<FeedEvent, { type: 'typing-start' }>;

type ResponseEvent =
  | { type: 'list-loaded' | 'list-extended'; conversations: Conversation[]; next: string | undefined }
  | { type: 'list-failed' }
  | { type: 'conversation-loaded'; conversation: Conversation }
  | { type: 'thread-loading'; conversationId: number }
  | ({ type: 'thread-loaded' | 'thread-extended'; conversationId: number } & MessagePage)
  | ({ type: 'thread-around'; conversationId: number; hasLater: boolean } & MessagePage)
  | { type: 'thread-continued'; conversationId: number; messages: Message[]; hasLater: boolean }
  | { type: 'thread-failed'; conversationId: number; isGone: boolean }
  | { type: 'receipts-loaded'; conversationId: number; ordinal: number; users: number[] }
  | { type: 'typing-loaded'; conversationId: number; users: number[]; at: number }
  | { type: 'presence-loaded'; users: number[] }
  | { type: 'quoted-loaded'; message: Message }
  | ({ type: 'search-loaded' | 'search-extended' } & SearchPage)
  | { type: 'search-failed'; reason: string; isFirst: boolean; isRefused: boolean }
  | { type: 'search-conversation-loaded'; conversation: Conversation };

export interface MessagePage {
  messages: Message[];
  prev: string | undefined;
}

type UserEvent =
  | { type: 'opened'; conversationId: number | undefined; messageId?: number | undefined }
  | { type: 'newest-wanted'; conversationId: number }
  | { type: 'search-changed'; query: SearchQuery }
  | { type: 'search-loading' }
  | { type: 'newest-in-view'; value: boolean }
  | { type: 'queued'; item: PendingMessage }
  | { type: 'refused'; clientMessageId: string; error: string }
  | { type: 'requeued' | 'discarded'; clientMessageId: string };

type ClockEvent = { type: 'connection'; status: Connection } | { type: 'tick'; at: number };

/** What makes the next state from each type of event. */
export type Handlers = {
  readonly [Type in StoreEvent['type']]?: (state: State, event: EventOf<Type>) => State;
};

/** The events of a type, also where one shape has several types. */
type EventOf<Type, Event = StoreEvent> = Event extends { type: infer Types }
  ? Type extends Types
    ? Event
    : never
  : never;

export interface Store {
  get(): State;
  dispatch(event: StoreEvent): void;
  subscribe(listener: (state: State, event: StoreEvent) => void): void;
}

/** What an open conversation shows (`threadItems` in assets/selectors.js). */
export type ThreadItem =
  | { kind: 'day'; key: string; at: string }
  | { kind: 'unread'; key: string }
  | MessageItem
  | PendingItem;

export interface MessageItem {
  kind: 'message';
  key: string;
  message: Message;
  /** Whether it continues a group of messages under one heading. */
  isContinued: boolean;
  readBy: number[];
  isLastOwn: boolean;
}

export interface PendingItem {
  kind: 'pending';
  key: string;
  item: PendingMessage;
}
